"""Pixel sizes of Open Images images, which the published CSVs do not hold.

The frame of the boxes is the image as stored, EXIF orientation not applied.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lvis_merge.errors import InputError
from lvis_merge.sources.buckets import Buckets, NewBuckets, bucket_of
from lvis_merge.sources.csv_rows import IMAGE_ID_PATTERN
from lvis_merge.sources.files import unpacked
from lvis_merge.sources.open_images.ids import manifest_image_ids

if TYPE_CHECKING:
    from PIL.Image import Image

_EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


_SIZE_ROWS = pa.schema(
    [
        ("image_id", pa.int64()),
        ("id", pa.string()),
        ("row", pa.int64()),
        ("width", pa.int64()),
        ("height", pa.int64()),
    ]
)
"""Sizes in pixels; `image_id` is that of `_keys`, `row` counts from 0."""


@dataclass(frozen=True)
class Sizes:
    """Known sizes; an image may be there twice, with the same size.

    Attributes:
        rows: ImageIDs, widths and heights in pixels, in buckets.
    """

    rows: Buckets

    def find(self, ids: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Width and height of images.

        Args:
            ids: string [N], ImageIDs.

        Returns:
            int64 [N] and int64 [N], 0 where unknown.
        """
        width, height = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
        bucket = bucket_of(_keys(ids), self.rows.number)
        for number in np.unique(bucket).tolist():
            here = np.flatnonzero(bucket == number)
            rows = self.rows.read(number)
            row = pc.index_in(ids.take(pa.array(here)), value_set=rows["id"].combine_chunks())
            known = row.is_valid().to_numpy(zero_copy_only=False)
            row = row.drop_null().to_numpy()
            width[here[known]] = rows["width"].to_numpy()[row]
            height[here[known]] = rows["height"].to_numpy()[row]
        return width, height


def _keys(ids: pa.Array) -> np.ndarray:
    """int64 [N]: manifest image ids, 0 for a text that is no ImageID."""
    keys = np.zeros(len(ids), np.int64)
    hexadecimal = pc.match_substring_regex(ids, IMAGE_ID_PATTERN).fill_null(False)
    keys[hexadecimal.to_numpy(zero_copy_only=False)] = manifest_image_ids(ids.filter(hexadecimal))
    return keys


def read_sizes(path: Path, name: str, folder: Path, rows: NewBuckets) -> Sizes:
    """Reads `ImageID,Width,Height`.

    Args:
        path: local file, plain or packed.
        name: base name as given.
        folder: where to unpack to.
        rows: makes the buckets to keep them in.

    Raises:
        InputError: a missing column, a size that is no positive integer, an image with two sizes.
    """
    sizes = Sizes(rows(_SIZE_ROWS))
    start = 0
    try:
        with pyarrow.csv.open_csv(
            unpacked(path, ".csv", folder),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"ImageID": pa.string(), "Width": pa.int64(), "Height": pa.int64()},
                include_columns=["ImageID", "Width", "Height"],
            ),
        ) as batches:
            for batch in batches:
                sizes.rows.add(_checked(batch, start, name))
                start += len(batch)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise InputError(
            f"{name}: is no CSV with the columns ImageID,Width,Height and whole numbers"
            f" ({_counted_as_here(str(error).splitlines()[0])}). Mend it, or let `lvis-merge fetch`"
            " write it."
        ) from error
    twice = min(
        filter(None, map(_other_size, map(sizes.rows.read, range(sizes.rows.number)))), default=None
    )
    if twice:
        row, first, image = twice
        raise InputError(
            f"{name}, row {row + 1}: image {image} already has another size, in row {first + 1}."
            " Remove the wrong one."
        )
    return sizes


def _counted_as_here(message: str) -> str:
    """pyarrow's message; it counts the header as a row."""
    return re.sub(r"Row #(\d+)", lambda found: f"row {int(found[1]) - 1}", message)


def _checked(batch: pa.RecordBatch, start: int, name: str) -> pa.Table:
    """Rows of a file, from row `start` on, as `_SIZE_ROWS`."""
    width = batch["Width"].fill_null(0).to_numpy(zero_copy_only=False)
    height = batch["Height"].fill_null(0).to_numpy(zero_copy_only=False)
    limit = np.iinfo(np.int32).max
    bad = np.flatnonzero((width < 1) | (height < 1) | (width > limit) | (height > limit))
    if len(bad):
        row = int(bad[0])
        raise InputError(
            f"{name}, row {start + row + 1}: width {width[row]} and height {height[row]} of image"
            f" {batch['ImageID'][row].as_py()} are no size in pixels. Mend or remove the row."
        )
    columns = [_keys(batch["ImageID"]), batch["ImageID"], np.arange(len(batch)) + start]
    return pa.table([pa.array(column) for column in (*columns, width, height)], schema=_SIZE_ROWS)


def _other_size(rows: pa.Table) -> tuple[int, int, str] | None:
    """The first row whose image has another size in an earlier one: both, and the image.

    Args:
        rows: `_SIZE_ROWS`, in file order.
    """
    row, width, height = (rows[name].to_numpy() for name in ("row", "width", "height"))
    codes = pc.dictionary_encode(rows["id"]).combine_chunks().indices.to_numpy()
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    first = first[place]
    other = np.flatnonzero((width != width[first]) | (height != height[first]))
    if not len(other):
        return None
    at = int(other[0])
    return int(row[at]), int(row[first[at]]), rows["id"][at].as_py()


class StoredImages:
    """Where images are stored: `ROOT/train/<id>.jpg` or `ROOT/<id>.jpg`.

    Args:
        root: of the images. Its folders are looked through once.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[Path, frozenset[str]] = {}

    def find(self, ids: Sequence[str], subsets: Sequence[str]) -> list[Path | None]:
        """The file of each image of a subset; None where absent."""
        found: list[Path | None] = []
        for image, subset in zip(ids, subsets, strict=True):
            file = f"{image}.jpg"
            if file in self._in(self._root / subset):
                found.append(self._root / subset / file)
            else:
                found.append(self._root / file if file in self._in(self._root) else None)
        return found

    def _in(self, folder: Path) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(path.name for path in os.scandir(folder))
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]


@dataclass(frozen=True)
class StoredSize:
    """The size of an image file.

    Attributes:
        width: pixels as stored.
        height: pixels as stored.
        lying: whether its EXIF tag says that upright width and height are swapped.
    """

    width: int
    height: int
    lying: bool

    def fits(self, width: int, height: int) -> bool:
        """Whether the file shows a frame of this size, as stored or turned upright."""
        stored = (self.width, self.height)
        return (width, height) in ((stored, stored[::-1]) if self.lying else (stored,))


def stored_size(path: Path) -> StoredSize:
    """Reads an image file's header.

    Raises:
        InputError: no readable image.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return size_of(image)
    except Exception as error:  # Pillow's readers of damaged headers raise what they like
        raise InputError(
            f"{path}: is no readable image ({error}). Fetch it again, or list it in the CSV given"
            " by --openimages-exclude."
        ) from error


def size_of(image: Image) -> StoredSize:
    """The size of an image opened by Pillow."""
    return StoredSize(*image.size, image.getexif().get(_EXIF_ORIENTATION) in _LYING)


def stored_sizes(
    paths: Sequence[Path], advance: Callable[[int], None] = lambda number: None
) -> list[StoredSize]:
    """Headers of many files, read in threads, in the order given."""

    def read(path: Path) -> StoredSize:
        size = stored_size(path)
        advance(1)
        return size

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(read, paths))
