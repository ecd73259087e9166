"""Instance masks of Open Images: which box has which, pixel by pixel."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from pycocotools import mask as coco_mask

from tests.reference.reading import csv_dicts

CORNERS = ("XMin", "XMax", "YMin", "YMax")


def read_masks(folder: Path, subset: str) -> list[dict[str, str | None]]:
    """The rows of a subset's list in the order of their file names; none without a list."""
    stem = f"{subset}-annotations-object-segmentation.csv"
    for path in (folder / stem, folder / f"{stem}.gz", folder / f"{stem}.zip"):
        if path.exists():
            return sorted(csv_dicts(path), key=lambda row: str(row["MaskPath"]))
    return []


def give_masks(
    folder: Path,
    subset: str,
    masks: list[dict[str, str | None]],
    source_id: str,
    boxes: list[tuple[dict[str, Any], dict[str, Any]]],
    width: int,
    height: int,
    events: Counter[str],
) -> None:
    """Fills `mask_rle` and `area` of the objects of one image.

    Args:
        folder: of the lists and the mask files.
        subset: of the image.
        masks: of the subset.
        source_id: ImageID.
        boxes: (box, its annotation row), objects only, in the manifest's order.
        width: of the image.
        height: of the image.
        events: counts what was met.
    """
    taken: set[int] = set()
    for mask in masks:
        if mask["ImageID"] != source_id:
            continue
        for place, (box, annotation) in enumerate(boxes):
            same = box["LabelName"] == mask["LabelName"] and all(
                abs(box[corner] - float(str(mask[f"Box{corner}"]))) <= 1e-6 for corner in CORNERS
            )
            if same and place in taken:
                events["mask: its box has another"] += 1
            if same and place not in taken:
                taken.add(place)
                fill(folder, subset, str(mask["MaskPath"]), annotation, width, height, events)
                break
        else:
            events["mask: of no object"] += 1


def fill(
    folder: Path,
    subset: str,
    name: str,
    annotation: dict[str, Any],
    width: int,
    height: int,
    events: Counter[str],
) -> None:
    paths = [path for path in sorted(folder.rglob(name)) if f"{subset}-masks" in str(path)]
    if not paths:
        events["mask: no file"] += 1
        return
    try:
        image = np.array(Image.open(paths[0]).convert("L"))
    except UnidentifiedImageError:
        events["mask: broken file"] += 1
        return
    lines = [int((y + 0.5) * image.shape[0] / height) for y in range(height)]
    columns = [int((x + 0.5) * image.shape[1] / width) for x in range(width)]
    pixels = (image[lines][:, columns] != 0).astype(np.uint8)
    if not pixels.any():
        events["mask: nothing on it"] += 1
        return
    events["mask: given"] += 1
    annotation["mask_rle"] = coco_mask.encode(np.asfortranarray(pixels))["counts"].decode("ascii")
    annotation["area"] = float(pixels.sum())
