"""The choice of Open Images images against its literal definition."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.selection import Candidates, balanced, best_first, sha256_order


@dataclass(frozen=True)
class Candidate:
    """One image: its categories with an object, and flagged rows of mapped categories."""

    name: str
    categories: frozenset[int]
    flagged: int

    def merit(self, seed: int) -> tuple[int, int, str]:
        """Smaller is better."""
        digest = hashlib.sha256(f"{seed}:{self.name}".encode()).hexdigest()
        return (self.flagged, -len(self.categories), digest)


def repeat_loop(candidates: list[Candidate], images: int, seed: int) -> set[str]:
    """The repeat loop of the contract, word by word."""
    chosen: list[Candidate] = []
    left = list(candidates)
    while left and len(chosen) < images:
        open_categories = {category for image in left for category in image.categories}
        counts = {c: sum(c in image.categories for image in chosen) for c in open_categories}
        category = min(open_categories, key=lambda c: (counts[c], c))
        best = min((i for i in left if category in i.categories), key=lambda i: i.merit(seed))
        chosen.append(best)
        left.remove(best)
    return {image.name for image in chosen}


def table_of(candidates: list[Candidate]) -> Candidates:
    """As the build makes it: counts by category and kind, some of them in two parts."""
    rows: list[tuple[int, int, bool, int]] = []
    for place, image in enumerate(candidates):
        rows += [(place, c, False, 1) for c in sorted(image.categories, reverse=True)]
        rows += [(place, min(image.categories), False, 2)]  # the same category in another range
        rows += [(place, 5, True, image.flagged - image.flagged // 2)] if image.flagged else []
        rows += [(place, 9, True, image.flagged // 2)] if image.flagged > 1 else []
    image, category, flagged, boxes = (
        [np.array(column) for column in zip(*rows, strict=True)]
        if rows
        else [np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool), np.zeros(0, int)]
    )
    ids = pa.array([candidate.name for candidate in candidates], pa.string())
    return Candidates.of(ids, image, category, flagged, boxes)


def select(candidates: Candidates, images: int, selection: str, seed: int) -> list[int]:
    """Places of the chosen among all candidates, ascending."""
    order = best_first(candidates, sha256_order(candidates.ids, seed), selection)
    if selection == "random":
        return sorted(order[:images].tolist())
    chosen = balanced(candidates, order, images)
    assert chosen is not None  # only a depth can be too small
    return sorted(chosen)


CANDIDATES = st.lists(
    st.tuples(st.frozensets(st.integers(0, 4), min_size=1, max_size=4), st.integers(0, 3)),
    max_size=14,
).map(lambda rows: [Candidate(f"{i:016x}", c, f) for i, (c, f) in enumerate(rows)])


@given(CANDIDATES, st.integers(0, 15), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_balanced_is_the_repeat_loop(candidates: list[Candidate], images: int, seed: int) -> None:
    """Rule: the category with the fewest chosen images that still has a candidate gets its best."""
    chosen = select(table_of(candidates), images, "balanced", seed)
    names = {candidates[place].name for place in chosen}
    assert names == repeat_loop(candidates, images, seed)
    assert len(names) == min(images, len(candidates))


@given(CANDIDATES, st.integers(0, 15), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_random_takes_the_smallest_sha256(
    candidates: list[Candidate], images: int, seed: int
) -> None:
    """Rule: `random` looks at the hash of seed and ImageID alone."""
    chosen = select(table_of(candidates), images, "random", seed)
    ranked = sorted(candidates, key=lambda image: image.merit(seed)[2])
    names = {candidates[place].name for place in chosen}
    assert names == {image.name for image in ranked[:images]}


@pytest.mark.parametrize("selection", ["balanced", "random"])
def test_all_are_taken_where_more_are_asked_for(selection: str) -> None:
    """Rule: more than there are: all."""
    candidates = [Candidate(f"{i}", frozenset({0}), 0) for i in range(3)]
    assert select(table_of(candidates), 4, selection, 0) == [0, 1, 2]
    assert select(table_of([]), 4, selection, 0) == []


@given(CANDIDATES, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_candidates_does_not_matter(
    candidates: list[Candidate], random: Random
) -> None:
    """Rule: nothing depends on the order of the input rows."""
    shuffled = random.sample(candidates, len(candidates))
    chosen = [
        {order[place].name for place in select(table_of(order), 5, "balanced", 1)}
        for order in (candidates, shuffled)
    ]
    assert chosen[0] == chosen[1]


def test_sha256_order_is_the_digest_in_big_endian_words() -> None:
    """Rule: sha256 of `"{seed}:{ImageID}"`, compared as its hex digest is."""
    ids = pa.array(["ab", "ff", "00"])
    words = sha256_order(ids, 7)
    digests = [hashlib.sha256(f"7:{i}".encode()).hexdigest() for i in ids.to_pylist()]
    assert ["".join(f"{int(word):016x}" for word in row) for row in words] == digests


def test_counts_become_categories_and_flagged_rows() -> None:
    """Rule: a category counts once per image; flagged boxes are summed and make no category."""
    candidates = Candidates.of(
        pa.array(["a", "b", "c"]),
        np.array([0, 0, 0, 2, 2]),
        np.array([3, 3, 1, 3, 0]),
        np.array([False, False, True, True, True]),
        np.array([1, 5, 2, 4, 3]),
    )
    assert candidates.flagged.tolist() == [2, 0, 7]
    assert candidates.offsets.tolist() == [0, 1, 1, 1]
    assert candidates.categories.tolist() == [3]
