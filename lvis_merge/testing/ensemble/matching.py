"""Matches boxes with ground truth: greedily by score, in every image and category at once.

hotcoco does the same and hands its matches out as Python lists, image by image: half a minute for
5,000 images. A fit matches some dozen times, so it is done here on columns; tests hold the figures
to hotcoco's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lvis_merge.evaluation.matches import THRESHOLDS
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.testing.fusion.overlaps import iou
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import Boxes, ranges, starts_of

IOUS = np.linspace(0.5, 0.95, THRESHOLDS)


@dataclass(frozen=True)
class Truth:
    """What is to be found on I images, in C categories; a pair is image * C + category.

    Attributes:
        bbox: float64 [P, 4], x, y, w, h: the objects by pair, in the order of the ground truth.
        starts: int64 [I * C + 1], where the objects of each pair start.
        judged: bool [I * C], pairs that annotators looked for: annotated or verified absent.
        partly: bool [I * C], pairs that are not exhaustively annotated.
    """

    bbox: Floats
    starts: Ints
    judged: Bools
    partly: Bools


@dataclass(frozen=True)
class Edges:
    """Pairs of a detection and an object of its image and category with an IoU of .5 and more.

    Attributes:
        found: int64 [E], rows of the detections, ascending.
        truth: int64 [E], rows of the objects.
        reached: int8 [E], how many of the ten thresholds the IoU reaches.
        iou: float64 [E].
    """

    found: Ints
    truth: Ints
    reached: npt.NDArray[np.int8]
    iou: Floats


def edges(pair: Ints, bbox: Boxes, truth: Truth) -> Edges:
    """What may match what.

    Args:
        pair: int64 [D], of each detection.
        bbox: [D, 4], x, y, w, h.
        truth: the objects.
    """
    counts = truth.starts[pair + 1] - truth.starts[pair]
    found = np.repeat(np.arange(len(pair)), counts)
    there = ranges(truth.starts[pair], counts)
    overlap = iou(bbox[found], truth.bbox[there])
    reached = np.searchsorted(IOUS, overlap, side="right").astype(np.int8)
    near = reached > 0
    return Edges(found[near], there[near], reached[near], overlap[near])


def matched(pair: Ints, score: Floats, near: Edges, objects: int) -> Bools:
    """Greedy matches, as lvis-api finds them.

    From the highest score on, a detection takes the free object of the highest IoU, of equal ones
    the last, at each threshold by itself. Detections of different pairs do not meet, so the best
    ones of all pairs are matched at once, then all second ones, and so on.

    Args:
        pair: int64 [D], of each detection.
        score: float64 [D], or anything that ascends with it; of equal ones the first comes first.
        near: of these detections.
        objects: how many there are.

    Returns:
        bool [D, 10], by threshold.
    """
    result = np.zeros((len(pair), THRESHOLDS), np.bool_)
    turn = _turns(pair, score, near.found)
    order = np.lexsort((-near.truth, -near.iou, near.found, turn))
    found, there = near.found[order], near.truth[order]
    good = near.reached[order][:, None] > np.arange(THRESHOLDS)
    taken = np.zeros((objects, THRESHOLDS), np.bool_)
    bounds = starts_of(np.bincount(turn)) if len(turn) else np.zeros(1, np.int64)
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        mine, objects_here = found[start:end], there[start:end]
        free = good[start:end] & ~taken[objects_here]
        heads = np.flatnonzero(np.concatenate([[True], mine[1:] != mine[:-1]]))
        place = np.where(free, np.arange(end - start)[:, None], end - start)
        first = np.minimum.reduceat(place, heads, axis=0)
        hit = first < end - start
        result[mine[heads]] = hit
        taken[objects_here[first[hit]], np.nonzero(hit)[1]] = True
    return result


def _turns(pair: Ints, score: Floats, found: Ints) -> Ints:
    """int64 [E]: whose turn a detection's edges have, among the detections of its pair with any."""
    rows = np.unique(found)
    order = np.lexsort((rows, -score[rows], pair[rows]))
    ordered = pair[rows[order]]
    heads = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    lengths = np.diff(np.append(heads, len(ordered)))
    turn = np.empty(len(rows), np.int64)
    turn[order] = np.arange(len(rows)) - np.repeat(heads, lengths)
    return turn[np.searchsorted(rows, found)]
