"""COCO annotation files: objects, and ignore regions as crowds.

What readers make of a crowd: COCOeval forgives detections of the crowd's category that lie in it,
and scores no category that has crowds alone, such as the one for regions without a category, so
those forgive nothing. mmdet makes every crowd of a listed class an ignored instance, whatever its
category, and skips those of classes that the config leaves out. detectron2 and torchvision's
reference leave crowds out, so that a region is background to them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.export import json_text
from lvis_merge.export.annotation_file import (
    MASK_COLUMNS,
    AnnotationFile,
    Fields,
    Texts,
    annotation_texts,
    credit_fields,
    image_fields,
    write_split,
)
from lvis_merge.export.lvis import lvis_categories
from lvis_merge.export.options import BoxOnly, Exported
from lvis_merge.export.split_rows import SplitRows, boxes_of, one_chunk

NO_CATEGORY = "ignore"
"""Name of the category that ignore regions without one get (`ignore_`, … if it is taken)."""

_COLUMNS = (
    "annotation_id", "image_id", "category_id", "bbox", "area", *MASK_COLUMNS, "role",
    "ignore_reason", "source", "source_annotation_id",
)  # fmt: skip


def write_coco(
    path: Path, name: str, split: SplitRows, box_only: BoxOnly, advance: Callable[[int], None]
) -> Exported:
    """Writes one split as a COCO annotation file.

    Annotation ids are the manifest's. Ignore regions have `iscrowd` 1 and their `ignore_reason`; a
    region without a mask has its rectangle. Regions without a category get one more category, which
    no object has; it is listed only if the manifest has such regions.

    Args:
        path: the file to be.
        name: what the summary calls it.
        split: the split.
        box_only: `segmentation` of objects without a mask: `[]`, their rectangle, or no row.
        advance: told how many annotations were written.

    Raises:
        InputError: a table is missing or damaged.
    """
    categories = lvis_categories(split.manifest)
    extra = _no_category(categories)
    # in every split or in none, so that the splits of one manifest have the same list
    if split.manifest.arrow("annotations", ["category_id"])["category_id"].null_count:
        categories = [*categories, extra]
    form = AnnotationFile(
        columns=_COLUMNS,
        categories=categories,
        images=_images,
        annotations=lambda rows: _annotations(split, box_only, extra["id"], rows),
    )
    return write_split(path, name, split, form, advance)


def _no_category(categories: list[dict[str, Any]]) -> dict[str, Any]:
    taken = {row["name"] for row in categories}
    name = NO_CATEGORY
    while name in taken:
        name += "_"
    return {"id": max((row["id"] for row in categories), default=0) + 1, "name": name}


def _images(images: pa.Table) -> Fields:
    file_name = json_text.strings(one_chunk(images["file_name"]))
    return {**image_fields(images), "file_name": file_name, **credit_fields(images)}


def _annotations(split: SplitRows, box_only: BoxOnly, no_category: int, rows: pa.Table) -> Texts:
    return annotation_texts(rows, split, box_only, partial(_fields, no_category))


def _fields(no_category: int, rows: pa.Table, masks: pa.Array) -> Fields:
    column = {name: one_chunk(rows[name]) for name in _COLUMNS}
    crowd = pc.equal(column["role"], "ignore")
    return {
        "id": json_text.numbers(column["annotation_id"]),
        "image_id": json_text.numbers(column["image_id"]),
        "category_id": json_text.numbers(pc.fill_null(column["category_id"], no_category)),
        "bbox": json_text.number_lists(boxes_of(rows)),
        "area": json_text.numbers(column["area"]),
        "iscrowd": pc.if_else(crowd, "1", "0"),
        "segmentation": masks,
        "ignore_reason": json_text.strings(column["ignore_reason"]),
        "source": json_text.strings(column["source"]),
        "source_annotation_id": json_text.strings(column["source_annotation_id"]),
    }
