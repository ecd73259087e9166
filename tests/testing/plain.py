"""The rules of fusion and of the cap, box by box: slow, and easy to check by eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = Sequence[float]


def overlap(one: Box, other: Box) -> float:
    """IoU of x, y, w, h."""
    w = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    h = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(w, 0.0) * max(h, 0.0)
    union = one[2] * one[3] + other[2] * other[3] - shared
    return shared / union if union > 0 else 0.0


def from_the_best(scores: Sequence[float]) -> list[int]:
    """Positions from the highest score; of equal ones the first."""
    return sorted(range(len(scores)), key=lambda row: -scores[row])


def nms(boxes: Sequence[Box], scores: Sequence[float], above: float) -> list[int]:
    """Positions that stay, of one image and category."""
    kept: list[int] = []
    for row in from_the_best(scores):
        if all(overlap(boxes[row], boxes[other]) <= above for other in kept):
            kept.append(row)
    return sorted(kept)


def weighted(
    boxes: Sequence[Box], scores: Sequence[float], above: float, models: int
) -> list[tuple[int, float, list[float]]]:
    """(first member, score, box) of each cluster, of one image and category, by first member."""
    clusters: list[list[int]] = []
    for row in from_the_best(scores):
        overlaps = [overlap(boxes[row], _mean(boxes, scores, members)) for members in clusters]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] > above:
            clusters[best].append(row)
        else:
            clusters.append([row])
    return sorted(
        (
            members[0],
            sum(scores[row] for row in members) / max(len(members), models),
            _mean(boxes, scores, members),
        )
        for members in clusters
    )


def _mean(boxes: Sequence[Box], scores: Sequence[float], members: list[int]) -> list[float]:
    total = sum(scores[row] for row in members)
    return [sum(scores[r] * boxes[r][side] for r in members) / total for side in range(4)]
