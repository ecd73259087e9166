"""Class-wise non-maximum suppression of what several models found."""

from __future__ import annotations

from typing import Self

import numpy as np

from lvis_merge.evaluation.pairs import Bools
from lvis_merge.testing.fusion.fused import Codes, Fused, Rescored
from lvis_merge.testing.fusion.outranked import outranked
from lvis_merge.testing.fusion.overlaps import overlapping_pairs
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import Positions, Stack

IOU = 0.5
"""A box that overlaps a better one of its category by more than this goes."""


class NmsFusion:
    """Keeps the best of overlapping boxes; its score and its place stay as they are.

    Which boxes overlap does not depend on scores: the pairs are found once, and each `fuse` only
    settles them.

    Args:
        stack: what the models found.
        knowing: bool [K, C], which models know which categories. Where only one does, its boxes
            pass.
    """

    def __init__(self, stack: Stack, knowing: Bools) -> None:
        self.stack = stack
        self._rescored = Rescored(stack)
        shared = knowing.sum(axis=0) > 1
        rows = np.flatnonzero(shared[stack.category]).astype(np.int32)
        one, other = overlapping_pairs(
            stack.image[rows], stack.category[rows], stack.bbox[rows], IOU
        )
        self._one, self._other = rows[one], rows[other]

    @classmethod
    def for_cap(cls, stack: Stack, knowing: Bools, groups: Codes) -> Self:
        """See `Fusion`."""
        whole = cls(stack, knowing)
        stays = np.ones(len(stack.score), np.bool_)
        stays[whole._one] = stays[whole._other] = False
        # what such a one would suppress is worse still, and of its group
        kept = ~outranked(stack, groups, stays)
        place = (np.cumsum(kept) - 1).astype(np.int32)
        both = kept[whole._one] & kept[whole._other]
        fusion = cls.__new__(cls)
        fusion.stack = stack.at(np.flatnonzero(kept))
        fusion._rescored = Rescored(fusion.stack)
        fusion._one, fusion._other = place[whole._one[both]], place[whole._other[both]]
        return fusion

    def fuse(self, offsets: Floats) -> Fused:
        """See `Fusion`."""
        logit = self._rescored.logits(offsets)
        rows = np.flatnonzero(kept_by_nms(self._one, self._other, logit))
        logit = logit[rows]
        stack = self.stack
        return Fused(
            image=stack.image[rows],
            category=stack.category[rows],
            score=self._rescored.scores(rows, logit, offsets),
            logit=logit,
            origin=rows,
            stack_bbox=stack.bbox,
            moved=np.zeros(0, np.int64),
            moved_bbox=np.zeros((0, 4)),
        )


def kept_by_nms(one: Positions, other: Positions, score: Floats) -> Bools:
    """Greedy suppression, over all images and categories at once.

    Greedy suppression goes through boxes from the highest score and keeps one that overlaps none
    kept before. So a box is kept as soon as all better ones it overlaps are gone, and gone as soon
    as one of them is kept: rounds of both settle all boxes, in as many rounds as the longest chain
    of boxes that wait for each other, a handful.

    Args:
        one: int32 [P], positions of boxes that overlap…
        other: int32 [P], … those.
        score: float64 [N]; of equal ones the first is better.

    Returns:
        bool [N]: which boxes stay.
    """
    first = (score[one] > score[other]) | ((score[one] == score[other]) & (one < other))
    better, worse = np.where(first, one, other), np.where(first, other, one)
    stays = np.ones(len(score), np.bool_)
    while len(better):
        waits = np.zeros(len(score), np.bool_)
        waits[worse] = True
        settled = ~waits[better]  # nothing better is left to overlap these
        stays[worse[settled]] = False
        open_pairs = stays[better] & stays[worse] & ~settled
        better, worse = better[open_pairs], worse[open_pairs]
    return stays
