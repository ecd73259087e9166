"""Pixel sizes of Open Images images: from a CSV, from image headers."""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from lvis_merge.errors import InputError
from lvis_merge.sources.buckets import Buckets
from lvis_merge.sources.sizes import (
    Sizes,
    StoredImages,
    StoredSize,
    read_sizes,
    stored_size,
    stored_sizes,
)


def read_into(folder: Path, name: str, number: int = 3) -> Sizes:
    return read_sizes(folder / name, name, folder, lambda schema: Buckets(folder, schema, number))


def read(folder: Path, text: str | bytes) -> list[tuple[str, int, int]]:
    """The rows in file order."""
    (folder / "s.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    rows = read_into(folder, "s.csv").rows
    found = [row for place in range(rows.number) for row in rows.read(place).to_pylist()]
    found.sort(key=lambda row: row["row"])
    return [(row["id"], row["width"], row["height"]) for row in found]


GOOD = [
    ("ImageID,Width,Height\n00ab,640,480\n", [("00ab", 640, 480)]),
    # found by name, extra columns ignored, CRLF, a blank line, no last line end
    (
        "Height,x,ImageID,Width\r\n480,?,a,640\r\n\r\n1,?,b,2147483647",
        [("a", 640, 480), ("b", 2**31 - 1, 1)],
    ),
    # digits and `nan` are texts in an ImageID; case counts
    (
        "ImageID,Width,Height\n0012,1,2\n12,3,4\nAB,5,6\nab,7,8\n",
        [("0012", 1, 2), ("12", 3, 4), ("AB", 5, 6), ("ab", 7, 8)],
    ),
    # a repeated row that says the same
    ("ImageID,Width,Height\na,1,2\na,1,2\n", [("a", 1, 2), ("a", 1, 2)]),
    ("ImageID,Width,Height\n", []),
]


@pytest.mark.parametrize(("text", "rows"), GOOD)
def test_sizes_are_read(tmp_path: Path, text: str, rows: list[tuple[str, int, int]]) -> None:
    """Rule: `ImageID,Width,Height`, by name."""
    assert read(tmp_path, text) == rows


def test_sizes_may_be_packed(tmp_path: Path) -> None:
    """Rule: .gz and .zip as everywhere."""
    with zipfile.ZipFile(tmp_path / "s.csv.zip", "w") as archive:
        archive.writestr("s.csv", "ImageID,Width,Height\na,1,2\n")
    width, height = read_into(tmp_path, "s.csv.zip").find(pa.array(["a"]))
    assert (width.tolist(), height.tolist()) == ([1], [2])


@pytest.mark.parametrize("number", [1, 4])
def test_sizes_are_found_by_id(tmp_path: Path, number: int) -> None:
    """Rule: an ImageID is a text: case and leading zeros count; 0 where the file lacks it."""
    ids = ["00000000000000ab", "00000000000000AB", "ab", "0ab", "f" * 16, "no id", "1" * 30]
    rows = [f"{image},{place},{place + 1}" for place, image in enumerate(ids, 1)]
    (tmp_path / "s.csv").write_text("\n".join(["ImageID,Width,Height", *rows, rows[2]]))
    asked = pa.array([*ids[::-1], "b", "", *ids[:1]])
    width, height = read_into(tmp_path, "s.csv", number).find(asked)
    assert width.tolist() == [7, 6, 5, 4, 3, 2, 1, 0, 0, 1]
    assert height.tolist() == [8, 7, 6, 5, 4, 3, 2, 0, 0, 2]


NO_SIZE = "of image a are no size in pixels. Mend or remove the row."
BAD = [
    ("ImageID,Width,Height\nb,1,1\na,0,2\n", f"s.csv, row 2: width 0 and height 2 {NO_SIZE}"),
    ("ImageID,Width,Height\na,5,-2\n", f"s.csv, row 1: width 5 and height -2 {NO_SIZE}"),
    ("ImageID,Width,Height\na,,2\n", f"s.csv, row 1: width 0 and height 2 {NO_SIZE}"),
    (
        "ImageID,Width,Height\na,2147483648,2\n",
        f"s.csv, row 1: width 2147483648 and height 2 {NO_SIZE}",
    ),
    # an image with two sizes; ids that are not 16 lower-case digits too
    (
        "ImageID,Width,Height\n00000000000000ab,1,2\nb,1,1\n00000000000000ab,1,3\n",
        "s.csv, row 3: image 00000000000000ab already has another size, in row 1."
        " Remove the wrong one.",
    ),
    (
        "ImageID,Width,Height\nAB,1,2\nb,1,1\nAB,1,3\n",
        "s.csv, row 3: image AB already has another size, in row 1. Remove the wrong one.",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_size_is_one_message(tmp_path: Path, text: str, message: str) -> None:
    """Rule: a size is a positive int32, and an image has one."""
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("row", "end"),
    [
        ("00000000000000ab,0,2", "width 0 and height 2 of image 00000000000000ab are no size"),
        ("0000000000000000,1,3", "image 0000000000000000 already has another size, in row 1."),
    ],
)
def test_a_bad_size_far_down_is_told_with_its_row(tmp_path: Path, row: str, end: str) -> None:
    """Rule: rows are numbered in the file, which is read in pieces."""
    rows = [f"{place:016x},1,2" for place in range(100_000)]
    text = "\n".join(["ImageID,Width,Height", *rows, row, *rows])
    with pytest.raises(InputError, match=f"^s.csv, row 100001: {end}"):
        read(tmp_path, text)


WRONG_KIND = [
    b"",
    b"ImageID,Width\na,1\n",
    b"ImageID,Width,Height\na,1\n",
    b"ImageID,Width,Height\na,1.5,2\n",
    b"ImageID,Width,Height\na,wide,2\n",
    b"ImageID,Width,Height\n\xff,1,2\n",
    b"ImageID,Width,Height\na,99999999999999999999,2\n",
    b"<html>",
]


@pytest.mark.parametrize("data", WRONG_KIND)
def test_a_file_of_another_kind_is_one_message(tmp_path: Path, data: bytes) -> None:
    """Rule: the message names the columns that are expected."""
    with pytest.raises(InputError) as error:
        read(tmp_path, data)
    message = str(error.value)
    assert message.startswith(
        "s.csv: is no CSV with the columns ImageID,Width,Height and whole numbers ("
    )
    assert message.endswith("). Mend it, or let `lvis-merge fetch` write it.")


def test_images_are_found_below_their_subset_or_in_the_root(tmp_path: Path) -> None:
    """Rule: ROOT/train/<id>.jpg, else ROOT/<id>.jpg."""
    (tmp_path / "train").mkdir()
    for name in ("train/a.jpg", "a.jpg", "b.jpg", "train/c.jpg", "d.png"):
        (tmp_path / name).write_bytes(b"")
    stored = StoredImages(tmp_path)
    found = stored.find(list("abccd"), ["train", "train", "train", "test", "train"])
    assert found == [
        tmp_path / "train/a.jpg",
        tmp_path / "b.jpg",
        tmp_path / "train/c.jpg",
        None,  # stored for another subset
        None,
    ]
    assert StoredImages(tmp_path / "absent").find(["a"], ["train"]) == [None]


def jpeg(path: Path, orientation: int | None = None) -> Path:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", (6, 4)).save(path, exif=exif)
    return path


@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
def test_the_stored_size_is_read_and_orientation_is_not_applied(
    tmp_path: Path, orientation: int | None
) -> None:
    """Rule: boxes are in the stored frame; only a size that fits upright uses the tag."""
    size = stored_size(jpeg(tmp_path / "a.jpg", orientation))
    lying = orientation in (5, 6, 7, 8)
    assert size == StoredSize(6, 4, lying)
    assert size.fits(6, 4)
    assert size.fits(4, 6) is lying
    assert not size.fits(6, 6)


def test_sizes_come_in_the_order_of_the_paths(tmp_path: Path) -> None:
    """Rule: threads do not change the order; every file is told."""
    paths = []
    for width in range(1, 20):
        paths.append(tmp_path / f"{width}.png")
        Image.new("L", (width, 1)).save(paths[-1])
    told: list[int] = []
    assert [size.width for size in stored_sizes(paths, told.append)] == list(range(1, 20))
    assert sum(told) == 19


def huge_png() -> bytes:
    """A header of 2^30 x 2^30 pixels: Pillow calls it a decompression bomb."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


@pytest.mark.parametrize("data", [b"", b"<html>Not found</html>", b"\xff\xd8\xff", huge_png()])
def test_a_file_that_is_no_image_is_one_message(tmp_path: Path, data: bytes) -> None:
    """Rule: a damaged download names the file and the ways out."""
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        stored_size(path)
    message = str(error.value)
    assert message.startswith(f"{path}: is no readable image (")
    assert message.endswith(
        "). Fetch it again, or list it in the CSV given by --openimages-exclude."
    )


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of corrupt EXIF data
def test_a_damaged_header_never_ends_in_another_error(tmp_path: Path) -> None:
    """Rule: whatever bytes are wrong in the header, it is a size or one message."""
    data = jpeg(tmp_path / "a.jpg", 6).read_bytes()
    path = tmp_path / "b.jpg"
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with contextlib.suppress(InputError):
            assert stored_size(path).width > 0
