"""Pixel sizes of Open Images images, which the published CSVs do not hold.

The frame of the boxes is the image as stored, EXIF orientation not applied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from lvis_merge.errors import InputError
from lvis_merge.sources.files import unpacked
from lvis_merge.sources.open_images.ids import IdIndex

if TYPE_CHECKING:
    from PIL.Image import Image

_EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True)
class Sizes:
    """Known sizes.

    Attributes:
        ids: string [N], ImageIDs.
        width: int64 [N], pixels.
        height: int64 [N], pixels.
    """

    ids: pa.Array
    width: np.ndarray
    height: np.ndarray

    @cached_property
    def index(self) -> IdIndex:
        """Rows by id, of equal ids the first."""
        return IdIndex.of(self.ids)


def read_sizes(path: Path, name: str, folder: Path) -> Sizes:
    """Reads `ImageID,Width,Height`.

    Args:
        path: local file, plain or packed.
        name: base name as given.
        folder: where to unpack to.

    Raises:
        InputError: a missing column, a size that is no positive integer, an image with two sizes.
    """
    try:
        table = pyarrow.csv.read_csv(
            unpacked(path, ".csv", folder),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"ImageID": pa.string(), "Width": pa.int64(), "Height": pa.int64()},
                include_columns=["ImageID", "Width", "Height"],
            ),
        ).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise InputError(
            f"{name}: is no CSV with the columns ImageID,Width,Height and whole numbers"
            f" ({str(error).splitlines()[0]}). Mend it, or let `lvis-merge fetch` write it."
        ) from error
    width = table["Width"].fill_null(0).to_numpy()
    height = table["Height"].fill_null(0).to_numpy()
    limit = np.iinfo(np.int32).max
    ids = table["ImageID"].combine_chunks()
    bad = np.flatnonzero((width < 1) | (height < 1) | (width > limit) | (height > limit))
    if len(bad):
        row = int(bad[0])
        raise InputError(
            f"{name}, row {row + 1}: width {width[row]} and height {height[row]} of image"
            f" {ids[row].as_py()} are no size in pixels. Mend or remove the row."
        )
    sizes = Sizes(ids, width, height)
    first, again = sizes.index.repetitions(ids)
    twice = np.flatnonzero((width[again] != width[first]) | (height[again] != height[first]))
    if len(twice):
        row = int(again[twice].min())
        raise InputError(
            f"{name}, row {row + 1}: image {ids[row].as_py()} already has another size, in row"
            f" {first[again == row][0] + 1}. Remove the wrong one."
        )
    return sizes


def find_images(root: Path, ids: Sequence[str], subsets: Sequence[str]) -> list[Path | None]:
    """Where images are stored: `ROOT/train/<id>.jpg` or `ROOT/<id>.jpg`; None where absent."""
    here = _names(root)
    below = {subset: _names(root / subset) for subset in set(subsets)}
    found: list[Path | None] = []
    for image, subset in zip(ids, subsets, strict=True):
        file = f"{image}.jpg"
        if file in below[subset]:
            found.append(root / subset / file)
        else:
            found.append(root / file if file in here else None)
    return found


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in os.scandir(folder))
    except OSError:
        return frozenset()


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
