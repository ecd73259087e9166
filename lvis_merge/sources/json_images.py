"""Image rows of LVIS and COCO files: types, checks, Arrow columns."""

from __future__ import annotations

import re
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.image_roots import OUTSIDE
from lvis_merge.sources.flickr import flickr_photo_id
from lvis_merge.sources.json_rows import RowT, TypedRows, wrong_kind
from lvis_merge.sources.tables import IDS, IMAGE_ROWS

_ImageId = Annotated[int, msgspec.Meta(ge=0, le=2**51 - 1)]
_Side = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_URL_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)")


class ImageId(msgspec.Struct, gc=False):
    """What is read of an image that is only looked up."""

    id: _ImageId


class _Image(ImageId, gc=False, kw_only=True):
    width: _Side
    height: _Side
    file_name: str | None = None
    flickr_url: str | None = None
    date_captured: str | None = None
    license: _Int32 | None = None


class LvisTestImage(_Image, gc=False, kw_only=True):
    """What is read of an image of an LVIS test file."""

    coco_url: str
    neg_category_ids: list[_Int32] = []
    not_exhaustive_category_ids: list[_Int32] = []


class LvisImage(_Image, gc=False, kw_only=True):
    """What is read of an LVIS image."""

    coco_url: str
    neg_category_ids: list[_Int32]
    not_exhaustive_category_ids: list[_Int32]


class CocoImage(_Image, gc=False, kw_only=True):
    """What is read of a COCO image; it needs one of `coco_url` and `file_name`."""

    coco_url: str | None = None


class ExtraImage(CocoImage, gc=False, kw_only=True):
    """What is read of an image of an extra source, whose file may have lists as LVIS's has."""

    neg_category_ids: list[_Int32] | None = None
    not_exhaustive_category_ids: list[_Int32] | None = None


class LookedUpImages(TypedRows[ImageId]):
    """Collects the ids of images that are only looked up; a row without a usable one is no loss."""

    def __init__(self) -> None:
        super().__init__(ImageId)
        self._ids: list[npt.NDArray[np.int64]] = []

    def take(self, rows: list[ImageId], places: npt.NDArray[np.int64]) -> bool:
        """Takes rows; see `TypedRows`."""
        self._ids.append(np.fromiter([row.id for row in rows], np.int64, len(rows)))
        return True

    def table(self) -> pa.Table:
        """The ids, as `image_id`."""
        return pa.table({"image_id": np.concatenate([np.zeros(0, np.int64), *self._ids])})


