"""What fusion leaves: detections that refer to those they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lvis_merge.evaluation.pairs import Ints
from lvis_merge.testing.logits import Floats, logit, sigmoid
from lvis_merge.testing.stack import Boxes, Positions, Stack


@dataclass(frozen=True)
class Fused:
    """M detections, by image, in the order of the stack they came from.

    Attributes:
        image: int32 [M], which of the stack's images.
        category: int32 [M], positions.
        score: float64 [M].
        logit: float64 [M], of the score.
        origin: int64 [M], rows of `boxes`.
        boxes: x, y, w, h in pixels, of the stack's detections or of what they were fused to.
    """

    image: Positions
    category: Positions
    score: Floats
    logit: Floats
    origin: Ints
    boxes: Boxes


class Fusion(Protocol):
    """One stack, ready to be fused with any offsets."""

    stack: Stack

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

    def with_offsets(self, offsets: Floats) -> tuple[Floats, Floats]:
        """Scores and logits, float64 [N] each; where an offset is 0, the scores as they were."""
        if not offsets.any():
            return self._stack.score, self._logit
        value = self._logit + offsets[self._stack.model]
        moved = (offsets != 0)[self._stack.model]
        score = self._stack.score.copy()
        score[moved] = sigmoid(value[moved])
        return score, value
