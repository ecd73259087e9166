"""Weighted boxes fusion (Solovyev et al. 2021) of what several models found.

Boxes of one image and category are taken from the highest score: each joins the cluster whose
box it overlaps most, by more than a threshold, or opens a new one; a cluster's box is the mean of
its members' weighted by their scores, and changes with each. A cluster's score is the sum of its
members' scores over the number of models that know the category, or of its members if those are
more: what only one of two models found gets half.

Why not the package ensemble-boxes, whose rule this is: it divides by all models, also by those that
could not find the category; it takes one image at a time, in Python loops over boxes (minutes per
thousand images of 3,000 detections); and it wants coordinates divided by the image's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.testing.fusion.bunches import bunches
from lvis_merge.testing.fusion.fused import Codes, Fused, Rescored
from lvis_merge.testing.fusion.outranked import outranked
from lvis_merge.testing.logits import Floats, below_one, logit
from lvis_merge.testing.stack import Stack, ranges, stable_order

IOU = 0.55
"""The package's default."""

_CELLS_AT_ONCE = 1 << 16


class WeightedFusion:
    """Averages overlapping boxes.

    What is fused in a category depends on the offsets of the models that know it alone: where none
    of these has changed, the last result stands.

    Args:
        stack: what the models found.
        knowing: bool [K, C], which models know which categories. Where only one does, its boxes
            pass.
    """

    def __init__(self, stack: Stack, knowing: Bools) -> None:
        self.stack = stack
        self._rescored = Rescored(stack)
        shared = (knowing.sum(axis=0) > 1)[stack.category]
        rows = np.flatnonzero(shared)
        rows = rows[stable_order(stack.category[rows], knowing.shape[1])]
        rows = rows[stable_order(stack.image[rows], len(stack.images))]
        bunch = bunches(stack.image[rows], stack.category[rows], stack.bbox[rows], IOU)
        members, known_by = np.unique(knowing.T, axis=0, return_inverse=True)
        known_by = known_by.reshape(-1)[stack.category[rows]]
        self._shared = [
            _Shared(stack, rows[known_by == number], bunch[known_by == number], np.flatnonzero(who))
            for number, who in enumerate(members)
            if who.sum() > 1
        ]

    @classmethod
    def for_cap(cls, stack: Stack, knowing: Bools, groups: Codes) -> Self:
        """See `Fusion`."""
        stays = (knowing.sum(axis=0) < 2)[stack.category]
        return cls(stack.at(np.flatnonzero(~(stays & outranked(stack, groups, stays)))), knowing)

    def fuse(self, offsets: Floats) -> Fused:
        """See `Fusion`."""
        stack = self.stack
        logits = self._rescored.logits(offsets)
        score = self._rescored.scores(slice(None), logits, offsets)
        parts = [shared.fuse(score, offsets) for shared in self._shared]
        value, stays = logits.copy(), np.ones(len(logits), np.bool_)
        for shared, found in zip(self._shared, parts, strict=True):
            stays[shared.bunched] = False
            stays[found.rows[shared.alone :]] = True
            score[found.rows], value[found.rows] = found.score, found.logit
        origin = np.flatnonzero(stays)
        none = np.zeros(0, np.int64)
        moved = np.concatenate([none, *(found.moved for found in parts)])
        boxes = np.concatenate([np.zeros((0, 4)), *(found.moved_bbox for found in parts)])
        order = np.argsort(moved)
        return Fused(
            image=stack.image[origin],
            category=stack.category[origin],
            score=score[origin],
            logit=value[origin],
            origin=origin,
            stack_bbox=stack.bbox,
            moved=moved[order],
            moved_bbox=boxes[order],
        )


@dataclass(frozen=True)
class _Found:
    """C clusters; H of them have more than one member.

    Attributes:
        rows: int64 [C], of their first members; first those of boxes that are alone.
        score: float64 [C].
        logit: float64 [C].
        moved: int64 [H], rows of those with more than one member.
        moved_bbox: float64 [H, 4], x, y, w, h.
    """

    rows: Ints
    score: Floats
    logit: Floats
    moved: Ints
    moved_bbox: Floats


