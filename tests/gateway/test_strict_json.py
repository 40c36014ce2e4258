"""JSON that other parsers might read differently, or that is slow to parse, is refused."""

from __future__ import annotations

import pytest

from editor.gateway.strict_json import DEEPEST, MOST_COMMAS, read_object


def test_an_object_is_read_from_bytes_and_text() -> None:
    assert read_object(b'{"a": [1, "b"]}') == read_object('{"a": [1, "b"]}') == {"a": [1, "b"]}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\u0000"}', '{"a": "\\ud800"}']
)
def test_ambiguous_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_object(text)


def test_the_number_of_values_is_limited() -> None:
    most = '{"a": [' + "[]," * MOST_COMMAS + "[]]}"
    assert len(read_object(most)["a"]) == MOST_COMMAS + 1
    for one_more in ('{"b": 1, ' + most[1:], b'{"b": 1, ' + most[1:].encode()):
        with pytest.raises(ValueError, match="too many values"):
            read_object(one_more)


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"b": ', "}")])
def test_the_nesting_is_limited(opened: str, closed: str) -> None:
    def nested(levels: int) -> str:
        return '{"a": ' + opened * levels + "1" + closed * levels + "}"

    assert read_object(nested(DEEPEST - 1))
    with pytest.raises(ValueError, match="too deep"):
        read_object(nested(DEEPEST))
