"""What a source hands to the merge: Arrow tables of good rows only, in the source's own labels.

Boxes are float64 x, y, w, h in pixels, as published; they are rounded to float32 only when the
manifest is written, so that every rule (IoU, areas) works on the published digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

IDS = pa.list_(pa.int32())
POLYGONS = pa.list_(pa.list_(pa.float32()))
BBOX64 = pa.list_(pa.float64(), 4)

IMAGE_ROWS = pa.schema(
    [
        ("image_id", pa.int64()),
        ("source_image_id", pa.string()),
        ("file_name", pa.string()),
        ("source_file_name", pa.string()),
        ("url", pa.string()),
        ("original_url", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("flickr_photo_id", pa.int64()),
        ("license", pa.string()),
        ("license_id", pa.int32()),
        ("date_captured", pa.string()),
        ("neg_category_ids", IDS),
        ("not_exhaustive_category_ids", IDS),
    ]
)
"""Images of an LVIS or COCO file, in file order."""

ANNOTATION_ROWS = pa.schema(
    [
        ("source_id", pa.int64()),
        ("image_id", pa.int64()),
        ("category_id", pa.int32()),
        ("bbox", BBOX64),
        ("area", pa.float64()),
        ("segmentation", POLYGONS),
        ("mask_rle", pa.string()),
        ("is_crowd", pa.bool_()),
    ]
)
"""Annotations of an LVIS or COCO file, in file order; `category_id` is the source's own id."""

CATEGORY_ROWS = pa.schema(
    [
        ("category_id", pa.int32()),
        ("name", pa.string()),
        ("synset", pa.string()),
        ("synonyms", pa.list_(pa.string())),
        ("definition", pa.string()),
        ("frequency", pa.string()),
        ("image_count_published", pa.int64()),
        ("instance_count_published", pa.int64()),
    ]
)
"""Categories of an LVIS or COCO file, by id; a COCO file fills the id and the name."""


REJECT_KINDS = ("image", "annotation", "box", "label")
REJECT_REASONS = (
    "columns",
    "value",
    "unknown_image",
    "unknown_category",
    "duplicate_id",
    "box",
    "polygon",
)
"""What was wrong with a row; the first of them is told."""

REJECT_ROWS = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("kind", pa.string()),
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("raw", pa.string()),
    ]
)
"""Bad rows, as the manifest keeps them."""


BAD_ANNOTATIONS = pa.schema([("image_id", pa.int64()), ("category_id", pa.int64())])
"""What bad annotation rows are about, as far as they say it; no category: it cannot be read."""


@dataclass(frozen=True)
class JsonSource:
    """One LVIS or COCO file, checked.

    Attributes:
        images: `IMAGE_ROWS`, good rows.
        annotations: `ANNOTATION_ROWS`, good rows.
        categories: `CATEGORY_ROWS`.
        rejects: bad rows, by kind and row.
        image_rows: image rows in the file, good or bad.
        annotation_rows: annotation rows in the file, good or bad.
        info: the file's `info`, verbatim, or None.
        licenses: the file's `licenses`, verbatim, or None.
        bad_annotations: `BAD_ANNOTATIONS`, of an extra source.
    """

    images: pa.Table
    annotations: pa.Table
    categories: pa.Table
    rejects: pa.Table = field(default_factory=REJECT_ROWS.empty_table)
    image_rows: int = 0
    annotation_rows: int = 0
    info: Any = None
    licenses: Any = None
    bad_annotations: pa.Table = field(default_factory=BAD_ANNOTATIONS.empty_table)
