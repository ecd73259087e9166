"""Annotation rows of LVIS and COCO files: types, checks, Arrow columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import chain
from typing import Annotated, Any, Literal, TypeGuard

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lvis_merge.sources.json_rows import INT64_MAX, INT64_MIN, RowT, TypedRows
from lvis_merge.sources.mask_columns import MaskColumns
from lvis_merge.sources.masks import NO_MASK, read_masks
from lvis_merge.sources.tables import ANNOTATION_ROWS, BAD_ANNOTATIONS

_Integer = Annotated[int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX)]
_AnnotationId = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
_Box = tuple[float, float, float, float]


class LvisAnnotation(msgspec.Struct, gc=False):
    """What is read of an LVIS annotation."""

    id: _AnnotationId
    image_id: _Integer
    category_id: _Integer
    bbox: _Box
    area: float
    segmentation: msgspec.Raw


class CocoBox(msgspec.Struct, gc=False):
    """What is read of a COCO annotation that serves as an ignore region."""

    id: _AnnotationId
    image_id: _Integer
    category_id: _Integer
    bbox: _Box
    iscrowd: Literal[0, 1] = 0


class CocoObject(CocoBox, gc=False):
    """What is read of a COCO annotation that serves as an object; of a crowd, only the box.

    An absent area is NaN, which a file cannot say.
    """

    area: float = math.nan
    segmentation: msgspec.Raw = msgspec.Raw(NO_MASK)


@dataclass(frozen=True)
class _Columns:
    """Some rows.

    Attributes:
        place: int64 [N], 1-based in the file's array.
        id: int64 [N].
        image_id: int64 [N].
        category_id: int64 [N].
        bbox: float64 [N, 4], x, y, w, h in pixels.
        area: float64 [N], square pixels; NaN: none was published.
        crowd: bool [N].
    """

    place: npt.NDArray[np.int64]
    id: npt.NDArray[np.int64]
    image_id: npt.NDArray[np.int64]
    category_id: npt.NDArray[np.int64]
    bbox: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.bool_]


class AnnotationRows(TypedRows[RowT]):
    """Collects annotation rows as columns.

    Args:
        row_type: one of the structs above; a field that it lacks is not read.

    Attributes:
        named_by_bad: (image id, category id) of bad rows that say their image; None: no such id.
    """

    def __init__(self, row_type: type[RowT]) -> None:
        super().__init__(row_type)
        self._reads_crowd = "iscrowd" in self._fields
        self._reads_area = "area" in self._fields
        self._reads_masks = "segmentation" in self._fields
        self.named_by_bad: list[tuple[int, int | None]] = []
        self._columns: list[_Columns] = []
        self._masks = MaskColumns()

    def take(self, rows: list[Any], places: npt.NDArray[np.int64]) -> bool:
        """Takes rows; see `TypedRows`."""
        count = len(rows)
        if self._reads_crowd:
            crowd = np.fromiter([row.iscrowd for row in rows], np.bool_, count)
        else:
            crowd = np.zeros(count, np.bool_)
        if self._reads_masks:
            texts = [row.segmentation for row in rows]
            for place in np.flatnonzero(crowd).tolist():
                texts[place] = NO_MASK
            masks = read_masks(texts)
            if masks is None:
                return False
            self._masks.add(masks)
        area = np.full(count, math.nan)
        if self._reads_area:
            area[:] = [row.area for row in rows]
            area[crowd] = math.nan
        boxes = chain.from_iterable([row.bbox for row in rows])
        self._columns.append(
            _Columns(
                places,
                np.fromiter([row.id for row in rows], np.int64, count),
                np.fromiter([row.image_id for row in rows], np.int64, count),
                np.fromiter([row.category_id for row in rows], np.int64, count),
                np.fromiter(boxes, np.float64, 4 * count).reshape(count, 4),
                area,
                crowd,
            )
        )
        return True

    def note_bad(self, value: Any) -> None:
        """Keeps what a bad row is about."""
        if isinstance(value, dict) and _is_int64(value.get("image_id")):
            category = value.get("category_id")
            self.named_by_bad.append((value["image_id"], category if _is_int64(category) else None))

    def bad_table(self) -> pa.Table:
        """`named_by_bad` as `BAD_ANNOTATIONS`; of all bad rows once `finish` was called."""
        images, categories = zip(*self.named_by_bad, strict=True) if self.named_by_bad else ((), ())
        return pa.table([pa.array(images), pa.array(categories)], names=BAD_ANNOTATIONS.names).cast(
            BAD_ANNOTATIONS
        )

    def made_plain(self, row: dict[str, Any]) -> dict[str, Any]:
        """Puts what plain JSON cannot say in a form that meets the same fate."""
        row = dict(row)
        if type(row.get("iscrowd")) is int and row["iscrowd"] == 1:
            row.pop("area", None)
            row.pop("segmentation", None)
        for name in ("image_id", "category_id"):
            if type(row[name]) is int and not INT64_MIN <= row[name] <= INT64_MAX:
                row[name] = -1  # as unknown as the number itself
        if _are_numbers(row["bbox"]):
            box = [_as_float(value) for value in row["bbox"]]
            # no box either way
            row["bbox"] = box if all(map(math.isfinite, box)) else [0.0] * len(box)
        if "area" in row and _is_number(row["area"]):
            row["area"] = _as_float(row["area"])
        parts = row.get("segmentation")
        if isinstance(parts, list) and all(map(_are_numbers, parts)):
            parts = [[_as_float(value) for value in part] for part in parts]
            finite = all(math.isfinite(value) for part in parts for value in part)
            row["segmentation"] = parts if finite else [[0.0]]  # no polygon either way
        return row

    def finish(
        self,
        images: pa.Table,
        category_ids: npt.NDArray[np.int64],
    ) -> tuple[pa.Table, list[tuple[int, str]]]:
        """Checks the rows against the rest of the file.

        Args:
            images: the good images: `image_id`, and where masks are read `width` and `height`.
            category_ids: of the file.

        Returns:
            The good rows as `ANNOTATION_ROWS`, in file order, and (row, reason) of all bad ones.
        """
        rows = _concatenated(self._columns)
        box = rows.bbox
        size = box[:, 2:]
        _, firsts = np.unique(rows.id, return_index=True)
        repeated = np.ones(len(rows.id), np.bool_)
        repeated[firsts] = False
        checks = {  # from the last to the first: the first one that fails is told
            "polygon": self._masks.bad_rows(rows.image_id, images),
            "box": ~np.isfinite(box).all(axis=1) | (size <= 0).any(axis=1),
            "duplicate_id": repeated,
            "unknown_category": ~np.isin(rows.category_id, category_ids),
            "unknown_image": ~np.isin(rows.image_id, images["image_id"].to_numpy()),
        }
        reasons = np.zeros(len(rows.id), np.int8)
        names = ["", *checks]
        for code, bad in enumerate(checks.values(), start=1):
            reasons[bad] = code
        bad_rows = np.flatnonzero(reasons)
        rejects = [
            (int(place), names[code])
            for place, code in zip(rows.place[bad_rows], reasons[bad_rows], strict=True)
        ]
        pairs = zip(rows.image_id[bad_rows], rows.category_id[bad_rows], strict=True)
        self.named_by_bad += [(int(image), int(category)) for image, category in pairs]
        table = self._table(rows)
        if len(bad_rows):
            table = table.filter(pa.array(reasons == 0))
        return table.cast(ANNOTATION_ROWS), self.rejects + rejects

    def _table(self, rows: _Columns) -> pa.Table:
        count = len(rows.id)
        box = rows.bbox
        area = np.where(np.isnan(rows.area), box[:, 2] * box[:, 3], rows.area)
        segmentation, mask_rle = self._masks.columns(count)
        return pa.table(
            {
                "source_id": rows.id,
                "image_id": rows.image_id,
                "category_id": rows.category_id.astype(np.int32),  # only unknown ones wrap
                "bbox": pa.FixedSizeListArray.from_arrays(pa.array(box.reshape(-1)), 4),
                "area": area,
                "segmentation": segmentation,
                "mask_rle": mask_rle,
                "is_crowd": rows.crowd,
            }
        )


def _concatenated(columns: list[_Columns]) -> _Columns:
    ids = np.zeros(0, np.int64)
    nothing = _Columns(ids, ids, ids, ids, np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.bool_))
    parts = columns or [nothing]
    return _Columns(
        **{
            column.name: np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(_Columns)
        }
    )


def _is_int64(value: Any) -> TypeGuard[int]:
    return type(value) is int and INT64_MIN <= value <= INT64_MAX


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond float64
        return math.inf if value > 0 else -math.inf
