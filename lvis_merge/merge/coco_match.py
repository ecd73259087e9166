"""Which LVIS object a COCO box is the outline of."""

from __future__ import annotations

import numpy as np

from lvis_merge.merge.rules import MATCH_IOU


def iou(a_xywh: np.ndarray, b_xywh: np.ndarray) -> np.ndarray:
    """Intersection over union of paired boxes.

    Args:
        a_xywh: float64 [N, 4], pixels.
        b_xywh: float64 [N, 4], pixels.

    Returns:
        float64 [N].
    """
    low = np.maximum(a_xywh[:, :2], b_xywh[:, :2])
    high = np.minimum(a_xywh[:, :2] + a_xywh[:, 2:], b_xywh[:, :2] + b_xywh[:, 2:])
    side = np.clip(high - low, 0, None)
    inter = side[:, 0] * side[:, 1]
    union = a_xywh[:, 2] * a_xywh[:, 3] + b_xywh[:, 2] * b_xywh[:, 3] - inter
    return np.asarray(inter / union)


def match_objects(
    box_image: np.ndarray,
    box_category: np.ndarray,
    box_xywh: np.ndarray,
    object_image: np.ndarray,
    object_category: np.ndarray,
    object_xywh: np.ndarray,
    object_id: np.ndarray,
) -> np.ndarray:
    """For each box the object of its image and category that it overlaps most.

    Args:
        box_image: int64 [N], image ids.
        box_category: int64 [N], category ids; below 0 for boxes that are not to be matched.
        box_xywh: float64 [N, 4], published pixels.
        object_image: int64 [M], image ids.
        object_category: int64 [M], category ids.
        object_xywh: float64 [M, 4], published pixels.
        object_id: int64 [M], published annotation ids, for ties.

    Returns:
        int64 [N]: place of the object with the highest IoU of at least 0.5, of equals the one with
        the lowest id; -1 where there is none. Several boxes may name one object.
    """
    order, starts, counts = _same_class_objects(
        box_image, box_category, object_image, object_category
    )
    box = np.repeat(np.arange(len(box_image)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    other = order[np.repeat(starts, counts) + within]
    overlap = iou(box_xywh[box], object_xywh[other])
    enough = overlap >= MATCH_IOU
    box, other, overlap = box[enough], other[enough], overlap[enough]
    # the best of each box comes first, and np.unique keeps the first
    best = np.lexsort((object_id[other], -overlap, box))
    matched = np.full(len(box_image), -1, dtype=np.int64)
    boxes, first = np.unique(box[best], return_index=True)
    matched[boxes] = other[best][first]
    return matched


def _same_class_objects(
    box_image: np.ndarray,
    box_category: np.ndarray,
    object_image: np.ndarray,
    object_category: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Objects grouped by image and category; each box's group as a start and a length in it."""
    images = np.unique(object_image)
    span = int(object_category.max(initial=0)) + 1
    object_key = np.searchsorted(images, object_image) * span + object_category
    order = np.argsort(object_key, kind="stable")
    place = np.searchsorted(images, box_image)
    known = (box_category >= 0) & (box_category < span) & np.isin(box_image, images)
    box_key = np.where(known, place * span + box_category, -1)
    starts = np.searchsorted(object_key[order], box_key, side="left")
    return order, starts, np.searchsorted(object_key[order], box_key, side="right") - starts
