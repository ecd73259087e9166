"""Files of held-out images."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources.holdout import HOLDOUT_ROWS, read_holdout

URL = "http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg"

GOOD = [
    # LVIS and COCO JSON: ids and photos
    (
        "h.json",
        f'{{"images": [{{"id": 7, "flickr_url": "{URL}"}}, {{"id": 0}}], "annotations": [1]}}',
        [(7, 8119368305), (0, None)],
    ),
    # no usable photo
    (
        "h.json",
        '{"images": [{"id": 1, "flickr_url": null}, {"id": 2251799813685247, "flickr_url": "x"}]}',
        [(1, None), (2**51 - 1, None)],
    ),
    ("h.json", '{"images": []}', []),
    # COCO ids, other columns, leading zeros, blank lines, CRLF, a byte order mark
    ("h.csv", "\ufeffname,image_id\r\na,000000000139\r\n\r\nb,7", [(139, None), (7, None)]),
    ("h.csv", "\nimage_id\n7\n", [(7, None)]),
    # Open Images ids as manifest ids
    (
        "h.csv",
        "ImageID,Subset\n000a1249af2bc5f0,train\nFF,x\n",
        [(2**52 + 0xA1249AF2BC5F0, None), (2**52 + 255, None)],
    ),
    # both columns: image_id
    ("h.csv", "ImageID,image_id\nff,7\n", [(7, None)]),
    ("h.csv", "image_id\n", []),
]


@pytest.mark.parametrize("how", ["", ".gz"])
@pytest.mark.parametrize(("name", "text", "rows"), GOOD)
def test_ids_and_photos_are_read(
    tmp_path: Path, name: str, text: str, rows: list[tuple[int, int | None]], how: str
) -> None:
    """Rule: `image_id` is a COCO or LVIS id, `ImageID` an Open Images one; JSON has photos too."""
    data = text.encode()
    path = tmp_path / (name + how)
    path.write_bytes(gzip.compress(data) if how else data)
    table = read_holdout(path, name + how)
    assert table.schema == HOLDOUT_ROWS
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows


BAD_CSV = [
    (
        b"id\n7\n",
        "h.csv: has no column image_id (COCO and LVIS ids) or ImageID (Open Images ids);"
        " its first line reads 'id'. Check that it is the right file.",
    ),
    (
        b"",
        "h.csv: has no column image_id (COCO and LVIS ids) or ImageID (Open Images ids);"
        " its first line reads ''. Check that it is the right file.",
    ),
    (b"image_id\n7\n\n-7\n", "h.csv, row 2: '-7' is no image_id. Mend the row."),
    (b"image_id\n7.0\n", "h.csv, row 1: '7.0' is no image_id. Mend the row."),
    (b"image_id\n 7\n", "h.csv, row 1: ' 7' is no image_id. Mend the row."),
    ("image_id\n٣\n".encode(), "h.csv, row 1: '٣' is no image_id. Mend the row."),
    ("image_id\n²\n".encode(), "h.csv, row 1: '²' is no image_id. Mend the row."),
    (
        b"image_id\n2251799813685248\n",  # 2^51: no manifest id of LVIS or COCO
        "h.csv, row 1: '2251799813685248' is no image_id. Mend the row.",
    ),
    (b"image_id\n" + b"9" * 5000, f"h.csv, row 1: {'9' * 50!r} is no image_id. Mend the row."),
    (b"x,image_id\n7\n", "h.csv, row 1: '' is no image_id. Mend the row."),
    (b"ImageID\nff\nxyz\n", "h.csv, row 2: 'xyz' is no ImageID. Mend the row."),
    (b"ImageID,x\n,1\n", "h.csv, row 1: '' is no ImageID. Mend the row."),
    (
        b"ImageID\n\xff\n",
        "h.csv: does not read as CSV ('utf-8' codec can't decode byte 0xff in position 8: invalid"
        " start byte). Mend the file.",
    ),
]


@pytest.mark.parametrize(("data", "message"), BAD_CSV)
def test_a_bad_csv_is_one_message(tmp_path: Path, data: bytes, message: str) -> None:
    """Rule: an id that is none is an error with the row: a leak must not slip through."""
    path = tmp_path / "h.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        read_holdout(path, "h.csv")
    assert str(error.value) == message


BAD_JSON = [
    b"",
    b"{",
    b"[]",
    b'{"annotations": []}',
    b'{"images": [{"name": 1}]}',
    b'{"images": [{"id": "7"}]}',
    b'{"images": [{"id": -7}]}',
    b'{"images": [{"id": 2251799813685248}]}',
    b'{"images": [{"id": 99999999999999999999999999}]}',
    b'{"images": [{"id": 7, "flickr_url": 7}]}',
    b'{"images": [{"id": 7, "flickr_url": "\xff"}]}',
    b'{"images": [{"id": 7, "flickr_url": "\\ud800"}]}',
    b'{"x": ' + b"[" * 100_000,
    b"image_id\n7\n",
]


@pytest.mark.parametrize("data", BAD_JSON)
def test_a_bad_json_is_one_message(tmp_path: Path, data: bytes) -> None:
    """Rule: a file of another kind is told as such."""
    path = tmp_path / "h.json"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        read_holdout(path, "h.json")
    message = str(error.value)
    assert message.startswith("h.json: is no LVIS or COCO JSON with an `images` array (")
    assert message.endswith("Give such a file, or a .csv with a column image_id or ImageID.")
