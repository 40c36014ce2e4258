"""A browser is offered files that are sharp on its screen, each with its true width."""

from __future__ import annotations

import pytest
from django.urls import reverse

from editor.contexts import pictures
from editor.models import Image
from tests.factories import make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import add_completed, add_image, add_result

FILES = [("512", "/small"), ("1280", "/large"), ("full", "/full")]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (3000, 2000, "/small 512w, /large 1280w, /full 3000w"),
        (2000, 3000, "/small 341w, /large 853w, /full 2000w"),
        (1000, 500, "/small 512w, /full 1000w"),
        (96, 64, "/full 96w"),
        (9000, 1, "/small 512w, /large 1280w, /full 9000w"),
    ],
)
def test_each_file_has_its_width_and_the_best_of_equals_is_used(
    width: int, height: int, expected: str
) -> None:
    assert pictures.srcset(FILES, width=width, height=height) == expected


def test_a_tile_needs_more_pixels_of_a_wide_image_than_it_is_wide() -> None:
    assert pictures.sizes_covering(width=300, height=200) == "(width < 700px) 75vw, 480px"
    assert pictures.sizes_covering(width=200, height=300) == "(width < 700px) 50vw, 320px"


@pytest.mark.parametrize(
    ("width", "height", "sizes"), [(300, 200, "77px"), (200, 300, "68px"), (900, 100, "459px")]
)
def test_what_covers_a_box_is_as_wide_as_its_height_requires(width: int, height: int, sizes: str) -> None:
    assert pictures.sizes_in_box(width, height, box_width=68, box_height=51) == sizes


@pytest.mark.django_db
def test_the_large_view_and_the_studio_offer_the_full_size() -> None:
    workspace = make_workspace()
    user = workspace.members.get()
    source = add_image(workspace)
    result = add_completed(workspace, source, version=2, user=user)
    Image.objects.update(width=3000, height=2000)
    for name, images in {"gallery_image": 2, "studio_version": 3}.items():
        page = body(signed_in(user).get(reverse(name, args=[workspace.slug, result.pk])))
        assert page.count(" 1280w, /files/") == images  # before and after, and under the mask
        assert page.count(" 3000w") == images
        assert 'aria-label="Open at full size, 3000 by 2000 pixels"' in page


@pytest.mark.django_db
def test_tiles_are_sharp_at_two_device_pixels() -> None:
    workspace = make_workspace()
    add_result(workspace)
    Image.objects.update(width=3000, height=2000)
    client = signed_in(workspace.members.get())
    page = body(client.get(reverse("gallery", args=[workspace.slug])))
    assert " 512w, /files/" in page
    assert 'sizes="(width &lt; 700px) 75vw, 480px"' in page
