"""Category counts and what is derived from them, on numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.frequencies import (
    Counts,
    count_objects,
    frequency_group,
    image_fraction,
    repeat_factor,
    tail_categories,
)


def counts(images: list[int], annotated: int) -> Counts:
    return Counts(np.array(images), np.array(images), annotated)


def test_objects_are_counted_by_category_and_by_image() -> None:
    """Rule: an image counts once per category, and once among the annotated images."""
    found = count_objects(
        np.array([9, 9, 9, 2**52, 4]), np.array([3, 3, 7, 3, 7]), np.array([1, 3, 7])
    )
    assert found.images.tolist() == [0, 2, 2]
    assert found.instances.tolist() == [0, 3, 2]
    assert found.annotated_images == 3


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, 5, 6])), max_size=30))
@settings(max_examples=100, deadline=None)
def test_counts_are_those_of_sets(rows: list[tuple[int, int]]) -> None:
    """Rule: as above, on generated rows, none included."""
    found = count_objects(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([1, 5, 6]),
    )
    assert found.images.tolist() == [len({i for i, c in rows if c == k}) for k in (1, 5, 6)]
    assert found.instances.tolist() == [sum(c == k for _, c in rows) for k in (1, 5, 6)]
    assert found.annotated_images == len({i for i, _ in rows})


def test_groups_change_at_10_and_100_images() -> None:
    """Rule: r <= 10 images, c <= 100, else f; 0 images are r."""
    groups = frequency_group(np.array([0, 1, 10, 11, 100, 101, 10**6]))
    assert groups.to_pylist() == ["r", "r", "r", "c", "c", "f", "f"]


def test_f_is_the_share_of_images_with_any_object() -> None:
    """Rule: f = image_count / images with at least one object, 0 if there is none."""
    assert image_fraction(counts([0, 1, 4], 4)).tolist() == [0.0, 0.25, 1.0]
    assert image_fraction(counts([0, 0], 0)).tolist() == [0.0, 0.0]


FACTORS = [
    # (f, t, r)
    (0.0, 0.001, 1.0),  # no object: not repeated
    (0.001, 0.001, 1.0),  # at the threshold
    (0.00025, 0.001, 2.0),  # sqrt(4)
    (0.5, 0.001, 1.0),  # never below 1
    (0.0001, 0.0004, 2.0),
    (1 / 57_000, 0.001, math.sqrt(57)),
]


@pytest.mark.parametrize(("fraction", "threshold", "factor"), FACTORS)
def test_repeat_factor(fraction: float, threshold: float, factor: float) -> None:
    """Rule: max(1, sqrt(t / f))."""
    found = repeat_factor(np.array([fraction]), threshold)
    assert found.tolist() == pytest.approx([factor], rel=1e-15)


TAILS = [
    # (version, annotated images, images of the class, tail)
    ("v0.5", 56_740, 100, True),  # λ·N = 100.43: all of r and c
    ("v0.5", 56_740, 101, False),
    ("v0.5", 56_740, 0, True),
    ("v1", 99_388, 109, True),  # λ·N = 109.33
    ("v1", 99_388, 110, False),
    ("v0.5", 100_000, 176, True),
    ("v0.5", 100_000, 177, False),  # equal is not less: strict
    ("v1", 10_000, 11, False),
    ("v0.5", 0, 0, False),  # no annotated image: nothing is below 0
]


@pytest.mark.parametrize(("version", "annotated", "images", "tail"), TAILS)
def test_tail_classes_have_fewer_images_than_lambda_times_n(
    version: str, annotated: int, images: int, tail: bool
) -> None:
    """Rule: n_j < λ·N_a, strictly; published frequencies play no part."""
    found = tail_categories(counts([images], annotated), version, pa.array(["f"]))
    assert found.tolist() == [tail]


def test_tail_classes_of_another_list_are_the_published_rare_and_common() -> None:
    """Rule: on a `custom` list is_tail = frequency in r, c."""
    found = tail_categories(counts([1, 1, 9**9], 9**9), "custom", pa.array(["r", "f", "c"]))
    assert found.tolist() == [True, False, True]
