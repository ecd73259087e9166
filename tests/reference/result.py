"""What the reference answers with: the four tables in contract order, and the counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

IMAGE_COLUMNS = (
    "image_id", "source", "source_image_id", "split", "file_name", "source_file_name",
    "url", "original_url", "landing_url", "width", "height", "flickr_photo_id",
    "license", "license_id", "author", "author_url", "title", "date_captured",
    "neg_category_ids", "not_exhaustive_category_ids", "pos_category_ids",
)  # fmt: skip

ANNOTATION_COLUMNS = (
    "annotation_id", "image_id", "category_id", "bbox", "area", "segmentation", "mask_rle",
    "role", "ignore_reason", "source", "source_annotation_id", "source_label", "map_relation",
    "annotation_method", "matched_annotation_id", "is_occluded", "is_truncated", "is_group_of",
    "is_depiction", "is_inside", "relabelled_from",
)  # fmt: skip

CATEGORY_COLUMNS = (
    "category_id", "name", "source_label", "synset", "synonyms", "definition", "frequency",
    "image_count_published", "instance_count_published", "image_count_lvis",
    "instance_count_lvis", "image_count", "instance_count", "frequency_merged", "f",
    "repeat_factor", "is_tail",
)  # fmt: skip

REJECT_COLUMNS = ("source", "file", "kind", "row", "reason", "raw")

COLUMNS = {
    "images": IMAGE_COLUMNS,
    "annotations": ANNOTATION_COLUMNS,
    "categories": CATEGORY_COLUMNS,
    "rejects": REJECT_COLUMNS,
}

SOURCE_ORDER = ("lvis", "coco", "open_images")
KIND_ORDER = ("image", "annotation", "box", "label")


@dataclass
class Reference:
    """The expected manifest.

    Attributes:
        images: one dict per row of `images.parquet`, in order, every column by name.
        annotations: the same of `annotations.parquet`; float32 values are rounded to float32.
        categories: the same of `categories.parquet`.
        rejects: the same of `rejects.parquet`.
        counts: counts[source][kind] = {"in", "kept", "dropped": {rule: n}, "rejected"}.
        contradictory_labels: (image, MID) pairs verified both 1 and 0 on chosen images.
        events: which rules were met and how often, for the coverage test.
    """

    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    counts: dict[str, dict[str, dict[str, Any]]]
    contradictory_labels: int = 0
    events: Counter[str] = field(default_factory=Counter)


def in_columns(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Puts every row's keys in the order of `columns`; each row must have exactly those."""
    for row in rows:
        if set(row) != set(columns):
            raise AssertionError(f"columns differ: {sorted(set(row) ^ set(columns))}")
    return [{name: row[name] for name in columns} for row in rows]
