"""Which boxes can come into one cluster of weighted boxes fusion, whatever their scores are.

A fit fuses the same boxes dozens of times under other scores. Boxes that can never meet are parted
once, which leaves bunches of a few boxes instead of all boxes of an image and category.
"""

from __future__ import annotations

import numpy as np

from lvis_merge.evaluation.pairs import Ints
from lvis_merge.testing.fusion.overlaps import overlapping_pairs
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import Boxes, Positions, ranges, starts_of

_LESS = 1e-6
"""Off every limit, for the roundings of the sums."""

_PAIRS_AT_ONCE = 1 << 20


def bunches(image: Positions, category: Positions, bbox: Boxes, above: float) -> Ints:
    """Parts boxes so that no cluster ever has members of two bunches.

    Two boxes alone come together if their IoU is high enough. A cluster's box is a mean of its
    members' boxes: it lies within the hull of their bunch and holds what all of them share. So
    with the largest and the smallest box that a bunch's clusters may have, the highest IoU with any
    other box of the image and category is bounded; where the bound is too high, the bunches become
    one, and the larger one is tried again.

    Args:
        image: int32 [N], ascending.
        category: int32 [N], ascending within an image.
        bbox: [N, 4], x, y, w, h.
        above: the IoU with a cluster that a box joins it at.

    Returns:
        int64 [N]: the row of the first box of each one's bunch.
    """
    limit = above * (1 - _LESS)
    label = _connected(np.arange(len(image)), *overlapping_pairs(image, category, bbox, limit))
    pair = image * (np.int64(category.max(initial=0)) + 1) + category
    heads = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]])[: len(pair)])
    counts = np.diff(np.append(heads, len(pair)))
    starts, counts = np.repeat(heads, counts), np.repeat(counts, counts)
    corners = bbox.T.astype(np.float64)
    corners[2:] += corners[:2]
    fresh = _several(label)
    while len(fresh):
        one, other = _may_join(fresh, label, starts, counts, corners, limit)
        before, label = label, _connected(label, one, other)
        # only bunches that have grown can reach further
        fresh = np.unique(label[label != before])
    return label


def _may_join(
    fresh: Ints, label: Ints, starts: Ints, counts: Ints, corners: Floats, limit: float
) -> tuple[Ints, Ints]:
    """Pairs of a bunch, by its label, and a box of another that a cluster of it may take in.

    Args:
        fresh: int64 [B], labels of the bunches to try.
        label: int64 [N].
        starts: int64 [N], the first row of each row's image and category.
        counts: int64 [N], how many rows these have.
        corners: float64 [4, N], x1, y1, x2, y2.
        limit: the IoU to reach.
    """
    rows = np.flatnonzero(np.isin(label, fresh))
    rows = rows[np.argsort(label[rows], kind="stable")]
    heads = np.searchsorted(label[rows], fresh)
    lowest = np.minimum.reduceat(corners[:, rows], heads, axis=1)
    highest = np.maximum.reduceat(corners[:, rows], heads, axis=1)
    hull = np.concatenate([lowest[:2], highest[2:]])
    core = _area(np.concatenate([highest[:2], lowest[2:]]))
    size = _area(corners)
    found: list[tuple[Ints, Ints]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    before = starts_of(counts[fresh])
    cuts = np.searchsorted(before, np.arange(0, before[-1], _PAIRS_AT_ONCE))
    for start, end in zip(cuts, [*cuts[1:], len(fresh)], strict=True):
        bunch = np.repeat(np.arange(start, end), counts[fresh[start:end]])
        box = ranges(starts[fresh[start:end]], counts[fresh[start:end]])
        shared = _area(
            np.concatenate(
                [
                    np.maximum(hull[:2, bunch], corners[:2, box]),
                    np.minimum(hull[2:, bunch], corners[2:, box]),
                ]
            )
        )
        # the smallest box that has all that is shared, if a cluster can be that small
        union = np.maximum(core[bunch], shared) + size[box] - shared
        near = (shared > limit * union) & (label[box] != fresh[bunch])
        found.append((fresh[bunch[near]], box[near]))
    one, other = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return one, other


def _area(corners: Floats) -> Floats:
    """float64 [N]: of [4, N], x1, y1, x2, y2; 0 where a side is negative."""
    wide, high = (np.maximum(corners[2 + side] - corners[side], 0.0) for side in range(2))
    area: Floats = wide * high
    return area


def _several(label: Ints) -> Ints:
    """The labels of bunches with more than one box, ascending."""
    return np.flatnonzero(np.bincount(label) > 1)


def _connected(label: Ints, one: Ints | Positions, other: Ints | Positions) -> Ints:
    """int64 [N]: labels with bunches united that a pair connects; the lowest label stands.

    Args:
        label: int64 [N], the first row of each one's bunch.
        one: rows [P] that are to be together with …
        other: … these [P].
    """
    label = np.array(label)
    while True:
        apart = label[one] != label[other]
        one, other = one[apart], other[apart]
        if not len(one):
            return label
        low = np.minimum(label[one], label[other])
        high = np.maximum(label[one], label[other])
        np.minimum.at(label, high, low)
        while (label[label] != label).any():
            label = label[label]
