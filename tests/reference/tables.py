"""From collected rows to the four ordered tables and the counts."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from tests.reference.reading import RAW_LENGTH, Row
from tests.reference.result import (
    ANNOTATION_COLUMNS,
    CATEGORY_COLUMNS,
    IMAGE_COLUMNS,
    KIND_ORDER,
    REJECT_COLUMNS,
    SOURCE_ORDER,
    Reference,
    in_columns,
)
from tests.reference.values import float32

REPEAT_THRESHOLD = 0.001


def annotation(
    image_id: int, source: str, order: Any, bbox: tuple[float, ...], **columns: Any
) -> dict[str, Any]:
    """An `annotations` row; columns not named are null.

    Args:
        image_id: manifest id of its image.
        source: lvis, coco, open_images or the name of an extra source.
        order: sorts the rows of one image and source.
        bbox: x, y, w, h in pixels, float64.
        columns: the other columns; `matched` is the LVIS id of the matched object.
    """
    row: dict[str, Any] = dict.fromkeys(ANNOTATION_COLUMNS)
    row.update(image_id=image_id, source=source, bbox=[float32(value) for value in bbox])
    known = SOURCE_ORDER.index(source) if source in SOURCE_ORDER else len(SOURCE_ORDER)
    row.update(order=(image_id, known, source, order), matched=None)
    row.update(columns)
    return row


def numbered(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorts, numbers from 1 and fills `matched_annotation_id`."""
    annotations = sorted(annotations, key=lambda row: row["order"])
    lvis_numbers = {}
    for place, row in enumerate(annotations, start=1):
        row["annotation_id"] = place
        if row["source"] == "lvis":
            lvis_numbers[row["image_id"], row["source_annotation_id"]] = place
    for row in annotations:
        del row["order"]
        matched = row.pop("matched")
        if matched is not None:
            row["matched_annotation_id"] = lvis_numbers[row["image_id"], str(matched)]
    return annotations


def with_merged_counts(
    categories: list[dict[str, Any]],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Adds the columns that count the objects on train images."""
    train = {image["image_id"] for image in images if image["split"] == "train"}
    objects = [
        (row["category_id"], row["image_id"])
        for row in annotations
        if row["role"] == "object" and row["image_id"] in train
    ]
    with_object = len({image for _, image in objects})
    for category in categories:
        mine = [image for number, image in objects if number == category["category_id"]]
        image_count = len(set(mine))
        category["image_count"] = image_count
        category["instance_count"] = len(mine)
        category["frequency_merged"] = (
            "r" if image_count <= 10 else "c" if image_count <= 100 else "f"
        )
        category["f"] = image_count / with_object if image_count else 0.0
        category["repeat_factor"] = (
            max(1.0, math.sqrt(REPEAT_THRESHOLD / category["f"])) if image_count else 1.0
        )
    return sorted(categories, key=lambda category: category["category_id"])


def plain_category(category_id: int, name: str, source_label: str) -> dict[str, Any]:
    """A category of the label spaces coco and open_images: LVIS's own columns are null."""
    row: dict[str, Any] = dict.fromkeys(CATEGORY_COLUMNS)
    row.update(category_id=category_id, name=name, source_label=source_label)
    return row


def counted(rows: list[Row]) -> dict[str, Any]:
    """in, kept, dropped and rejected of the rows of one source and kind."""
    good = [row for row in rows if row.reason is None]
    dropped = Counter(row.rule for row in good if row.rule is not None)
    return {
        "in": len(rows),
        "kept": len(good) - sum(dropped.values()),
        "dropped": dict(dropped),
        "rejected": len(rows) - len(good),
    }


def rejects(rows: list[Row]) -> list[dict[str, Any]]:
    """Ordered by (source, file, row), then image before annotation rows of one JSON file."""
    bad = [row for row in rows if row.reason is not None]
    bad.sort(key=lambda row: (row.source, row.file, row.row, KIND_ORDER.index(row.kind)))
    return [
        {
            "source": row.source,
            "file": row.file,
            "kind": row.kind,
            "row": row.row,
            "reason": row.reason,
            "raw": row.raw[:RAW_LENGTH],
        }
        for row in bad
    ]


def finished(
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    categories: list[dict[str, Any]],
    inputs: dict[tuple[str, str], list[Row]],
    contradictory_labels: int,
    events: Counter[str],
) -> Reference:
    """Everything in contract order.

    Args:
        images: `images` rows in any order.
        annotations: from `annotation`, in any order.
        categories: without the merged counts.
        inputs: every counted row by (source, kind).
        contradictory_labels: as in `Reference`.
        events: as in `Reference`.
    """
    counts: dict[str, dict[str, dict[str, Any]]] = {}
    for (source, kind), rows in inputs.items():
        counts.setdefault(source, {})[kind] = counted(rows)
    annotations = numbered(annotations)
    categories = with_merged_counts(categories, images, annotations)
    return Reference(
        images=in_columns(sorted(images, key=lambda image: image["image_id"]), IMAGE_COLUMNS),
        annotations=in_columns(annotations, ANNOTATION_COLUMNS),
        categories=in_columns(categories, CATEGORY_COLUMNS),
        rejects=in_columns(
            rejects([row for rows in inputs.values() for row in rows]), REJECT_COLUMNS
        ),
        counts=counts,
        contradictory_labels=contradictory_labels,
        events=events,
    )
