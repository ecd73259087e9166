"""Transform: boxes, labels, ignore flags and masks of a manifest's image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from pycocotools import mask as coco_mask

from lvis_merge.training.data.masks import ManifestBitmapMasks, ManifestPolygonMasks
from lvis_merge.training.data.rows import ImageRows


@TRANSFORMS.register_module()
class LoadManifestAnnotations(BaseTransform):
    """Turns a manifest's rows into what mmdet's transforms work on.

    A box-only object stays an object; its mask is its filled box, and `has_mask` of the container
    says so. Masks are polygons, or bitmaps on an image one of whose rows has a run-length mask. A
    box with no area inside the frame shows nothing and is left out: its regression targets would
    be infinite.

    Required keys: rows (`ImageRows`), width, height. Added keys: gt_bboxes (`HorizontalBoxes`,
    float32 x1, y1, x2, y2), gt_bboxes_labels (int64 [N]), gt_ignore_flags (bool [N]), and, with
    masks, gt_masks (`ManifestPolygonMasks` or `ManifestBitmapMasks`).

    Args:
        with_mask: whether masks are loaded.
    """

    def __init__(self, with_mask: bool = True) -> None:
        self.with_mask = with_mask

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Adds the annotations."""
        rows: ImageRows = results["rows"]
        width, height = results["width"], results["height"]
        low, size = rows.boxes_xywh[:, :2], rows.boxes_xywh[:, 2:]
        high = low + size
        shown = np.minimum(high, [width, height]) > np.maximum(low, 0)
        keep = np.flatnonzero(shown.all(axis=1))
        boxes = np.concatenate([low, high], axis=1)[keep]
        results["gt_bboxes"] = HorizontalBoxes(torch.from_numpy(boxes))
        results["gt_bboxes_labels"] = rows.labels[keep]
        results["gt_ignore_flags"] = rows.ignored[keep]
        if self.with_mask:
            polygons = [rows.polygons[row] for row in keep]
            rles = [rows.rles[row] for row in keep]
            results["gt_masks"] = _masks(boxes, polygons, rles, height, width)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(with_mask={self.with_mask})"


def _masks(
    boxes: np.ndarray,
    polygons: list[list[np.ndarray]],
    rles: list[str | None],
    height: int,
    width: int,
) -> ManifestPolygonMasks | ManifestBitmapMasks:
    """Masks of rows with boxes x1, y1, x2, y2; see the class."""
    has_mask = np.array(
        [bool(parts) or rle is not None for parts, rle in zip(polygons, rles, strict=True)], bool
    )
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]]
    filled = [parts or [corners[row]] for row, parts in enumerate(polygons)]
    if all(rle is None for rle in rles):
        return ManifestPolygonMasks(filled, height, width, has_mask)
    bitmaps = [_bitmap(parts, rle, height, width) for parts, rle in zip(filled, rles, strict=True)]
    return ManifestBitmapMasks(bitmaps, height, width, has_mask)


def _bitmap(parts: list[np.ndarray], rle: str | None, height: int, width: int) -> np.ndarray:
    """uint8 [height, width]."""
    if rle is not None:
        counts = {"size": [height, width], "counts": rle.encode()}
    else:
        runs = coco_mask.frPyObjects([part.tolist() for part in parts], height, width)
        counts = coco_mask.merge(runs)
    bitmap: np.ndarray = coco_mask.decode(counts)
    return bitmap
