"""Intersection over union of boxes, and the pairs of boxes that overlap."""

from __future__ import annotations

import numpy as np

from lvis_merge.evaluation.pairs import Ints
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import Boxes, Positions, stable_order


def iou(one: Boxes, other: Boxes) -> Floats:
    """Intersection over union, computed as pycocotools does (`bbIou` in maskApi.c).

    Args:
        one: [N, 4], x, y, w, h.
        other: [N, 4] likewise.

    Returns:
        float64 [N]; 0 for two boxes of no area.
    """
    x, y, w, h = one.astype(np.float64, copy=False).T
    u, v, p, q = other.astype(np.float64, copy=False).T
    wide = np.minimum(x + w, u + p) - np.maximum(x, u)
    high = np.minimum(y + h, v + q) - np.maximum(y, v)
    shared = np.where((wide > 0) & (high > 0), wide * high, 0.0)
    union = w * h + p * q - shared
    found: Floats = np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0)
    return found


def overlapping_pairs(
    image: Positions, category: Positions, bbox: Boxes, above: float
) -> tuple[Positions, Positions]:
    """Pairs of boxes of one image and category with an IoU above a threshold.

    Within an image and category boxes are sorted by their left edge. If IoU(a, b) > t, the
    intersection is wider than t times a, so that b begins less than (1 - t) of a's width after a:
    neighbours are tried in turn, and a box that has passed this limit is done.

    Args:
        image: int32 [N], below 65,536.
        category: int32 [N].
        bbox: [N, 4], x, y, w, h.
        above: the threshold t.

    Returns:
        Two int32 [P], positions.
    """
    order = np.argsort(bbox[:, 0])
    order = order[stable_order(category[order], int(category.max(initial=0)) + 1)]
    order = order[stable_order(image[order], int(image.max(initial=0)) + 1)]
    box, group = bbox[order], image[order] * (np.int64(category.max(initial=0)) + 1)
    group += category[order]
    # a hair more than the limit, for the roundings of the sums
    limit = box[:, 0] + (1 - above) * box[:, 2] * 1.0001 + 1e-3
    left: list[Ints] = []
    right: list[Ints] = []
    here = np.arange(len(box) - 1)
    step = 1
    while len(here):
        there = here + step
        near = (group[there] == group[here]) & (box[there, 0] <= limit[here])
        here, there = here[near], there[near]
        found = iou(box[here], box[there]) > above
        left.append(here[found])
        right.append(there[found])
        step += 1
        here = here[here + step < len(box)]
    return _places(order, left), _places(order, right)


def _places(order: Ints, parts: list[Ints]) -> Positions:
    rows = np.concatenate([np.zeros(0, np.int64), *parts])
    places: Positions = order[rows].astype(np.int32)
    return places
