"""What a sample should be, row by row from the Parquet tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import lvis_merge.manifest


def plain_images(manifest: Path, split: str, keep_empty: bool) -> list[dict[str, Any]]:
    """One entry per image of a split: its row, objects and ignore regions, in manifest order."""
    opened = lvis_merge.manifest.open(manifest)
    labels = {int(c): n for n, c in enumerate(sorted(opened.pandas("categories")["category_id"]))}
    by_image: dict[int, list[dict[str, Any]]] = {}
    for row in opened.arrow("annotations").to_pylist():
        by_image.setdefault(row["image_id"], []).append(row)
    found = []
    for image in opened.arrow("images").to_pylist():
        rows = by_image.get(image["image_id"], [])
        objects = [row for row in rows if row["role"] == "object"]
        if image["split"] != split or (not objects and not keep_empty):
            continue
        ignored = [row for row in rows if row["role"] == "ignore"]
        found.append(
            {
                "image": image,
                "objects": objects,
                "ignored": ignored,
                "labels": [labels[row["category_id"]] for row in objects],
                "ignored_labels": [labels.get(row["category_id"], -1) for row in ignored],
                **{
                    f"{name}_labels": [labels[c] for c in image[f"{name}_category_ids"]]
                    for name in ("neg", "pos", "not_exhaustive")
                },
            }
        )
    return found


def corners(rows: list[dict[str, Any]]) -> np.ndarray:
    """float32 [N, 4]: x1, y1, x2, y2."""
    boxes = np.array([row["bbox"] for row in rows], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def has_mask(row: dict[str, Any]) -> bool:
    """Whether a row has a mask of either kind."""
    return bool(row["segmentation"]) or not pd.isna(row["mask_rle"])
