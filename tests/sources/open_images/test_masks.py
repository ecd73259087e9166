"""Instance masks of Open Images: their list, where their files are, their pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from lvis_merge.errors import InputError
from lvis_merge.sources.open_images.masks import find_mask, read_mask, read_mask_rows
from tests.fuzz.hostile_pictures import png

HEADER = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
# as published
ROWS = (
    "677c122b0eaa5d16_m04yx4_9a041d52.png,677c122b0eaa5d16,/m/04yx4,9a041d52,0.8875,0.960938,"
    "0.454167,0.720833,0.86864,0.95498 0.65197 1;0.89370 0.56579 1",
    "05529ae018130c68_m09j2d_b1115fd0.png,05529ae018130c68,/m/09j2d,b1115fd0,0.086875,0.254375,"
    "0.504708,0.79096,0.8025,0.16388 0.50114 1",
    "05529ae018130c68_m09j2d_00000000.png,05529ae018130c68,/m/09j2d,00000000,0,1,0,1,,",
)


def listed(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "masks.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_the_masks_of_some_images_come_by_name(tmp_path: Path) -> None:
    found = read_mask_rows(
        listed(tmp_path, HEADER, *ROWS), "masks.csv", pa.array(["05529ae018130c68"])
    )
    assert found.column_names == [
        "MaskPath", "ImageID", "LabelName", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax",
    ]  # fmt: skip
    assert [tuple(row.values())[3:] for row in found.to_pylist()] == [
        (0.0, 1.0, 0.0, 1.0),
        (0.086875, 0.254375, 0.504708, 0.79096),
    ]
    assert read_mask_rows(tmp_path / "masks.csv", "m", pa.array([], pa.string())).num_rows == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "is no CSV with the columns MaskPath, ImageID"),
        (("a,b", "1,2"), "is no CSV with the columns MaskPath, ImageID"),
        ((HEADER, ROWS[0].replace("0.8875", "left")), "is no CSV with the columns"),
        ((HEADER, "a,b"), "is no CSV with the columns"),
        ((HEADER, ROWS[0].replace("677c122b0eaa5d16_m", "../m")), r"the MaskPath '\.\./m04yx4"),
        ((HEADER, ROWS[0].replace("677c122b0eaa5d16_m", "..\\\\m")), "the MaskPath"),
        ((HEADER, ROWS[0].replace("677c122b0eaa5d16_m", "/etc/m")), "the MaskPath '/etc/m04yx4"),
        ((HEADER, "..," + ROWS[0].split(",", 1)[1]), r"the MaskPath '\.\.' of image"),
        ((HEADER, "," + ROWS[0].split(",", 1)[1]), "the MaskPath '' of image 677c122b0eaa5d16"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_mask_rows(listed(tmp_path, *lines), "masks.csv", pa.array(["677c122b0eaa5d16"]))


@pytest.mark.parametrize(
    "place",
    ["train-masks", "train-masks/6", "train-masks/train-masks-6", "train-masks-6"],
)
def test_a_file_is_found_however_the_archives_were_unpacked(tmp_path: Path, place: str) -> None:
    assert find_mask(tmp_path, "train", "6_m.png") is None
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "6_m.png").write_bytes(b"")
    assert find_mask(tmp_path, "train", "6_m.png") == tmp_path / place / "6_m.png"
    assert find_mask(tmp_path, "validation", "6_m.png") is None


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_pixels_that_are_not_zero_belong_to_the_object(tmp_path: Path, mode: str) -> None:
    pixels = np.array([[0, 255, 0], [255, 0, 0]], np.uint8)
    Image.fromarray(pixels).convert(mode).save(tmp_path / "m.png")
    assert (read_mask(tmp_path / "m.png") == (pixels > 0)).all()


@pytest.mark.parametrize("name", ["6" * 300, "6\0.png"], ids=["long", "nul"])
def test_a_name_that_no_file_has_is_not_there(tmp_path: Path, name: str) -> None:
    assert find_mask(tmp_path, "train", name) is None


def test_a_pixel_counts_in_whatever_channel_it_is_not_zero(tmp_path: Path) -> None:
    """As grey, the least of blue would be black; how clear a pixel is says nothing."""
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels[0, 1, 2] = pixels[0, 2, 0] = 1
    pixels[0, 3, 3] = 255
    Image.fromarray(pixels, "RGBA").save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png").tolist() == [[False, True, True, False]]


def test_sixteen_bits_and_palettes(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 1, 65_535]], np.uint16)).save(tmp_path / "deep.png")
    assert read_mask(tmp_path / "deep.png").tolist() == [[False, True, True]]
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "palette.png")
    assert read_mask(tmp_path / "palette.png").tolist() == [[False, True]]


def test_more_pixels_than_any_photo_are_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(png(10_000, 8_000, 1, 0))
    with pytest.raises(ValueError, match="10000 x 8000 pixels"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize("kind", ["GIF", "EPS"])
def test_only_png_is_read(tmp_path: Path, kind: str) -> None:
    """Pillow would give PostScript to another program."""
    Image.new("L", (4, 3), 255).save(tmp_path / "m.png", kind)
    with pytest.raises(ValueError, match="no readable image"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<html>"])
def test_a_broken_file_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"m\.png is no readable image"):
        read_mask(tmp_path / "m.png")
