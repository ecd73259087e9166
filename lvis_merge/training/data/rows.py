"""The annotations of one image, on their way from the dataset to the loading transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ImageRows:
    """Objects and those ignore regions that act, in the manifest's order.

    Attributes:
        boxes_xywh: float32 [N, 4], x, y, w, h in pixels.
        labels: int64 [N], -1 on an ignore region without a category.
        ignored: bool [N].
        polygons: by row, its parts: float32, x0, y0, x1, y1, … in pixels; none where it has no
            polygons.
        rles: by row, the mask as COCO compressed counts, or None.
    """

    boxes_xywh: np.ndarray
    labels: np.ndarray
    ignored: np.ndarray
    polygons: list[list[np.ndarray]]
    rles: list[str | None]
