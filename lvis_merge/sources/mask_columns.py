"""Masks of all annotation rows of a file, as the Arrow columns `segmentation` and `mask_rle`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lvis_merge.sources.masks import Bitmap, MaskColumn
from lvis_merge.sources.polygons import PolygonColumn
from lvis_merge.sources.tables import POLYGONS

_CHUNK_ROWS = 1 << 16


class MaskColumns:
    """Collects the masks of blocks of rows, in order."""

    def __init__(self) -> None:
        self._rows = 0
        self._open: list[PolygonColumn] = []
        self._open_rows = 0
        self._chunks: list[pa.Array] = []
        self._bad: list[npt.NDArray[np.bool_]] = []
        self._bitmaps: dict[int, Bitmap] = {}

    def add(self, masks: MaskColumn) -> None:
        """Appends the masks of some rows."""
        for row, bitmap in masks.bitmaps.items():
            self._bitmaps[self._rows + row] = bitmap
        rows = len(masks.polygons.parts)
        self._rows += rows
        self._open_rows += rows
        self._open.append(masks.polygons)
        self._bad.append(masks.polygons.bad_rows())
        if self._open_rows >= _CHUNK_ROWS:
            self._close_chunk()

    def _close_chunk(self) -> None:
        """Arrow lists of what is open; blocks are joined so that chunks are worth their while."""
        parts = np.concatenate([column.parts for column in self._open])
        lengths = np.concatenate([column.part_lengths for column in self._open])
        values = np.concatenate([column.values for column in self._open])
        polygons = pa.ListArray.from_arrays(_offsets(lengths), pa.array(values))
        self._chunks.append(
            pa.ListArray.from_arrays(
                _offsets(parts), polygons, type=POLYGONS, mask=pa.array(parts == 0)
            )
        )
        self._open = []
        self._open_rows = 0

    def bad_rows(self, image_ids: npt.NDArray[np.int64], images: pa.Table) -> npt.NDArray[np.bool_]:
        """Which rows have a bad polygon, or a bitmap of another size than their image.

        Args:
            image_ids: int64 [N], of the rows.
            images: `image_id`, `width` and `height`.

        Returns:
            bool [N].
        """
        bad = np.zeros(len(image_ids), np.bool_)
        if self._bad:
            bad[:] = np.concatenate(self._bad)
        if self._bitmaps:
            ids, heights, widths = (
                images[name].to_pylist() for name in ("image_id", "height", "width")
            )
            sizes = dict(zip(ids, zip(heights, widths, strict=True), strict=True))
            for row, bitmap in self._bitmaps.items():
                bad[row] = sizes.get(int(image_ids[row])) != (bitmap.height, bitmap.width)
        return bad

    def columns(self, rows: int) -> tuple[pa.ChunkedArray, pa.Array]:
        """The columns `segmentation` and `mask_rle`, all null where no mask was added.

        Args:
            rows: how many rows the columns have.
        """
        if self._open:
            self._close_chunk()
        counts = pa.nulls(rows, pa.string())
        if self._bitmaps:
            texts: list[str | None] = [None] * rows
            for row, bitmap in self._bitmaps.items():
                texts[row] = bitmap.counts
            counts = pa.array(texts, pa.string())
        if not self._rows:
            return pa.chunked_array([pa.nulls(rows, POLYGONS)]), counts
        return pa.chunked_array(self._chunks, POLYGONS), counts


def _offsets(lengths: npt.NDArray[np.int64]) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.array(offsets)
