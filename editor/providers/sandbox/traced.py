"""Text that is rewritten step by step, with the place in the prompt that each character comes from.

The parser works on a normalized text; its messages quote the prompt as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traced:
    """`spans` has (start, end) in `prompt` for each character of `text`."""

    prompt: str
    text: str
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, prompt: str) -> Traced:
        return cls(prompt, prompt, tuple((at, at + 1) for at in range(len(prompt))))

    def written(self) -> str:
        """The part of the prompt that this text comes from."""
        return self.prompt[self.spans[0][0] : self.spans[-1][1]] if self.spans else ""

    def sub(self, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]) -> Traced:
        """As re.sub: each character of a replacement comes from the whole match."""
        text, end = "", 0
        spans: list[tuple[int, int]] = []
        for match in pattern.finditer(self.text):
            new = replacement(match)
            text += self.text[end : match.start()] + new
            spans += self.spans[end : match.start()]
            if match.end() > match.start():
                spans += [(self.spans[match.start()][0], self.spans[match.end() - 1][1])] * len(new)
            end = match.end()
        return Traced(self.prompt, text + self.text[end:], (*spans, *self.spans[end:]))

    def split(self, pattern: re.Pattern[str]) -> list[Traced]:
        """As re.split, for a pattern without groups."""
        pieces, end = [], 0
        for match in pattern.finditer(self.text):
            pieces.append(self.part(end, match.start()))
            end = match.end()
        return [*pieces, self.part(end, len(self.text))]

    def part(self, start: int, end: int) -> Traced:
        return Traced(self.prompt, self.text[start:end], self.spans[start:end])