class ImageRows(TypedRows[RowT]):
    """Collects image rows as columns.

    Args:
        row_type: one of the structs above with a size.
    """

    def __init__(self, row_type: type[RowT]) -> None:
        super().__init__(row_type)
        self._reads_lists = "neg_category_ids" in self._fields
        self._places: list[npt.NDArray[np.int64]] = []
        self._batches: list[pa.Table] = []

    def lacks_columns(self, row: dict[str, Any]) -> bool:
        """Whether a row lacks a needed field; without a URL the file name is needed."""
        return super().lacks_columns(row) or (
            "coco_url" not in self._needed
            and row.get("coco_url") is None
            and "file_name" not in row
        )

    def check_needed(self, path: Path, array: str) -> None:
        """See `TypedRows`; of `coco_url` and `file_name` some row must have one."""
        super().check_needed(path, array)
        if self.seen and not self._places and not {"coco_url", "file_name"} & self._found:
            raise InputError(wrong_kind(path, array, "`coco_url` or `file_name`"))

    def take(self, rows: list[Any], places: npt.NDArray[np.int64]) -> bool:
        """Takes rows; see `TypedRows`."""
        names = [
            (row.file_name or None) if row.coco_url is None else published_name(row.coco_url)
            for row in rows
        ]
        if None in names:
            return False

        def column(name: str, kind: pa.DataType) -> pa.Array:
            return pa.array(list(map(attrgetter(name), rows)), kind)

        ids = [row.id for row in rows]
        self._batches.append(
            pa.table(
                {
                    "image_id": pa.array(ids, pa.int64()),
                    "source_image_id": pa.array(map(str, ids), pa.string()),
                    "file_name": pa.array(names, pa.string()),
                    "source_file_name": column("file_name", pa.string()),
                    "url": column("coco_url", pa.string()),
                    "original_url": column("flickr_url", pa.string()),
                    "width": column("width", pa.int32()),
                    "height": column("height", pa.int32()),
                    "license_id": column("license", pa.int32()),
                    "date_captured": column("date_captured", pa.string()),
                    "neg_category_ids": self._lists(rows, "neg_category_ids"),
                    "not_exhaustive_category_ids": self._lists(rows, "not_exhaustive_category_ids"),
                }
            )
        )
        self._places.append(places)
        return True

    def _lists(self, rows: list[Any], name: str) -> pa.Array:
        lists = [getattr(row, name) for row in rows] if self._reads_lists else [[]] * len(rows)
        if None in lists:
            return pa.array(lists, IDS)
        offsets = np.zeros(len(rows) + 1, np.int32)
        np.cumsum([len(ids) for ids in lists], out=offsets[1:])
        values = np.fromiter(chain.from_iterable(lists), np.int32, offsets[-1])
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=IDS)

    def finish(
        self, path: Path, licence_urls: dict[int, str], taken: npt.NDArray[np.int64]
    ) -> tuple[pa.Table, list[tuple[int, str]]]:
        """Checks the rows against each other and completes them.

        Args:
            path: the file, for messages.
            licence_urls: by licence id.
            taken: int64, image ids that the file may not repeat.

        Returns:
            The good rows as `IMAGE_ROWS`, in file order, and (row, reason) of all bad ones.

        Raises:
            InputError: a file name that leads out of the image folder.
        """
        if not self._batches:
            return IMAGE_ROWS.empty_table(), self.rejects
        table = pa.concat_tables(self._batches).combine_chunks()
        places = np.concatenate(self._places)
        _check_names(path, table, places)
        ids = table["image_id"].to_numpy()
        _, firsts = np.unique(ids, return_index=True)
        good = np.zeros(len(ids), np.bool_)
        good[firsts] = True
        good &= ~np.isin(ids, taken)
        rejects = [(int(place), "duplicate_id") for place in places[~good]]
        table = table.filter(pa.array(good))
        listed = pa.array(list(licence_urls), pa.int32())
        urls = pa.array(list(licence_urls.values()), pa.string())
        licence = urls.take(pc.index_in(table["license_id"].combine_chunks(), listed))
        table = table.append_column("license", licence).append_column(
            "flickr_photo_id", flickr_photo_id(table["original_url"])
        )
        return table.select(IMAGE_ROWS.names).cast(IMAGE_ROWS), self.rejects + rejects


def published_name(url: str) -> str | None:
    """The last two parts of a URL's path, such as `train2017/000000391895.jpg`; None if fewer."""
    # the usual case: scheme://host/…/folder/file
    head, _, name = url.rpartition("/")
    before, _, folder = head.rpartition("/")
    if name and folder and "://" in before[:-1] and "?" not in url and "#" not in url:
        return f"{folder}/{name}"
    found = _URL_PATH.match(url)
    parts = [part for part in found[1].split("/") if part] if found else []
    return "/".join(parts[-2:]) if len(parts) >= 2 else None


def _check_names(path: Path, images: pa.Table, places: npt.NDArray[np.int64]) -> None:
    for name in ("source_file_name", "file_name"):
        outside = pc.match_substring_regex(images[name], OUTSIDE)
        place = pc.index(outside, True).as_py()
        if place >= 0:
            raise InputError(
                f"{path}: image {images['image_id'][place]} (row {places[place]} of `images`) has"
                f" the file name {images[name][place]}, which leads out of the image folder."
                " Mend the name: it must be relative, without `..`."
            )
