"""Matches of detections with ground truth, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.evaluation.scores import Floats

THRESHOLDS = 10
"""IoU .50, .55, … .95."""


@dataclass(frozen=True)
class Matches:
    """D scored detections, and how much there was to find for P pairs of category and image.

    Attributes:
        category_id: int64 [D].
        image_id: int64 [D].
        score: float64 [D].
        matched: bool [D, 10], by IoU threshold.
        ignored: bool [D, 10]: neither right nor wrong.
        truth_category_id: int64 [P].
        truth_image_id: int64 [P].
        truth_count: int64 [P], objects that are not ignored.
    """

    category_id: Ints
    image_id: Ints
    score: Floats
    matched: Bools
    ignored: Bools
    truth_category_id: Ints
    truth_image_id: Ints
    truth_count: Ints


class MatchRows:
    """Collects matches by category and image."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, int, int, int]] = []
        self._scores: list[Sequence[float]] = []
        self._matched: list[Bools] = []
        self._ignored: list[Bools] = []

    def add(
        self,
        category_id: int,
        image_id: int,
        scores: Sequence[float],
        matched: Sequence[Sequence[bool]],
        ignored: Sequence[Sequence[bool]],
        objects: int,
    ) -> None:
        """Adds one pair.

        Args:
            category_id: of the pair.
            image_id: of the pair.
            scores: [n], from the highest.
            matched: [10, n].
            ignored: [10, n].
            objects: how many there were to find.
        """
        self._pairs.append((category_id, image_id, len(scores), objects))
        self._scores.append(scores)
        self._matched.append(np.array(matched, np.bool_).reshape(THRESHOLDS, -1))
        self._ignored.append(np.array(ignored, np.bool_).reshape(THRESHOLDS, -1))

    def finish(self) -> Matches:
        """All of them."""
        pairs = np.array(self._pairs, np.int64).reshape(-1, 4)
        category_id, image_id, number, objects = pairs.T
        nothing = np.zeros((THRESHOLDS, 0), np.bool_)
        return Matches(
            category_id=np.repeat(category_id, number),
            image_id=np.repeat(image_id, number),
            score=np.array([score for scores in self._scores for score in scores], np.float64),
            matched=np.concatenate([nothing, *self._matched], axis=1).T,
            ignored=np.concatenate([nothing, *self._ignored], axis=1).T,
            truth_category_id=category_id[objects > 0],
            truth_image_id=image_id[objects > 0],
            truth_count=objects[objects > 0],
        )
