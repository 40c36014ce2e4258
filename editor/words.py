"""The words of a text, for searching and for file names, in every script.

Text and search are split alike, so that whatever stands between two spaces of a text finds it. Case and
accents do not count, nor whether an accent is composed or in which width a letter was typed. Vowel signs
count, and so do letters that only look accented (Cyrillic й, ї and ў, Japanese が).

    words      runs of letters and digits
    characters in scripts without spaces between words: each begins a token of two, so that a search may
               begin anywhere in a sentence
    symbols    emoji and other symbols, one each; a flag is one

Tokens are the lexemes of PostgreSQL's tsvector and tsquery in their text format
(https://www.postgresql.org/docs/current/datatype-textsearch.html).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

LONGEST_TOKEN = 100  # characters; PostgreSQL's limit is 2046 bytes
HIGHEST_POSITION = 16_383  # PostgreSQL's

# Marks that people leave out. Those of Indic and other scripts are vowels or tones.
_ACCENT = regex.compile(
    r"""(?V1x) (?<! [иу]) \u0306 | (?<! \u0456) \u0308 |
    [[\p{M}&&[\p{Inherited}\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}]]--[\u0306\u0308\u3099\u309A]]"""
)
# Letters with a stroke and the like, which Unicode does not decompose. Arabic: alef wasla, tatweel.
_PLAIN = str.maketrans(
    dict(zip("øłđðħŧ\u0131\u0671", "olddhti\u0627", strict=True))
    | {"æ": "ae", "œ": "oe", "þ": "th", "\u0640": ""}
)
_INVISIBLE = regex.compile(r"\p{Cf}+")
_SPACELESS = r"""[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Hangul}\p{Yi}ー
    \p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"""
_TOKENS = regex.compile(
    rf"""(?V1x) (?P<characters> [[\p{{L}}\p{{M}}\p{{N}}]&&{_SPACELESS}]+ )
    | [[\p{{L}}\p{{M}}\p{{N}}]--{_SPACELESS}]+ | \p{{RI}}{{2}} | [\p{{S}}\p{{Co}}\p{{Cn}}]"""
)
_APOSTROPHE = regex.compile(r"(?<=\p{L})['’](?=\p{L})")
_NOT_IN_NAMES = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True, slots=True)
class Token:
    """`begins`: in a search, it stands for every token that begins with it."""

    text: str
    begins: bool = False


def split(text: str) -> list[Token]:
    """The tokens of a text in their order."""
    tokens: list[Token] = []
    for match in _TOKENS.finditer(_plain(text)):
        run = match[0]
        if match.lastgroup == "characters":
            tokens += [Token(run[at : at + 2]) for at in range(len(run) - 1)]
            tokens.append(Token(run[-1], begins=True))
        else:
            tokens.append(Token(run[:LONGEST_TOKEN]))
    return tokens


def split_search(text: str) -> list[Token]:
    """The tokens of one word of a search, which may be the beginning of a word."""
    tokens = split(text)
    return [*tokens[:-1], Token(tokens[-1].text, begins=True)] if tokens else []


def contains(tokens: Sequence[Token], sought: Sequence[Token]) -> bool:
    """Whether the sought tokens stand in a text, one after another."""
    return any(all(map(_matches, tokens[at:], sought)) for at in range(len(tokens) - len(sought) + 1))


def _matches(token: Token, sought: Token) -> bool:
    return token.text.startswith(sought.text) if sought.begins else token.text == sought.text


def tsvector(text: str, labels: Iterable[str]) -> str:
    """The tokens of a text with their positions, and labels without one. No token begins like a
    label: with punctuation, for instance ":style:7".

    PostgreSQL keeps the first 256 positions of a token.
    """
    positions: dict[str, list[str]] = {}
    for at, token in enumerate(split(text), 1):
        positions.setdefault(token.text, []).append(str(min(at, HIGHEST_POSITION)))
    tokens = [f"'{token}':{','.join(places)}" for token, places in positions.items()]
    return " ".join([*tokens, *(f"'{label}'" for label in labels)])


def tsquery(sought: Sequence[Token], labels: Iterable[str]) -> str:
    """Finds texts in which the tokens stand one after another, or that have one of the labels."""
    phrase = " <-> ".join(f"'{token.text}'{':*' if token.begins else ''}" for token in sought)
    return " | ".join([f"({phrase})", *(f"'{label}'" for label in labels)])


def hyphenated(text: str) -> str:
    """The letters and digits of a text with a hyphen for whatever is between them; "" if it has none."""
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return str(_NOT_IN_NAMES.sub("-", _APOSTROPHE.sub("", visible))).strip("-")


def _plain(text: str) -> str:
    """The text in lower case, without accents and invisible characters."""
    if text.isascii():
        return text.lower()
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold()).translate(_PLAIN)
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", folded)))
