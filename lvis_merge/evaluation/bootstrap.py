"""Confidence intervals of the figures: the images drawn again, with replacement, many times.

Detections are matched within an image, so a drawn set needs no new matching: an image drawn k times
counts its detections and objects k times. A draw costs a cumulative sum over the scored detections.

Of the draws only the spread is used. Their level is too high: most of the images that hold a rare
category's few objects are drawn more than once or not at all, and either makes its AP easier.
Percentiles of the draws would often leave out the figure itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lvis_merge.evaluation.matches import THRESHOLDS, Matches
from lvis_merge.evaluation.pairs import Ints, PairIndex
from lvis_merge.evaluation.scores import (
    IOU_50,
    IOU_75,
    UNDEFINED,
    Floats,
    Interval,
    mean_defined,
)

LEVEL = 0.95
_DEVIATIONS = 1.96
"""Of a normal distribution, on either side of what holds 95%."""

_COLUMN = {"AP50": 1, "AP75": 2}
_RECALLS = np.linspace(0.0, 1.0, 101)
_CELLS_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class _Category:
    """The matches of one category, from the highest score.

    Attributes:
        image: int64 [D], positions.
        right: bool [10, D].
        wrong: bool [10, D].
        truth_image: int64 [P], positions.
        truth_count: int64 [P].
    """

    image: Ints
    right: npt.NDArray[np.bool_]
    wrong: npt.NDArray[np.bool_]
    truth_image: Ints
    truth_count: Ints


def intervals(
    figures: Mapping[str, float],
    matches: Matches,
    index: PairIndex,
    frequencies: npt.NDArray[np.str_],
    draws: int,
    seed: int,
) -> dict[str, Interval]:
    """Intervals of 95%: 1.96 standard deviations of the draws around the figures.

    Args:
        figures: the paper's figures, by name.
        matches: of all images.
        index: images and categories.
        frequencies: str [C], r, c, f or empty.
        draws: how many image sets are drawn.
        seed: of the drawing.

    Returns:
        By name, for the paper's figures, within [0, 1]. A draw without ground truth for a figure
        has no say in its interval.
    """
    weights = _weights(len(index.image_ids), draws, seed)
    drawn = weighted_figures(matches, index, frequencies, weights)
    return {name: _interval(figures[name], values) for name, values in drawn.items()}


def weighted_figures(
    matches: Matches, index: PairIndex, frequencies: npt.NDArray[np.str_], weights: Ints
) -> dict[str, Floats]:
    """The paper's figures of drawn image sets.

    Args:
        matches: of all images.
        index: images and categories.
        frequencies: str [C], r, c, f or empty.
        weights: int64 [B, I], how often an image was drawn.

    Returns:
        By name, float64 [B]; -1.0 where a draw has no ground truth for it.
    """
    tables = np.full((len(index.category_ids), len(weights), 3), UNDEFINED)
    for place, category in _categories(matches, index):
        tables[place] = _by_weights(category, weights)
    columns = dict.fromkeys(("AP", "AP50", "AP75"), np.ones(len(frequencies), np.bool_))
    columns |= {f"AP_{group}": frequencies == group for group in "rcf"}
    return {
        name: np.array(
            [mean_defined(values) for values in tables[members, :, _COLUMN.get(name, 0)].T]
        )
        for name, members in columns.items()
    }


def _by_weights(category: _Category, weights: Ints) -> Floats:
    """AP, AP50 and AP75 of a category under image weights.

    Args:
        category: its matches.
        weights: int64 [B, I], how often an image was drawn.

    Returns:
        float64 [B, 3]; -1.0 where no drawn image has an object of it.
    """
    draws = len(weights)
    step = max(1, _CELLS_AT_ONCE // (THRESHOLDS * max(1, len(category.image))))
    return np.concatenate(
        [_weighted_ap(category, weights[at : at + step]) for at in range(0, draws, step)]
    )


def _weighted_ap(category: _Category, weights: Ints) -> Floats:
    objects = weights[:, category.truth_image] @ category.truth_count  # [B]
    draws = len(objects)
    found = np.full((draws, 3), UNDEFINED)
    if not len(category.image):
        found[objects > 0] = 0.0
        return found
    weight = weights[:, category.image][:, None, :]  # [B, 1, D]
    right = np.cumsum(weight * category.right, axis=2)  # [B, 10, D]
    wrong = np.cumsum(weight * category.wrong, axis=2)
    precision = right / (right + wrong + np.spacing(1))
    best = np.maximum.accumulate(precision[..., ::-1], axis=2)[..., ::-1]
    at_recall = _at_recalls(right, best, objects)  # [B, 10, 101]
    by_threshold = at_recall.mean(axis=2)
    found[:, 0] = by_threshold.mean(axis=1)
    found[:, 1], found[:, 2] = by_threshold[:, IOU_50], by_threshold[:, IOU_75]
    found[objects == 0] = UNDEFINED
    return found


def _at_recalls(right: Ints, best: Floats, objects: Ints) -> Floats:
    """float64 [B, 10, 101]: the precision where a recall is first reached, 0 where it never is."""
    draws, thresholds, number = right.shape
    needed = right_ones_needed(np.maximum(objects, 1))
    # all rows in one ascending array, so that one search does for all
    room = int(max(right.max(), needed.max())) + 1
    row = np.arange(draws * thresholds)
    ascending = (right.reshape(-1, number) + row[:, None] * room).ravel()
    wanted = np.repeat(needed, thresholds, axis=0) + row[:, None] * room
    place = np.searchsorted(ascending, wanted) - row[:, None] * number  # [B * 10, 101]
    padded = np.concatenate([best.reshape(-1, number), np.zeros((len(row), 1))], axis=1)
    values: Floats = np.take_along_axis(padded, np.minimum(place, number), axis=1)
    return values.reshape(draws, thresholds, -1)


def right_ones_needed(objects: Ints) -> Ints:
    """The fewest right detections that reach each recall of 0, .01, … 1, as float64 divides.

    Args:
        objects: int64 [B], at least 1.

    Returns:
        int64 [B, 101].
    """
    total = objects[:, None]
    needed: np.ndarray = np.ceil(_RECALLS * total).astype(np.int64)
    needed -= (needed - 1) / total >= _RECALLS  # the product may have been rounded up,
    needed += needed / total < _RECALLS  # or down
    return needed


def _weights(images: int, draws: int, seed: int) -> Ints:
    """int64 [B, I]: how often each image is drawn; every row sums to I."""
    generator = np.random.Generator(np.random.PCG64(seed))
    weights = np.zeros((draws, images), np.int64)
    for row in weights:
        row += np.bincount(generator.integers(0, images, images), minlength=images)
    return weights


def _categories(matches: Matches, index: PairIndex) -> Iterator[tuple[int, _Category]]:
    """(position, matches) of each category that has ground truth."""
    image = np.searchsorted(index.image_ids, matches.image_id)
    # on equal scores by image, within an image in the order of the matching
    order = np.lexsort((image, -matches.score, matches.category_id))
    category_ids = matches.category_id[order]
    truth_order = np.argsort(matches.truth_category_id, kind="stable")
    truth_ids = matches.truth_category_id[truth_order]
    truth_image = np.searchsorted(index.image_ids, matches.truth_image_id)
    for category_id in np.unique(truth_ids).tolist():
        rows = order[slice(*np.searchsorted(category_ids, [category_id, category_id + 1]))]
        pairs = truth_order[slice(*np.searchsorted(truth_ids, [category_id, category_id + 1]))]
        counted = ~matches.ignored[rows].T
        matched = matches.matched[rows].T
        yield (
            int(np.searchsorted(index.category_ids, category_id)),
            _Category(
                image=image[rows],
                right=matched & counted,
                wrong=~matched & counted,
                truth_image=truth_image[pairs],
                truth_count=matches.truth_count[pairs],
            ),
        )


def _interval(figure: float, drawn: Floats) -> Interval:
    defined = drawn[drawn > UNDEFINED]
    if figure == UNDEFINED or len(defined) < 2:
        return Interval(UNDEFINED, UNDEFINED)
    margin = _DEVIATIONS * float(defined.std(ddof=1))
    return Interval(max(0.0, figure - margin), min(1.0, figure + margin))
