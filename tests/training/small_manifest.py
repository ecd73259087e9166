"""A manifest by hand, with pictures: every kind of row that training has to tell apart.

Frames are 64 x 48 pixels (Open Images 80 x 60), so that a whole sample is computed in a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lvis_merge.manifest import Tables, write_manifest
from lvis_merge.manifest.schema import ANNOTATIONS, CATEGORIES, IMAGES, REJECTS
from tests.manifest.small import record, table
from tests.manifest.small_rows import (
    CUP,
    KAZOO,
    OPEN_A,
    OPEN_A_ID,
    SPOON,
    TEDDY,
    bitmap,
    categories,
    coco_row,
    lvis_image,
    lvis_row,
    open_image,
    open_row,
)

POLYGONS, RUN_LENGTHS, NO_ROWS, IGNORE_ONLY, EDGE = 9, 11, 13, 17, 19
"""LVIS train images: polygons and COCO boxes; a run-length mask too; and as they are named."""

VAL, VAL_EMPTY = 139, 145
FRAME, OPEN_FRAME = (64, 48), (80, 60)


@dataclass(frozen=True)
class SmallManifest:
    """Where it is.

    Attributes:
        manifest: the folder.
        root: its image root.
    """

    manifest: Path
    root: Path


def write_small_manifest(folder: Path, **replaced: Any) -> SmallManifest:
    """Writes the manifest and its pictures.

    Args:
        folder: gets `manifest` and `images`; a manifest that is there is replaced.
        replaced: `images`, `annotations` or `categories`: rows in the place of the usual ones.
    """
    rows = {"images": images(), "annotations": annotations(), "categories": categories()} | replaced
    tables = Tables(
        table(IMAGES, rows["images"]),
        table(ANNOTATIONS, rows["annotations"]),
        table(CATEGORIES, rows["categories"]),
        REJECTS.empty(),
    )
    write_manifest(folder / "manifest", tables, record(), {}, overwrite=True)
    rng = np.random.default_rng(0)
    for image in rows["images"]:
        path = folder / "images" / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (image["height"], image["width"], 3), np.uint8)
        Image.fromarray(pixels).save(path, quality=95)
    return SmallManifest(folder / "manifest", folder / "images")


def images() -> list[dict[str, Any]]:
    """Rows of images.parquet."""
    size = dict(zip(("width", "height"), FRAME, strict=True))
    open_size = dict(zip(("width", "height"), OPEN_FRAME, strict=True))
    known: dict[str, Any] = {
        "neg_category_ids": [TEDDY, KAZOO],
        "not_exhaustive_category_ids": [SPOON],
        "pos_category_ids": [CUP, SPOON],
    }
    return [
        lvis_image(POLYGONS, "train", **size, **known),
        lvis_image(RUN_LENGTHS, "train", **size, pos_category_ids=[TEDDY]),
        lvis_image(NO_ROWS, "train", **size, neg_category_ids=[CUP], pos_category_ids=[]),
        lvis_image(IGNORE_ONLY, "train", **size, pos_category_ids=[]),
        lvis_image(EDGE, "train", **size, pos_category_ids=[CUP]),
        lvis_image(VAL, "val", **size, pos_category_ids=[CUP]),
        lvis_image(VAL_EMPTY, "val", **size, neg_category_ids=[CUP], pos_category_ids=[]),
        open_image(OPEN_A_ID, OPEN_A, "train", **open_size, **known),
    ]


def annotations() -> list[dict[str, Any]]:
    """Rows of annotations.parquet."""
    square = [[10.5, 8.0, 30.5, 8.0, 30.5, 28.0, 10.5, 28.0]]
    parts = [[40.0, 4, 50, 4, 50, 14], [52.0, 20, 60, 20, 60, 24, 52, 24]]
    opened = (OPEN_A_ID, OPEN_A)
    cup, spoon = {"category_id": CUP}, {"category_id": SPOON}
    rows = [
        lvis_row(POLYGONS, 5, CUP, "cup", bbox=[10.5, 8, 20, 20], segmentation=square),
        lvis_row(POLYGONS, 6, SPOON, "spoon", bbox=[40.0, 4, 20, 20], segmentation=parts),
        lvis_row(POLYGONS, 7, TEDDY, "teddy_bear", bbox=[2.0, 30, 12, 16]),
        coco_row(99, "cup", [11.0, 8, 20, 20], matched_annotation_id=1, **cup),
        coco_row(101, "cup", [0.0, 0, 60, 10], ignore_reason="crowd", **cup),
        coco_row(120, "dining table", [0.0, 20, 64, 28]),
        lvis_row(RUN_LENGTHS, 8, TEDDY, "teddy_bear", bbox=[10.5, 8, 20, 20], segmentation=square),
        lvis_row(
            *(RUN_LENGTHS, 9, SPOON, "spoon"),
            bbox=[30.0, 20, 20, 10],
            mask_rle=bitmap(*FRAME, (30, 20, 20, 10)),
        ),
        lvis_row(RUN_LENGTHS, 10, CUP, "cup", bbox=[2.0, 30, 12, 16]),
        coco_row(121, "dining table", [0.0, 0, 64, 48], image_id=IGNORE_ONLY),
        # two over the edge stay; two wholly outside show nothing
        lvis_row(EDGE, 11, CUP, "cup", bbox=[50.0, 40, 30, 30]),
        lvis_row(EDGE, 12, CUP, "cup", bbox=[-5.0, 20, 10, 10]),
        lvis_row(EDGE, 13, CUP, "cup", bbox=[64.0, 10, 5, 5]),
        lvis_row(EDGE, 14, CUP, "cup", bbox=[-5.0, 10, 5, 5]),
        lvis_row(VAL, 5, CUP, "cup", bbox=[10.5, 8, 20, 20], segmentation=square),
        open_row(opened, 1, "/m/02p5f1q", [8.0, 6, 40, 15], **cup),
        open_row(opened, 2, "/m/0cmx8", [0.0, 0, 10, 10], ignore_reason="group_of", **spoon),
        open_row(opened, 3, "/m/02p5f1q", [20.0, 30, 10, 10], ignore_reason="depiction", **cup),
        open_row(opened, 4, "/m/02p5f1q", [20.0, 40, 10, 10], ignore_reason="inside", **cup),
        open_row(opened, 5, "/m/0zzz", [60.0, 2, 13, 14], ignore_reason="unmapped"),
    ]
    area = {"area": 0.0}
    return [area | row | {"annotation_id": n} for n, row in enumerate(rows, start=1)]