class _Shared:
    """The detections of the categories that the same models know.

    Args:
        stack: what the models found.
        rows: int64 [N], rows of the stack, those of a category and image together.
        bunch: int64 [N], a number for each bunch.
        members: int64, the models.

    Attributes:
        bunched: int64, rows of the stack in bunches of several.
        alone: how many others there are.
    """

    def __init__(self, stack: Stack, rows: Ints, bunch: Ints, members: Ints) -> None:
        self._members = members
        self._stack = stack
        order = np.argsort(bunch, kind="stable")
        rows, bunch = rows[order], bunch[order]
        starts = np.flatnonzero(np.concatenate([[True], bunch[1:] != bunch[:-1]])[: len(bunch)])
        sizes = np.diff(np.append(starts, len(bunch)))
        self._alone = rows[starts[sizes == 1]]
        self.alone = len(self._alone)
        self.bunched = rows[np.repeat(sizes, sizes) > 1]
        self._blocks = _blocks(rows, starts[sizes > 1], sizes[sizes > 1])
        self._last: tuple[Floats, _Found] | None = None

    def fuse(self, score: Floats, offsets: Floats) -> _Found:
        """Clusters them.

        Args:
            score: float64 [N], of the stack's detections under the offsets.
            offsets: float64 [K].
        """
        own = offsets[self._members]
        if self._last is None or (self._last[0] != own).any():
            found = [self._fuse_block(block, score) for block in self._blocks]
            rows = np.concatenate([self._alone, *(part[0] for part in found)])
            total = np.concatenate([score[self._alone], *(part[1] for part in found)])
            count = np.concatenate([np.ones(self.alone, np.int64), *(p[2] for p in found)])
            boxes = np.concatenate([np.zeros((0, 4)), *(part[3] for part in found)])
            mean = total / np.maximum(count, len(self._members))
            several = count > 1
            self._last = (
                own,
                _Found(
                    rows,
                    mean,
                    logit(below_one(mean)),
                    rows[several],
                    boxes[several[len(self._alone) :]],
                ),
            )
        return self._last[1]

    def _fuse_block(self, block: Ints, score: Floats) -> tuple[Ints, Floats, Ints, Floats]:
        """Clusters bunches of like size.

        Args:
            block: int64 [G, S], rows of the stack, or -1.
            score: float64 [N].

        Returns:
            By cluster: int64, rows of the first members; float64, the sums of the members' scores;
            int64, how many members there are; float64 [..., 4], x, y, w, h.
        """
        scores = np.where(block >= 0, score[block], 0.0)
        order = np.argsort(-scores, axis=1, kind="stable")
        rows = np.take_along_axis(block, order, axis=1).T
        scores = np.take_along_axis(scores, order, axis=1).T
        box = np.where(rows >= 0, self._stack.bbox.T[:, rows], 0.0).astype(np.float64)
        box[2:] += box[:2]
        box, total, members = _clusters(box, scores)
        leads = (members > 0) & (rows >= 0)
        corners = box[:, leads]
        sides = np.stack([*corners[:2], *(corners[2:] - corners[:2])], axis=1)
        return rows[leads], total[leads], members[leads], sides


def _blocks(rows: Ints, starts: Ints, sizes: Ints) -> list[Ints]:
    """Groups of like sizes as tables, int64 [G, S], of their rows; -1 fills shorter groups.

    Args:
        rows: int64 [N], by group.
        starts: int64, where each group starts.
        sizes: int64, of the groups.
    """
    blocks: list[Ints] = []
    order = np.argsort(sizes, kind="stable")
    while len(order):
        # the largest of a block is at most a fourth larger than the smallest
        most = int(sizes[order[0]] * 1.25)
        number = int(np.searchsorted(sizes[order], most, side="right"))
        here = order[: min(number, max(1, _CELLS_AT_ONCE // most))]
        order = order[len(here) :]
        table = np.full((len(here), int(sizes[here].max())), -1)
        table[np.arange(table.shape[1]) < sizes[here][:, None]] = rows[
            ranges(starts[here], sizes[here])
        ]
        blocks.append(table)
    return blocks


def _clusters(box: Floats, score: Floats) -> tuple[Floats, Floats, Ints]:
    """Clusters the boxes of G groups in step, the k-th of every group at a time.

    A cluster stands where its first member stood. So all boxes are clusters to begin with, and only
    those that join an earlier one have to be moved.

    Args:
        box: float64 [4, S, G], x1, y1, x2, y2, from the highest score.
        score: float64 [S, G].

    Returns:
        float64 [4, S, G], the clusters' boxes; float64 [S, G], the sums of their members' scores;
        int64 [S, G], how many members they have, 0 where there is no cluster.
    """
    cluster, total = box.copy(), score.copy()
    weighted = box * score
    members = np.ones(score.shape, np.int64)
    group = np.arange(score.shape[1])
    for turn in range(1, len(score)):
        overlap = _overlap(cluster[:, :turn], box[:, turn])
        best = overlap.argmax(axis=0)
        joins = np.flatnonzero(overlap[best, group] > IOU)
        if len(joins):
            place = best[joins], joins
            for parts in (weighted, total, members):
                parts[..., *place] += parts[..., turn, joins]
            cluster[:, *place] = weighted[:, *place] / total[place]
            cluster[:, turn, joins] = 0
            members[turn, joins] = 0
    return cluster, total, members


def _overlap(one: Floats, other: Floats) -> Floats:
    """float64 [S, G]: IoU of [4, S, G] with [4, G], x1, y1, x2, y2; 0 for boxes of no area."""
    shared = np.minimum(one[2], other[2])
    shared -= np.maximum(one[0], other[0])
    high = np.minimum(one[3], other[3])
    high -= np.maximum(one[1], other[1])
    np.maximum(shared, 0, out=shared)
    shared *= np.maximum(high, 0, out=high)
    union = (one[2] - one[0]) * (one[3] - one[1])
    union += (other[2] - other[0]) * (other[3] - other[1])
    union -= shared
    found: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found
