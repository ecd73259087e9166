"""The check of an image says no whenever training's reader would."""

from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image

from lvis_merge.fetch.check import check_image
from lvis_merge.fetch.trouble import Trouble
from tests.fetch.server import PAGE, jpeg
from tests.fuzz.hostile_pictures import png


def encoded(**options: object) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg(3, (150, 90)))).save(out, "JPEG", quality=85, **options)
    return out.getvalue()


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_cut_is_found_wherever_it_is(progressive: bool) -> None:
    data = encoded(progressive=progressive)
    for cut in [*range(1, 80), *range(80, len(data), 97)]:
        part = data[:-cut]
        read = cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_COLOR) if part else None
        assert read is None
        with pytest.raises(Trouble):
            check_image(part)
    assert check_image(data).width == 150


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (b"", "no_image", "an empty file"),
        (PAGE, "no_image", "a page, not an image"),
        (b"\n <?xml version='1.0'?><Error/>", "no_image", "a page, not an image"),
        (b"GIF89a" + bytes(20), "no_image", "26 bytes that are no JPEG"),
        (jpeg(1)[:-200], "damaged", None),
        (jpeg(1)[:30], "damaged", None),
    ],
    ids=["empty", "html", "xml", "gif", "cut", "header"],
)
def test_what_is_no_image(data: bytes, reason: str, detail: str | None) -> None:
    with pytest.raises(Trouble) as error:
        check_image(data)
    assert error.value.reason == reason
    assert detail is None or error.value.detail == detail


def test_a_png_that_unpacks_to_far_too_much_is_none() -> None:
    """It is decoded whole, unlike a JPEG."""
    with pytest.raises(Trouble) as error:
        check_image(png(10_000, 8_000, 1, 0))
    assert error.value.detail == "10000 x 8000 pixels: a decompression bomb?"


@pytest.mark.parametrize(
    ("orientation", "size", "fits"),
    [
        (1, (60, 40), True),  # as stored
        (1, (40, 60), False),  # lying, and no tag says so
        (6, (40, 60), True),  # upright, by its tag
        (6, (60, 40), True),  # as stored, whatever the tag
        (3, (40, 60), False),  # upside down is not lying
        (1, (61, 40), False),
    ],
)
def test_the_size_is_the_manifests(orientation: int, size: tuple[int, int], fits: bool) -> None:
    data = jpeg(1, (60, 40), orientation)
    if fits:
        found = check_image(data, *size)
        assert (found.width, found.height) == (60, 40)
    else:
        with pytest.raises(Trouble, match="60 x 40 pixels, the manifest says"):
            check_image(data, *size)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_any_kind_of_jpeg_is_one(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (33, 21)).save(out, "JPEG")
    assert check_image(out.getvalue(), 33, 21).height == 21


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (1, 300), (1023, 5)])
def test_of_any_size(size: tuple[int, int]) -> None:
    found = check_image(jpeg(1, size), *size)
    assert (found.width, found.height) == size


def test_a_bomb_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvis_merge.fetch.check._MOST_PIXELS", {"JPEG": 1000})
    with pytest.raises(Trouble, match="decompression bomb"):
        check_image(jpeg(1, (60, 40)))


def test_checks_in_threads_leave_the_warnings_of_the_process_alone() -> None:
    before, data = list(warnings.filters), jpeg(1, (60, 40))
    seen = []

    def check(_: int) -> None:
        check_image(data)
        seen.append(list(warnings.filters) == before)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(check, range(400)))
    assert all(seen)
