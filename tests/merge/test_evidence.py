"""Evidence of Open Images images against plain set algebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.evidence import (
    BoxEvidence,
    Evidence,
    category_lists,
    open_images_evidence,
)

# classes of the map; two MIDs of one category, one class above others, one unmapped
CATEGORIES = {"animal": 1, "cat": 2, "kitten": 2, "dog": 3, "wheel": 4}
DESCENDANTS = {
    "entity": frozenset({"animal", "pet", "cat", "kitten", "dog"}),
    "animal": frozenset({"pet", "cat", "kitten", "dog"}),
    "pet": frozenset({"cat", "kitten", "dog"}),
    "cat": frozenset({"kitten"}),
}
MIDS = ("entity", "animal", "pet", "cat", "kitten", "dog", "wheel", "elsewhere")


@dataclass(frozen=True)
class Box:
    """A row of a mapped class."""

    category: int
    kind: str  # object, group_of or other


@dataclass(frozen=True)
class Image:
    """Labels and boxes of one image."""

    labels: list[tuple[str, bool]]
    boxes: list[Box]


def expected(image: Image) -> tuple[list[int], list[int], list[int], int]:
    """Section 4.4 as sets."""
    yes = {mid for mid, present in image.labels if present}
    no = {mid for mid, present in image.labels if not present}
    both = yes & no
    objects = {box.category for box in image.boxes if box.kind == "object"}
    groups = {box.category for box in image.boxes if box.kind == "group_of"}
    boxed = {box.category for box in image.boxes}
    verified = {CATEGORIES[mid] for mid in yes - both if mid in CATEGORIES}
    absent = {
        CATEGORIES[below]
        for mid in no - both
        for below in {mid} | DESCENDANTS.get(mid, frozenset())
        if below in CATEGORIES
    }
    pos = verified | objects | groups
    neg = absent - pos - boxed
    return sorted(pos), sorted(neg), sorted(groups | (pos - objects)), len(both)


def evidence_of(images: list[Image]) -> Evidence:
    labels = [(i, mid, present) for i, image in enumerate(images) for mid, present in image.labels]
    boxes = [(i, box) for i, image in enumerate(images) for box in image.boxes]
    return open_images_evidence(
        BoxEvidence(
            np.array([i for i, _ in boxes], dtype=np.int64),
            np.array([box.category for _, box in boxes], dtype=np.int64),
            np.array([box.kind == "object" for _, box in boxes], dtype=bool),
            np.array([box.kind == "group_of" for _, box in boxes], dtype=bool),
        ),
        pa.table(
            {
                "image": pa.array([row[0] for row in labels], pa.int64()),
                "mid": pa.array([row[1] for row in labels], pa.string()),
                "present": pa.array([row[2] for row in labels], pa.bool_()),
            }
        ),
        CATEGORIES,
        DESCENDANTS,
        len(images),
    )


BOXES = st.builds(
    Box, st.sampled_from([1, 2, 3, 4]), st.sampled_from(["object", "group_of", "other"])
)
IMAGES = st.builds(
    Image,
    st.lists(st.tuples(st.sampled_from(MIDS), st.booleans()), max_size=6),
    st.lists(BOXES, max_size=4),
)


@given(st.lists(IMAGES, max_size=5))
@settings(max_examples=300, deadline=None)
def test_evidence_is_the_set_algebra_of_the_contract(images: list[Image]) -> None:
    """Rule: pos, neg and not_exhaustive, image by image; contradictions counted."""
    found = evidence_of(images)
    expectations = [expected(image) for image in images]
    assert found.pos.to_pylist() == [lists[0] for lists in expectations]
    assert found.neg.to_pylist() == [lists[1] for lists in expectations]
    assert found.not_exhaustive.to_pylist() == [lists[2] for lists in expectations]
    assert found.contradictory == sum(lists[3] for lists in expectations)


CASES = [
    # (labels, boxes, pos, neg, not_exhaustive, contradictory)
    # verified present without a box: present, not exhaustively boxed
    ([("cat", True)], [], [2], [], [2], 0),
    # an object makes it present and, alone, exhaustive
    ([("cat", True)], [Box(2, "object")], [2], [], [], 0),
    # a group is present, and not every instance is an object
    ([], [Box(2, "object"), Box(2, "group_of")], [2], [], [2], 0),
    # a depiction says nothing of presence, but forbids absence
    ([("dog", False)], [Box(3, "other")], [], [], [], 0),
    # absence goes down the hierarchy, through unmapped classes too
    ([("animal", False)], [], [], [1, 2, 3], [], 0),
    ([("pet", False)], [], [], [2, 3], [], 0),
    # presence does not go up
    ([("kitten", True)], [], [2], [], [2], 0),
    # an object wins over an absent ancestor
    ([("animal", False)], [Box(2, "object")], [2], [1, 3], [], 0),
    # both present and absent: neither; the ancestor still speaks for it
    ([("cat", True), ("cat", False)], [], [], [], [], 1),
    ([("cat", True), ("cat", False), ("animal", False)], [], [], [1, 2, 3], [], 1),
    # another MID of the same category is not concerned
    ([("cat", True), ("cat", False), ("kitten", True)], [], [2], [], [2], 1),
    # a repeated label is one
    ([("dog", False), ("dog", False)], [], [], [3], [], 0),
    # an unmapped class without mapped descendants says nothing
    ([("elsewhere", False), ("elsewhere", True)], [], [], [], [], 1),
]


@pytest.mark.parametrize(("labels", "boxes", "pos", "neg", "not_exhaustive", "both"), CASES)
def test_cases_of_evidence(
    labels: list[tuple[str, bool]],
    boxes: list[Box],
    pos: list[int],
    neg: list[int],
    not_exhaustive: list[int],
    both: int,
) -> None:
    """Rule: one sentence of section 4.4 each."""
    found = evidence_of([Image([], []), Image(labels, boxes), Image([], [])])
    assert found.pos.to_pylist() == [[], pos, []]
    assert found.neg.to_pylist() == [[], neg, []]
    assert found.not_exhaustive.to_pylist() == [[], not_exhaustive, []]
    assert found.contradictory == both


def test_category_lists_are_sorted_and_unique() -> None:
    """Rule: sorted unique categories; images without any have an empty list."""
    lists = category_lists(np.array([2, 0, 2, 2]), np.array([9, 5, 1, 9]), 4)
    assert lists.to_pylist() == [[5], [], [1, 9], []]
    assert lists.type == pa.list_(pa.int32())
    assert category_lists(np.zeros(0, int), np.zeros(0, int), 0).to_pylist() == []
