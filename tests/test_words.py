"""How texts are split into the words of a search."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from editor import words
from editor.web.forms.gallery import LONGEST_SEARCH

# PostgreSQL stores neither NUL nor lone surrogates, see catalog/validation.py.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
WRITING = st.text(
    st.one_of(
        st.sampled_from("aé ñ'’-./:!&|()*\\ \u0301\u0308\u200d\ufe0f"),
        st.sampled_from("日本語のガがﾊﾟ한글ー々ทำให้ภาพ๑हिन्दीкйёї"),
        st.sampled_from("🚀👩👍🏽🇯🇵❤$+~^`"),
    ),
    min_size=1,
)


def finds(q: str, prompt: str) -> bool:
    """Whether PostgreSQL finds the prompt by these words."""
    sought = [tokens for part in q.split() if (tokens := words.split_search(part))]
    return matches(" & ".join(f"({words.tsquery(tokens, [])})" for tokens in sought), prompt)


def matches(query: str, prompt: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::tsvector @@ %s::tsquery", [words.tsvector(prompt, [":label:1"]), query])
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
@given(st.one_of(TEXT, WRITING, st.lists(st.one_of(TEXT, WRITING)).map(" ".join)))
def test_any_word_of_any_prompt_finds_it(prompt: str) -> None:
    for part in prompt.split():
        typed = part[:LONGEST_SEARCH]
        if words.split(typed):
            assert finds(typed, prompt), (typed, prompt)


@pytest.mark.django_db
@given(st.text(st.sampled_from("日本語の写真を夕焼けท้องฟ้าภาพ하늘을"), min_size=1), st.data())
def test_any_part_of_a_sentence_without_spaces_finds_it(prompt: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(prompt) - 1))
    end = data.draw(st.integers(start + 1, len(prompt)))
    assert finds(prompt[start:end], prompt)


@pytest.mark.django_db
@given(WRITING, st.data())
def test_names_are_matched_in_python_as_prompts_are_in_postgresql(text: str, data: st.DataObject) -> None:
    start, end = (data.draw(st.integers(0, len(text))) for _ in range(2))
    sought = words.split_search(text[start:end])
    if sought:
        query = words.tsquery(sought, [])
        assert matches(query, text) == words.contains(words.split(text), sought)


@given(TEXT)
def test_no_token_is_a_label_or_needs_quoting(text: str) -> None:
    for token in words.split(text):
        assert not set(token.text) & set("'\\:"), token
        assert 1 <= len(token.text) <= words.LONGEST_TOKEN


def test_a_search_may_be_the_beginning_of_its_last_word_only() -> None:
    prompt = words.split("portra-400 film")
    assert words.contains(prompt, words.split_search("portra-4"))
    assert not words.contains(prompt, words.split_search("port-400"))
    assert not words.contains(prompt, words.split_search("portra-400-film-roll"))


@pytest.mark.django_db
def test_very_long_words_and_texts_are_found() -> None:
    word, han = "w" * 9_000, "".join(chr(0x4E00 + number) for number in range(9_000))
    assert finds(word[:LONGEST_SEARCH], f"{word} end")
    assert finds("end", f"{word} end")
    assert finds(han[8_000 : 8_000 + LONGEST_SEARCH], han)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("हिन्दी फोटो", "हिन्दी-फोटो"),
        ("ภาพถ่าย สีส้ม!", "ภาพถ่าย-สีส้ม"),
        ("மழை, தமிழ்", "மழை-தமிழ்"),
        ("Portra-400 f/1.8", "Portra-400-f-1-8"),
        ("don't / l’été", "dont-lété"),
        ("e\u0301te\u0301", "été"),
        ("a\u202eb\u200bc", "abc"),
        ("…🚀", ""),
    ],
)
def test_a_file_name_keeps_the_letters_of_every_script(text: str, name: str) -> None:
    assert words.hyphenated(text) == name
