"""What fusion leaves: detections that refer to those they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from lvis_merge.evaluation.pairs import Bools, Ints, is_in
from lvis_merge.testing.logits import Floats, logit, sigmoid
from lvis_merge.testing.stack import Boxes, Positions, Stack

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Fused:
    """M detections, by image, in the order of the stack they came from.

    Attributes:
        image: int32 [M], which of the stack's images.
        category: int32 [M], positions.
        score: float64 [M].
        logit: float64 [M], of the score.
        origin: int64 [M], rows of the stack, ascending.
        stack_bbox: [N, 4], x, y, w, h in pixels, the stack's boxes.
        moved: int64 [H], rows of the stack, ascending, whose boxes were fused with others.
        moved_bbox: float64 [H, 4], those boxes.
    """

    image: Positions
    category: Positions
    score: Floats
    logit: Floats
    origin: Ints
    stack_bbox: Boxes
    moved: Ints
    moved_bbox: Floats

    def boxes(self, rows: Ints) -> Floats:
        """float64 [R, 4]: x, y, w, h in pixels of some of the detections."""
        origin = self.origin[rows]
        boxes = self.stack_bbox[origin].astype(np.float64)
        hit = is_in(self.moved, origin)
        boxes[hit] = self.moved_bbox[np.searchsorted(self.moved, origin[hit])]
        return boxes


class Fusion(Protocol):
    """One stack, ready to be fused with any offsets."""

    stack: Stack

    @classmethod
    def for_cap(cls, stack: Stack, knowing: Bools, groups: Codes) -> Self:
        """A fusion of a stack without some of what the cap never lets through.

        Args:
            stack: what the models found.
            knowing: bool [K, C], which models know which categories.
            groups: int8 [C], codes of the frequency groups that shifts move.
        """
        ...

    def fuse(self, offsets: Floats) -> Fused:
        """Fuses the stack.

        Args:
            offsets: float64 [K], added to the logits of each model's scores.
        """
        ...


class Rescored:
    """The scores of a stack under offsets of its models."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._logit = logit(stack.score)

    def logits(self, offsets: Floats) -> Floats:
        """float64 [N]."""
        return self._logit + offsets[self._stack.model] if offsets.any() else self._logit

    def scores(self, rows: Ints | slice, logits: Floats, offsets: Floats) -> Floats:
        """Scores of some rows; where an offset is 0, as they were.

        Args:
            rows: int64 [M], or a slice of M.
            logits: float64 [M], of these rows under the offsets.
            offsets: float64 [K].

        Returns:
            float64 [M].
        """
        score: Floats = self._stack.score[rows].copy()
        if offsets.any():
            moved = (offsets != 0)[self._stack.model[rows]]
            score[moved] = sigmoid(logits[moved])
        return score
