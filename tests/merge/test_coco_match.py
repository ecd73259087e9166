"""COCO boxes and LVIS objects against a double loop."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.coco_match import iou, match_objects

Box = tuple[float, float, float, float]
Row = tuple[int, int, Box]


def overlap(a: Box, b: Box) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


def best_of(box: Row, objects: list[Row], ids: list[int]) -> int:
    """Highest IoU of at least 0.5 in the same image and category, lowest id on ties."""
    best, rank = -1, (0.0, 0)
    for place, (image, category, xywh) in enumerate(objects):
        value = overlap(box[2], xywh)
        if (image, category) != box[:2] or value < 0.5:
            continue
        if best < 0 or (-value, ids[place]) < rank:
            best, rank = place, (-value, ids[place])
    return best


def arrays(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
    )


def matched(boxes: list[Row], objects: list[Row], ids: list[int]) -> list[int]:
    found = match_objects(*arrays(boxes), *arrays(objects), np.array(ids, dtype=np.int64))
    return list(found.tolist())


# few sizes and places, so that equal overlaps and exact halves are frequent
BOX = st.tuples(
    st.sampled_from([0.0, 1.0, 0.1]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([1.0, 2.0, 4.0, 0.3]),
    st.sampled_from([1.0, 2.0]),
)
IMAGE = st.sampled_from([3, 7, 2**50])


@given(
    st.lists(st.tuples(IMAGE, st.sampled_from([-1, 1, 2, 5, 99]), BOX), max_size=10),
    st.lists(st.tuples(IMAGE, st.sampled_from([1, 2, 5]), BOX), max_size=10),
    st.randoms(use_true_random=False),
)
@settings(max_examples=300, deadline=None)
def test_matches_are_those_of_a_double_loop(
    boxes: list[Row],
    objects: list[Row],
    random: Random,
) -> None:
    """Rule: same image, same category, highest IoU of at least 0.5, lowest id on ties."""
    ids = list(range(100, 100 + len(objects)))
    random.shuffle(ids)
    assert matched(boxes, objects, ids) == [best_of(box, objects, ids) for box in boxes]


UNIT: Box = (0, 0, 2, 2)
CASES = [
    # (boxes, objects, ids, expected)
    ([(1, 1, UNIT)], [(1, 1, (0, 0, 2, 4))], [5], [0]),  # IoU exactly 0.5 is enough
    ([(1, 1, UNIT)], [(1, 1, (0, 0, 2, 4.000001))], [5], [-1]),  # just under
    ([(1, 1, UNIT)], [(1, 1, UNIT), (1, 1, UNIT)], [9, 4], [1]),  # a tie: the lowest id
    ([(1, 1, UNIT)], [(1, 1, (0, 0, 2, 3)), (1, 1, (0, 0, 2, 2.5))], [1, 2], [1]),  # highest
    ([(1, 1, UNIT), (1, 1, UNIT)], [(1, 1, UNIT)], [1], [0, 0]),  # two boxes name one object
    ([(1, 2, UNIT)], [(1, 1, UNIT)], [1], [-1]),  # another category
    ([(2, 1, UNIT)], [(1, 1, UNIT)], [1], [-1]),  # another image
    ([(1, -1, UNIT)], [(1, 1, UNIT)], [1], [-1]),  # a box of no LVIS category
    ([(1, 1, UNIT)], [(1, 1, (5, 5, 1, 1))], [1], [-1]),  # apart
    ([(1, 1, UNIT)], [], [], [-1]),
    ([], [(1, 1, UNIT)], [1], []),
]


@pytest.mark.parametrize(("boxes", "objects", "ids", "expected"), CASES)
def test_cases_of_matching(
    boxes: list[Row], objects: list[Row], ids: list[int], expected: list[int]
) -> None:
    """Rule: one clause of `matched_annotation_id` each."""
    assert matched(boxes, objects, ids) == expected


def test_iou_of_pairs() -> None:
    """Rule: inter / union on the published float64 boxes; boxes that touch do not overlap."""
    a = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2.0]])
    b = np.array([[0, 0, 2, 2], [1, 1, 2, 2], [2, 0, 2, 2.0]])
    assert iou(a, b).tolist() == [1.0, 1 / 7, 0.0]
