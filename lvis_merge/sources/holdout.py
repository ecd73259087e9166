"""Files that say which images are held out: LVIS or COCO JSON, or a CSV of ids."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated

import msgspec
import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.sources.files import read_all
from lvis_merge.sources.flickr import flickr_photo_id
from lvis_merge.sources.open_images.ids import manifest_image_ids

HOLDOUT_ROWS = pa.schema([("image_id", pa.int64()), ("flickr_photo_id", pa.int64())])
_HEX = frozenset("0123456789abcdefABCDEF")
_MAX_ID = (1 << 51) - 1
_DIGITS = 20


class _Image(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=0, le=_MAX_ID)]
    flickr_url: str | None = None


class _File(msgspec.Struct):
    images: list[_Image]


def read_holdout(path: Path, name: str) -> pa.Table:
    """Reads held-out images.

    Args:
        path: an LVIS or COCO JSON (image ids and Flickr URLs), or a CSV with a column `image_id`
            (COCO and LVIS ids) or `ImageID` (Open Images ids); plain, .gz or .zip.
        name: base name as given.

    Returns:
        `HOLDOUT_ROWS`, manifest image ids.

    Raises:
        InputError: another kind of file, or an id that is none.
    """
    plain = name.removesuffix(".gz").removesuffix(".zip")
    if plain.endswith(".csv"):
        return _read_csv(read_all(path, ".csv"), name)
    return _read_json(read_all(path, ".json"), name)


def _read_json(data: bytes, name: str) -> pa.Table:
    try:
        images = msgspec.json.decode(data, type=_File).images
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{name}: is no LVIS or COCO JSON with an `images` array ({error}). Give such a file,"
            " or a .csv with a column image_id or ImageID."
        ) from error
    urls = pa.array([image.flickr_url for image in images], pa.string())
    photos = flickr_photo_id(urls)
    ids = pa.array([image.id for image in images], pa.int64())
    return pa.table([ids, photos], schema=HOLDOUT_ROWS)


def _read_csv(data: bytes, name: str) -> pa.Table:
    try:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        rows = [row for row in csv.reader(text) if row]  # blank lines are no rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name}: does not read as CSV ({error}). Mend the file.") from error
    header = rows[0] if rows else []
    column = next((c for c in ("image_id", "ImageID") if c in header), None)
    if column is None:
        raise InputError(
            f"{name}: has no column image_id (COCO and LVIS ids) or ImageID (Open Images ids);"
            f" its first line reads {','.join(header)[:200]!r}. Check that it is the right file."
        )
    place = header.index(column)
    values = []
    for number, row in enumerate(rows[1:], 1):
        value = row[place] if place < len(row) else ""
        if not (_is_number(value) if column == "image_id" else value and _HEX.issuperset(value)):
            raise InputError(f"{name}, row {number}: {value[:50]!r} is no {column}. Mend the row.")
        values.append(value)
    if column == "image_id":
        ids = pa.array([int(text) for text in values], pa.int64())
    else:
        ids = pa.array(manifest_image_ids(pa.array(values, pa.string())))
    return pa.table([ids, pa.nulls(len(ids), pa.int64())], schema=HOLDOUT_ROWS)


def _is_number(text: str) -> bool:
    """A COCO or LVIS image id, leading zeros or not."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) <= _MAX_ID
