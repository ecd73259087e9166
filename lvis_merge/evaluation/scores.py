"""Figures of an evaluation, between computing and printing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["bbox", "segm"]
UNDEFINED = -1.0
"""A figure with nothing to average: no category of the group has ground truth."""

IOU_50, IOU_75 = 0, 5
"""Positions among the thresholds .50, .55, … .95."""

ALL_AREAS, SMALL, MEDIUM, LARGE = range(4)

PAPER_FIGURES = ("AP", "AP50", "AP75", "AP_r", "AP_c", "AP_f")
FIGURES = (*PAPER_FIGURES, "AP_s", "AP_m", "AP_l")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A confidence interval; both ends -1.0 where it is undefined."""

    low: float
    high: float


@dataclass(frozen=True)
class CategoryScore:
    """One category.

    Attributes:
        category_id: its id.
        name: its name.
        frequency: r, c, f, or None in label spaces without groups.
        training_images: how many; None where the ground truth does not say.
        objects: in the ground truth.
        ap: over IoU .50 to .95, in [0, 1], or -1.0 without ground truth.
        ap50: at IoU .50, likewise.
        ap75: at IoU .75, likewise.
    """

    category_id: int
    name: str
    frequency: str | None
    training_images: int | None
    objects: int
    ap: float
    ap50: float
    ap75: float


@dataclass(frozen=True)
class Scores:
    """Boxes or masks, scored.

    Attributes:
        kind: bbox or segm.
        figures: by name (`FIGURES`), in [0, 1], or -1.0 where it is undefined.
        intervals: by name, of the paper's figures; empty if none were asked for.
        categories: all of them, by id.
        boxes_only: objects left out because they have no mask.
    """

    kind: Kind
    figures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    categories: tuple[CategoryScore, ...]
    boxes_only: int = 0


@dataclass(frozen=True)
class Evaluation:
    """All there is to tell.

    Attributes:
        results: name of the results.
        ground_truth: name of what they were compared with.
        backend: hotcoco or lvis.
        backend_version: its version.
        images: of the ground truth.
        objects: of the ground truth.
        left_out: bad rows of the ground truth, and what is wrong with the first.
        entries: of the results.
        dropped: bad entries by fault.
        over_cap: good entries beyond 300 an image.
        scores: bbox, segm or both, as far as the results have them.
    """

    results: str
    ground_truth: str
    backend: str
    backend_version: str
    images: int
    objects: int
    left_out: tuple[int, str]
    entries: int
    dropped: Mapping[str, int]
    over_cap: int
    scores: tuple[Scores, ...]


def mean_defined(values: Floats) -> float:
    """The mean of what is not -1.0, or -1.0."""
    defined = values[values > UNDEFINED]
    return float(defined.mean()) if len(defined) else UNDEFINED


def figures_of(precision: Floats, frequencies: npt.NDArray[np.str_]) -> dict[str, float]:
    """LVIS's figures.

    Args:
        precision: float64 [10, 101, C, 4], at IoU thresholds, recalls, for categories and areas
            (all, small, medium, large); -1 where a category has no ground truth.
        frequencies: str [C], r, c, f or empty.

    Returns:
        By the names of `FIGURES`.
    """
    every = precision[..., ALL_AREAS]
    return {
        "AP": mean_defined(every),
        "AP50": mean_defined(every[IOU_50]),
        "AP75": mean_defined(every[IOU_75]),
        **{f"AP_{group}": mean_defined(every[:, :, frequencies == group]) for group in "rcf"},
        "AP_s": mean_defined(precision[..., SMALL]),
        "AP_m": mean_defined(precision[..., MEDIUM]),
        "AP_l": mean_defined(precision[..., LARGE]),
    }


def category_ap(precision: Floats) -> Floats:
    """AP, AP50 and AP75 of each category.

    Args:
        precision: as above.

    Returns:
        float64 [C, 3]; -1.0 where a category has no ground truth.
    """
    every = precision[..., ALL_AREAS].mean(axis=1)  # a category is defined everywhere or nowhere
    return np.stack([every.mean(axis=0), every[IOU_50], every[IOU_75]], axis=1)
