"""Open Images box rows of the chosen images as objects and ignore regions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.open_images.boxes import COORDINATES, FLAGS

_FLAG_COLUMNS = {
    "IsOccluded": "is_occluded",
    "IsTruncated": "is_truncated",
    "IsGroupOf": "is_group_of",
    "IsDepiction": "is_depiction",
    "IsInside": "is_inside",
}


def ordered_boxes(boxes: pa.Table) -> pa.Table:
    """Rows in the manifest's order, with their rank.

    Args:
        boxes: good rows with `image` and the CSV's columns; flags int8, -1 or null unknown.

    Returns:
        The rows ordered by (image, LabelName, XMin, XMax, YMin, YMax, flags, Source), nulls first,
        unknown flags null, with `rank` int64 from 1 within each image. Equal rows are kept.
    """
    # nulls first: an unknown flag is -1 and an unknown source the empty string while sorting
    for name in FLAGS:
        boxes = _replaced(boxes, name, boxes[name].fill_null(-1))
    boxes = _replaced(boxes, "Source", boxes["Source"].fill_null(""))
    for name in COORDINATES:
        # minus zero is a zero: equal rows have equal bytes
        boxes = _replaced(boxes, name, pc.add(boxes[name], 0.0))
    keys = ["image", "LabelName", *COORDINATES, *FLAGS, "Source"]
    order = pc.sort_indices(boxes, sort_keys=[(key, "ascending") for key in keys])
    boxes = boxes.take(order).combine_chunks()
    for name, unknown in (*((name, -1) for name in FLAGS), ("Source", "")):
        known = pc.if_else(pc.equal(boxes[name], unknown), None, boxes[name])
        boxes = _replaced(boxes, name, known)
    image = boxes["image"].to_numpy()
    first = np.searchsorted(image, image, side="left")
    return boxes.append_column("rank", pa.array(np.arange(len(image)) - first + 1))


def _replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def annotation_rows(
    boxes: pa.Table,
    categories: Mapping[str, tuple[int, str | None]],
    ids: pa.Array,
    image_ids: np.ndarray,
    widths: np.ndarray,
    heights: np.ndarray,
) -> pa.Table:
    """Objects and ignore regions.

    Args:
        boxes: of `ordered_boxes`.
        categories: MID -> (category id, relation of the map row), mapped classes only.
        ids: string [N], ImageIDs by place.
        image_ids: int64 [N], manifest image ids by place.
        widths: int64 [N], pixels, by place.
        heights: int64 [N], pixels, by place.

    Returns:
        Manifest columns, with `image` (place) and float64 boxes; in the order given.
    """
    place = boxes["image"].to_numpy()
    width, height = widths[place].astype(np.float64), heights[place].astype(np.float64)
    x_min, x_max, y_min, y_max = (boxes[name].to_numpy() for name in COORDINATES)
    xywh = np.stack(
        [x_min * width, y_min * height, (x_max - x_min) * width, (y_max - y_min) * height], axis=1
    )
    labels = boxes["LabelName"].combine_chunks().dictionary_encode()
    found = [categories.get(mid) for mid in labels.dictionary.to_pylist()]
    category = pa.array([None if pair is None else pair[0] for pair in found], pa.int32())
    relation = pa.array([None if pair is None else pair[1] for pair in found], pa.string())
    category, relation = category.take(labels.indices), relation.take(labels.indices)
    flags = {
        column: pc.cast(boxes[name], pa.bool_()).combine_chunks()
        for name, column in _FLAG_COLUMNS.items()
    }
    reason = ignore_reason(
        pc.is_null(category), flags["is_group_of"], flags["is_depiction"], flags["is_inside"]
    )
    image_text = ids.take(pa.array(place))
    return pa.table(
        {
            "image": boxes["image"],
            "image_id": pa.array(image_ids[place], pa.int64()),
            "order": boxes["rank"],
            "category_id": category,
            "bbox": pa.FixedSizeListArray.from_arrays(pa.array(xywh.reshape(-1)), 4),
            "area": pa.array(xywh[:, 2] * xywh[:, 3]),
            "role": pc.if_else(pc.is_null(reason), "object", "ignore"),
            "ignore_reason": reason,
            "source_annotation_id": pc.binary_join_element_wise(
                image_text, pc.cast(boxes["rank"], pa.string()).combine_chunks(), ":"
            ),
            "source_label": boxes["LabelName"],
            "map_relation": relation,
            "annotation_method": boxes["Source"],
            **flags,
        }
    )


def ignore_reason(
    unmapped: pa.Array, group_of: pa.Array, depiction: pa.Array, inside: pa.Array
) -> pa.Array:
    """The first of unmapped, group_of, depiction, inside that holds; null for an object.

    An unknown (null) flag counts as not set.
    """
    none = pa.scalar(None, pa.string())
    reason = pc.if_else(inside.fill_null(False), "inside", none)
    reason = pc.if_else(depiction.fill_null(False), "depiction", reason)
    reason = pc.if_else(group_of.fill_null(False), "group_of", reason)
    return pc.if_else(unmapped, "unmapped", reason)
