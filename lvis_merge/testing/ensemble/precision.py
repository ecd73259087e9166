"""AP of every category for any part of the same ranked detections.

The cap takes from a category's ranking some of its lowest detections on each image: ranking and
matches stay, and only the counting is done again. Interpolated precision is reached at right
detections alone, so that all but one cumulative sum run over these few. The figures are lvis-api's
(`eval.py`, `accumulate`): 101 recalls, precision made monotone from the right.
"""

from __future__ import annotations

import numpy as np

from lvis_merge.evaluation.bootstrap import right_ones_needed
from lvis_merge.evaluation.matches import THRESHOLDS
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.evaluation.scores import UNDEFINED
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import Positions, stable_order, starts_of

_RECALLS = 101


class Ranking:
    """The judged detections of a set of images, ranked within their categories.

    Args:
        image: int32 [D], positions. Those of an image come in the order in which equal scores rank.
        category: int32 [D], positions.
        score: float64 [D], or anything that ascends with it.
        matched: bool [D, 10], by threshold.
        partly: bool [D], of pairs that are not exhaustively annotated: not wrong if unmatched.
        objects: int64 [C], how many there are to find.
    """

    def __init__(
        self,
        image: Positions,
        category: Positions,
        score: Floats,
        matched: Bools,
        partly: Bools,
        objects: Ints,
    ) -> None:
        order = np.argsort(image, kind="stable")
        order = order[np.argsort(-score[order], kind="stable")]
        self.order = order[stable_order(category[order], len(objects))]
        ranked = category[self.order]
        self._starts = starts_of(np.bincount(ranked, minlength=len(objects)))
        self._always = ~partly[self.order]
        threshold, self._right = np.nonzero(matched[self.order].T)
        self._run = threshold * len(objects) + ranked[self._right]
        self._objects = objects
        self._shares, self._share_starts = _recall_shares(objects)

    def ap(self, kept: Bools) -> Floats:
        """AP over IoU .50 to .95.

        Args:
            kept: bool [D], in the order of the arguments: which detections count.

        Returns:
            float64 [C], in [0, 1]; -1.0 where there is nothing to find.
        """
        here = kept[self.order]
        counted = _sums(here & self._always)
        right = self._right[here[self._right]]
        run = self._run[here[self._right]]
        category = run % len(self._objects)
        rank = _within(run, np.ones(len(run), np.bool_))
        # of pairs that are not exhaustively annotated only the right ones count
        positions = counted[right + 1] - counted[self._starts[category]]
        positions += _within(run, ~self._always[right])
        precision = _monotone(rank / (positions + np.spacing(1)), run)
        share = self._shares[self._share_starts[category] + rank - 1]
        runs = THRESHOLDS * len(self._objects)
        sums = np.bincount(run, precision * share, minlength=runs).reshape(THRESHOLDS, -1)
        ap: Floats = sums.mean(axis=0) / _RECALLS
        return np.where(self._objects > 0, ap, UNDEFINED)


def _recall_shares(objects: Ints) -> tuple[Ints, Ints]:
    """For n objects, how many recalls the k-th right detection is the first to reach, k = 1 … n.

    Returns:
        int64, the counts of one category after the other; int64 [C], where each starts.
    """
    starts = starts_of(objects)
    shares = np.zeros(int(starts[-1]), np.int64)
    for number in np.unique(objects[objects > 0]).tolist():
        needed = np.maximum(right_ones_needed(np.array([number]))[0], 1)
        share = np.bincount(needed - 1, minlength=number)
        here = starts[:-1][objects == number]
        shares[here[:, None] + np.arange(number)] = share
    return shares, starts[:-1]


def _sums(values: Bools) -> Ints:
    """int64 [N + 1]: how many are True before each position."""
    return starts_of(values.astype(np.int64))


def _within(run: Ints, values: Bools) -> Ints:
    """int64 [N]: of equal neighbours in `run`, how many values up to and with each are True."""
    sums = _sums(values)
    heads = np.flatnonzero(np.concatenate([[True], run[1:] != run[:-1]])[: len(run)])
    lengths = np.diff(np.append(heads, len(run)))
    return sums[1:] - np.repeat(sums[heads], lengths)


def _monotone(precision: Floats, run: Ints) -> Floats:
    """float64 [N]: the highest value from each position to the end of its run.

    Runs are kept apart by steps of 2 (no precision is above 1), for one running maximum.
    """
    if not len(run):
        return precision
    lifted = (precision + 2.0 * (run[-1] - run))[::-1]
    highest: Floats = np.maximum.accumulate(lifted)[::-1] - 2.0 * (run[-1] - run)
    return highest
