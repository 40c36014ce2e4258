from __future__ import annotations

from pathlib import Path

import pytest

from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.parser import parse
from editor.providers.sandbox.render import Output, Recipe, render
from tests.providers.pictures import edit, edit_bytes, is_grey


@pytest.mark.parametrize("prompt", ["add grain", "pop art", "make it brighter"])
def test_the_same_seed_gives_the_same_bytes_and_samples_differ(photo: Path, prompt: str) -> None:
    first, again = (edit_bytes(prompt, photo, seed=5, samples=3) for _ in range(2))
    assert first == again
    assert len(set(first)) == 3


def test_another_seed_gives_another_grain(photo: Path) -> None:
    assert edit_bytes("add grain", photo, seed=1) != edit_bytes("add grain", photo, seed=2)


def test_progress_rises_to_one_hundred(photo: Path) -> None:
    seen: list[int] = []
    recipe = Recipe(parse("blur, sepia, grain", images=1), Output(), 1, samples=2)
    render(recipe, [photo], None, report=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(set(seen)) > 5


def test_a_file_that_is_not_an_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(Refused, match="image 1 cannot be read"):
        edit("sepia", path)


@pytest.mark.parametrize(
    ("output", "size"),
    [
        (Output(), (1024, 1024)),
        (Output(ratio=(16, 9)), (1360, 768)),
        (Output(ratio=(9, 16)), (768, 1360)),
        (Output(width=640, height=320), (640, 320)),
        (Output(width=512, ratio=(1, 2)), (512, 1024)),
    ],
)
def test_a_poster_has_the_requested_shape(output: Output, size: tuple[int, int]) -> None:
    assert edit("A red fox in the snow", output=output).size == size


def test_posters_depend_on_seed_and_prompt() -> None:
    def poster(words: str, seed: int) -> bytes:
        (content,) = edit_bytes(words, seed=seed, output=Output(width=256, height=256))
        return content

    assert poster("Jazz", 1) == poster("Jazz", 1)
    assert len({poster("Jazz", seed) for seed in range(5)}) == 5
    assert poster("Jazz", 1) != poster("Rock", 1)


def test_a_poster_has_the_look_at_the_end_of_the_prompt() -> None:
    assert is_grey(edit("A lighthouse, in black and white", output=Output(width=256, height=256)))
    assert not is_grey(edit("A lighthouse", output=Output(width=256, height=256)))


@pytest.mark.parametrize("words", ["", "x", "W" * 400, "word " * 300])
def test_a_poster_can_be_made_of_any_text(words: str) -> None:
    assert edit(words, output=Output(width=208, height=304)).size == (208, 304)
