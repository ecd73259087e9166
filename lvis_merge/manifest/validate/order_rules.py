"""Ids and sort orders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.validate.columns import (
    Bools,
    Ints,
    equal,
    ints,
    matches,
    ranks,
    repeated,
    take,
    valid,
)
from lvis_merge.manifest.validate.finding import Finding
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.merge.rules import SOURCE_ORDER
from lvis_merge.sources.tables import REJECT_KINDS

_PLAIN_NUMBER = r"^(0|[1-9][0-9]{0,18})$"
_IMAGE_AND_RANK = r"^(?P<image>[0-9a-fA-F]+):(?P<rank>[1-9][0-9]{0,17})$"


def ids_and_orders(loaded: Loaded) -> Iterator[Finding]:
    """Every table is in its order and its ids are unique."""
    for table, key in (("images", "image_id"), ("categories", "category_id")):
        values = ints(getattr(loaded, table)[key])
        yield from loaded.broken("unique", table, repeated(values), f"{key} occurs twice")
        falls = _after_first(values[1:] < values[:-1])
        yield from loaded.broken("order", table, falls, f"{key} is lower than the row before")
    numbers = ints(loaded.annotations["annotation_id"])
    yield from loaded.broken(
        "annotation_id",
        "annotations",
        numbers != np.arange(1, len(numbers) + 1),
        lambda row: f"annotation_id is {numbers[row]}, expected {row + 1}: it counts the rows",
    )
    yield from _source_ids(loaded)
    yield from _rejects_order(loaded)


def _source_ids(loaded: Loaded) -> Iterator[Finding]:
    column = loaded.annotations["source_annotation_id"]
    numbered = loaded.rows_from("lvis") | loaded.rows_from("coco") | loaded.extra_rows
    open_images = loaded.rows_from("open_images")

    plain = matches(column, _PLAIN_NUMBER)
    yield from loaded.broken(
        "source_annotation_id",
        "annotations",
        numbered & ~plain,
        lambda row: f"source_annotation_id {column[row]} is no number",
    )
    parts = pc.extract_regex(column, _IMAGE_AND_RANK)
    owner = take(loaded.images["source_image_id"], loaded.image_row)
    of_image = equal(pc.struct_field(parts, "image"), owner)
    yield from loaded.broken(
        "source_annotation_id",
        "annotations",
        open_images & ~of_image,
        lambda row: f"source_annotation_id {column[row]} is not {owner[row]}:rank",
    )
    number = np.zeros(len(column), np.uint64)
    number[plain] = column.filter(plain).cast("uint64").to_numpy()
    ranked = valid(parts)
    number[ranked] = pc.struct_field(parts, "rank").filter(ranked).cast("uint64").to_numpy()
    yield from _annotation_order(loaded, number.astype(np.int64), open_images)

    split = ranks(take(loaded.images["split"], loaded.image_row))
    for source in ("lvis", "coco", *loaded.record.extras):
        mine = np.flatnonzero(loaded.rows_from(source) & plain)
        pairs = np.stack([split[mine], number[mine].astype(np.int64)], axis=1)
        order = np.lexsort(pairs.T)
        again = np.zeros(len(column), bool)
        same = (pairs[order][1:] == pairs[order][:-1]).all(axis=1)
        again[mine[order[1:][same]]] = True
        yield from loaded.broken(
            "unique", "annotations", again, f"source_annotation_id occurs twice in {source}"
        )


def _annotation_order(loaded: Loaded, number: Ints, open_images: Bools) -> Iterator[Finding]:
    annotations = loaded.annotations
    image = ints(annotations["image_id"])
    source = _source_ranks(loaded)
    yield from loaded.broken(
        "order",
        "annotations",
        _after_first(image[1:] < image[:-1]),
        "image_id is lower than on the row before",
    )
    same_image = image[1:] == image[:-1]
    yield from loaded.broken(
        "order",
        "annotations",
        _after_first(same_image & (source[1:] < source[:-1])),
        "rows of an image are ordered lvis, coco, open_images, then extras by name",
    )
    same_source = same_image & (source[1:] == source[:-1])
    yield from loaded.broken(
        "order",
        "annotations",
        _after_first(same_source & (number[1:] <= number[:-1])),
        "rows of an image and source are ordered by source_annotation_id as a number",
    )
    boxes = same_source & open_images[1:]
    label = ranks(annotations["source_label"])
    left = loaded.boxes[:, 0]
    falls = (label[1:] < label[:-1]) | ((label[1:] == label[:-1]) & (left[1:] < left[:-1]))
    yield from loaded.broken(
        "order",
        "annotations",
        _after_first(boxes & falls),
        "Open Images rows of an image are ordered by MID, then by XMin",
    )
    if loaded.counts("open_images", "box") and not _rows_left_out(loaded):
        before = np.concatenate([[0], np.where(boxes, number[:-1], 0)]) if len(image) else number
        yield from loaded.broken(
            "rank",
            "annotations",
            open_images & (number != before + 1),
            lambda row: f"rank {number[row]} follows rank {before[row]}, and no row was left out",
        )


def _rows_left_out(loaded: Loaded) -> bool:
    counts = loaded.counts("open_images", "box")
    return counts is not None and not {"option", "correction"}.isdisjoint(counts.dropped)


def _source_ranks(loaded: Loaded) -> Ints:
    column = loaded.annotations["source"]
    rank = ranks(column) + len(SOURCE_ORDER)
    for place, source in enumerate(SOURCE_ORDER):
        rank[loaded.rows_from(source)] = place
    return rank


def _rejects_order(loaded: Loaded) -> Iterator[Finding]:
    rejects = loaded.tables.rejects
    keys = np.stack(
        [
            ranks(rejects["source"]),
            ranks(rejects["file"]),
            ints(rejects["row"]),
            ints(pc.index_in(rejects["kind"], pa.array(REJECT_KINDS)), -1),
        ],
        axis=1,
    )
    step = keys[1:] - keys[:-1]
    first = np.argmax(step != 0, axis=1)
    rises = np.take_along_axis(step, first[:, None], axis=1)[:, 0] > 0
    yield from loaded.broken(
        "order",
        "rejects",
        _after_first(~rises),
        "rows are ordered by source, file and row, each row once",
    )


def _after_first(broken: Bools) -> Bools:
    """Aligns a comparison of each row with the one before."""
    return np.asarray(np.concatenate([np.zeros(1, bool), broken])[: len(broken) + 1])
