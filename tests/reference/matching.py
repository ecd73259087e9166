"""Which LVIS object a COCO box covers."""

from __future__ import annotations

from collections import Counter
from typing import Any


def iou(a: list[float], b: list[float]) -> float:
    """Intersection over union of two x, y, w, h boxes in float64."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


def matched(
    bbox: list[float],
    image_id: int,
    category_id: int | None,
    objects: list[dict[str, Any]],
    events: Counter[str],
) -> dict[str, Any] | None:
    """The LVIS annotation (as read) of that image and category with the highest IoU >= 0.5.

    The lowest annotation id wins ties.
    """
    best: dict[str, Any] | None = None
    highest = 0.0
    for annotation in objects:
        if annotation["image_id"] != image_id or annotation["category_id"] != category_id:
            continue
        value = iou(bbox, annotation["bbox"])
        if value < 0.5:
            continue
        if value == 0.5:
            events["matching: IoU exactly 0.5"] += 1
        if best is not None and value == highest:
            events["matching: tie broken by id"] += 1
        if best is None or value > highest or (value == highest and annotation["id"] < best["id"]):
            best, highest = annotation, value
    return best
