"""The cap of 300 under shifts, against sorting; `capped` is the rule of the evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from lvis_merge.evaluation.detections import Detections, capped
from lvis_merge.testing.ensemble.cap import Crowd, crowd

COUNTS = [0, 299, 300, 301, 640, 1000]
"""Detections by image: none, below the cap, at it, above."""


def scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, coarse logits (most are equal to others) and groups."""
    rng = np.random.default_rng(seed)
    image = np.repeat(np.arange(len(COUNTS)), COUNTS).astype(np.int32)
    logit = rng.integers(-8, 8, len(image)) / 2.0
    return image, logit, rng.choice(3, len(image), p=[0.1, 0.4, 0.5]).astype(np.int8)


def by_sorting(image: np.ndarray, value: np.ndarray) -> np.ndarray:
    kept = np.zeros(len(image), np.bool_)
    for number in range(len(COUNTS)):
        rows = np.flatnonzero(image == number).tolist()
        kept[sorted(rows, key=lambda row: -value[row])[:300]] = True
    return kept


SHIFTS = [(0.0, 0.0), (0.5, 0.0), (3.25, -1.0), (-20.0, 0.0), (20.0, 10.0)]


@pytest.mark.parametrize("shifts", SHIFTS)
@pytest.mark.parametrize("narrow", [False, True], ids=["all", "narrowed"])
def test_the_highest_shifted_come_through(shifts: tuple[float, float], narrow: bool) -> None:
    for seed in range(3):
        image, logit, group = scene(seed)
        cap = crowd(image, logit, group, len(COUNTS))
        if narrow:
            wide, cap = cap, cap.narrowed()
            assert cap.logit.size < wide.logit.size
        by = np.array([*shifts, 0.0])
        np.testing.assert_array_equal(cap.through(by), by_sorting(image, logit + by[group]))


def test_unshifted_it_is_the_cap_of_the_evaluation() -> None:
    image, logit, group = scene(7)
    ones = np.ones(len(image), np.int64)
    detections = Detections(np.arange(len(image)), image.astype(np.int64), ones, logit, None, None)
    through = crowd(image, logit, group, len(COUNTS)).through(np.zeros(3))
    assert np.flatnonzero(through).tolist() == capped(detections).entry.tolist()


@pytest.mark.parametrize("narrow", [False, True])
def test_asking_about_some_detections_only(narrow: bool) -> None:
    image, logit, group = scene(1)
    cap = crowd(image, logit, group, len(COUNTS))
    rows = np.arange(0, len(image), 7)
    some: Crowd = cap.at(rows).narrowed() if narrow else cap.at(rows)
    by = np.array([1.0, 2.0, 0.0])
    np.testing.assert_array_equal(some.through(by), cap.through(by)[rows])


def test_no_crowd_lets_all_through() -> None:
    image = np.zeros(300, np.int32)
    cap = crowd(image, np.zeros(300), np.zeros(300, np.int8), 2).narrowed()
    assert not cap.logit.size
    assert cap.through(np.array([-50.0, 0.0, 0.0])).all()
