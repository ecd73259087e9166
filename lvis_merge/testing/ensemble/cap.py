"""The cap of 300 detections an image, over all categories, under shifts by frequency group.

A shift moves a whole group up or down, so that of a group the same detections come first whatever
it is: at most the first 300 of each group of an image can ever be among its 300.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lvis_merge.evaluation.detections import MAX_DETECTIONS
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.testing.fusion.fused import Codes
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import Positions

Group = Literal["r", "c", "f"]
GROUPS: tuple[Group, ...] = ("r", "c", "f")
"""Frequency groups by their code; a category without a group counts as frequent: unshifted."""


@dataclass(frozen=True)
class Crowd:
    """The J images of some that have more detections than the cap lets through.

    Attributes:
        logit: float64 [J, W], an image's detections in their order; -inf where it has fewer.
        group: int8 [J, W], codes.
        place: int64 [M], where each detection stands in the flat tables; J * W for one of another
            image, which passes whatever the shifts are, J * W + 1 for one that never does.
    """

    logit: Floats
    group: Codes
    place: Ints

    def through(self, shifts: Floats) -> Bools:
        """Which detections the cap lets through: the highest, on ties the first.

        Args:
            shifts: float64 [3], added to the logits of each group.

        Returns:
            bool [M].
        """
        shifted = self.logit
        if shifts.any():
            shifted = shifted + np.take(shifts, self.group, mode="clip")
        through: Bools = np.append(_best(shifted), [True, False])[self.place]
        return through

    def narrowed(self) -> Crowd:
        """Without those that no shifts let through."""
        if not self.logit.size:
            return self
        stays = np.zeros(self.logit.shape, np.bool_)
        for code in range(len(GROUPS)):
            stays |= _best(np.where(self.group == code, self.logit, -np.inf))
        stays &= self.logit > -np.inf
        logit, group, place = _packed(stays, self.logit[stays], self.group[stays])
        # the two places at the end keep their meaning
        moved = np.full(self.logit.size + 2, logit.size + 1)
        moved[:-2][stays.ravel()] = place
        moved[-2] = logit.size
        return Crowd(logit, group, moved[self.place])

    def at(self, rows: Ints) -> Crowd:
        """The same images, asked about some of the detections only."""
        return replace(self, place=self.place[rows])


def crowd(
    image: Positions, logit: Floats, group: Codes, images: int, asked: Ints | None = None
) -> Crowd:
    """Sets up the cap.

    Args:
        image: int32 [M'], ascending.
        logit: float64 [M'].
        group: int8 [M'], codes.
        images: how many there are.
        asked: int64 [M], rows of the detections that are asked about; None for all.
    """
    counts = np.bincount(image, minlength=images)
    crowded = counts > MAX_DETECTIONS
    width = int(counts.max(initial=0)) if crowded.any() else 0
    table = np.full((int(crowded.sum()), width), -np.inf)
    codes = np.full(table.shape, len(GROUPS) - 1, np.int8)
    # an image's detections lie together here and there: its first ones' places tell the others'
    ahead = (np.cumsum(crowded) - 1) * width - (np.cumsum(counts) - counts)
    place = np.arange(len(image)) + np.repeat(ahead, counts)
    to = place
    if not crowded.all():
        inside = crowded[image]
        np.copyto(place, table.size, where=~inside)
        to, logit, group = place[inside], logit[inside], group[inside]
    # `reshape` gives views; `flat` would be an iterator, twice as slow
    table.reshape(-1)[to], codes.reshape(-1)[to] = logit, group
    return Crowd(table, codes, place if asked is None else place[asked])


def _packed(stays: Bools, logit: Floats, group: Codes) -> tuple[Floats, Codes, Ints]:
    """Tables with each row's values moved to its left end, and the flat place of each value."""
    counts = stays.sum(axis=1)
    width = int(counts.max(initial=0))
    filled = np.arange(width) < counts[:, None]
    table = np.full(filled.shape, -np.inf)
    codes = np.full(filled.shape, len(GROUPS) - 1, np.int8)
    table[filled], codes[filled] = logit, group
    return table, codes, np.flatnonzero(filled)


def _best(values: Floats, most: int = MAX_DETECTIONS) -> Bools:
    """bool [J, W]: the highest of each row, on ties the first."""
    width = values.shape[1]
    if width <= most:
        return np.ones(values.shape, np.bool_)
    last = np.partition(values, width - most, axis=1)[:, width - most, None]
    above = values > last
    level = values == last
    room = most - above.sum(axis=1)
    tied = level.sum(axis=1) > room
    level[tied] &= np.cumsum(level[tied], axis=1) <= room[tied, None]
    best: Bools = above | level
    return best
