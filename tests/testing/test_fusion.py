"""Fusion against plain references, box by box, and the rules on who takes part."""

from __future__ import annotations

import numpy as np
import pytest

from lvis_merge.testing.ensemble.cap import crowd
from lvis_merge.testing.fusion import nms, weighted
from lvis_merge.testing.fusion.bunches import bunches
from lvis_merge.testing.fusion.fused import Fused, Fusion
from lvis_merge.testing.fusion.nms import NmsFusion
from lvis_merge.testing.fusion.outranked import outranked
from lvis_merge.testing.fusion.weighted import WeightedFusion
from lvis_merge.testing.logits import logit, sigmoid
from lvis_merge.testing.stack import Stack
from tests.testing import plain
from tests.testing.worlds import known_by, random_stack

KNOWING = known_by("11111", "10110", "01100")
"""Of five categories: two models know the first, two the second, three the third, …"""

OFFSETS = [np.zeros(3), np.array([0.0, 1.5, -0.75])]
FUSIONS: list[type[Fusion]] = [NmsFusion, WeightedFusion]  # type: ignore[type-abstract]


def rescored(stack: Stack, offsets: np.ndarray) -> np.ndarray:
    score = sigmoid(logit(stack.score) + offsets[stack.model])
    return np.where(offsets[stack.model] == 0, stack.score, score)


def groups(stack: Stack) -> list[tuple[int, np.ndarray]]:
    """(category, rows) of each image and category."""
    pairs = sorted({*zip(stack.image.tolist(), stack.category.tolist(), strict=True)})
    return [(c, np.flatnonzero((stack.image == i) & (stack.category == c))) for i, c in pairs]


@pytest.mark.parametrize("offsets", OFFSETS, ids=["plain", "with offsets"])
@pytest.mark.parametrize("seed", range(3))
def test_nms_is_greedy_suppression(seed: int, offsets: np.ndarray) -> None:
    stack = random_stack(seed, KNOWING)
    score = rescored(stack, offsets)
    kept: list[int] = []
    for category, rows in groups(stack):
        here = range(len(rows))
        if KNOWING[:, category].sum() > 1:
            here = plain.nms(stack.bbox[rows].tolist(), score[rows].tolist(), nms.IOU)
        kept += rows[list(here)].tolist()
    found = NmsFusion(stack, KNOWING).fuse(offsets)
    assert found.origin.tolist() == sorted(kept)
    assert len(kept) < 0.9 * len(stack.score)  # there was something to suppress
    np.testing.assert_array_equal(found.score, score[found.origin])
    np.testing.assert_array_equal(found.image, stack.image[found.origin])
    np.testing.assert_array_equal(found.category, stack.category[found.origin])


@pytest.mark.parametrize("offsets", OFFSETS, ids=["plain", "with offsets"])
@pytest.mark.parametrize("seed", range(3))
def test_weighted_boxes_are_clustered_one_by_one(seed: int, offsets: np.ndarray) -> None:
    stack = random_stack(seed, KNOWING)
    score = rescored(stack, offsets)
    expected = {}
    for category, rows in groups(stack):
        boxes, scores = stack.bbox[rows].tolist(), score[rows].tolist()
        models = int(KNOWING[:, category].sum())
        clusters = plain.weighted(boxes, scores, weighted.IOU, models)
        if models == 1:  # one model's own affair
            clusters = [(row, scores[row], boxes[row]) for row in range(len(rows))]
        for first, total, box in clusters:
            expected[int(rows[first])] = (total, *box)
    found = WeightedFusion(stack, KNOWING).fuse(offsets)
    assert found.origin.tolist() == sorted(expected)
    assert len(expected) < 0.9 * len(stack.score)
    values = np.array([expected[row] for row in found.origin.tolist()])
    np.testing.assert_allclose(found.score, values[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.boxes(np.arange(len(found.origin))), values[:, 1:], atol=1e-9)
    np.testing.assert_allclose(sigmoid(found.logit), found.score, rtol=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_the_plain_reference_is_ensemble_boxes_where_every_model_knows_all(seed: int) -> None:
    ensemble_boxes = pytest.importorskip("ensemble_boxes")
    stack = random_stack(seed, known_by("11", "11"), coarse=False)
    for _, rows in groups(stack):
        rows = rows[(stack.bbox[rows, 2:] > 0).all(axis=1)]  # the package drops boxes of no area
        corners = stack.bbox[rows] + 60.0
        corners[:, 2:] += corners[:, :2] - 60.0
        # models one after the other, as the package takes them
        lists = [(corners[stack.model[rows] == m] / 256, m) for m in range(2)]
        boxes, scores, _ = ensemble_boxes.weighted_boxes_fusion(
            [boxes.tolist() for boxes, _ in lists],
            [stack.score[rows][stack.model[rows] == m].tolist() for m in range(2)],
            [[0] * len(boxes) for boxes, _ in lists],
            iou_thr=weighted.IOU,
        )
        flat = np.concatenate([boxes for boxes, _ in lists])
        flat[:, 2:] -= flat[:, :2]
        score = np.concatenate([stack.score[rows][stack.model[rows] == m] for m in range(2)])
        ours = plain.weighted(flat.tolist(), score.tolist(), weighted.IOU, 2)
        found = sorted((total, *box) for _, total, box in ours)
        sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        theirs = sorted((total, *box) for total, box in zip(scores, sides.tolist(), strict=True))
        np.testing.assert_allclose(found, theirs, atol=1e-5)  # the package counts in float32


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_category_that_one_model_knows_passes_as_it_is(fusion: type[NmsFusion]) -> None:
    knowing = known_by("11111", "00000", "00000")
    stack = random_stack(0, knowing)
    found = fusion(stack, knowing).fuse(np.zeros(3))
    assert found.origin.tolist() == list(range(len(stack.score)))
    np.testing.assert_array_equal(found.score, stack.score)
    np.testing.assert_array_equal(found.boxes(found.origin), stack.bbox)


def one_pair(*scores: float) -> Stack:
    """The same box of the same category, found by as many models as there are scores."""
    count = len(scores)
    return Stack(
        images=np.zeros(1, np.int64),
        image=np.zeros(count, np.int32),
        category=np.zeros(count, np.int32),
        model=np.arange(count, dtype=np.int8),
        score=np.array(scores),
        bbox=np.array([[10.0, 10.0, 20.0, 20.0]] * count).reshape(-1, 4),
    )


# what the main model finds alone counts in full where it alone knows the category, half where an
# expert knows it too and found nothing; what both find is not halved by a third that knows nothing
DIVISIONS = {
    "known to one": ((0.8,), known_by("1", "0", "0"), 0.8),
    "known to two, found by one": ((0.8,), known_by("1", "1", "0"), 0.4),
    "known to two, found by both": ((0.8, 0.6), known_by("1", "1", "0"), 0.7),
    "known to three, found by two": ((0.8, 0.7), known_by("1", "1", "1"), 0.5),
}


@pytest.mark.parametrize("case", DIVISIONS)
def test_weighted_scores_divide_by_the_models_that_know_the_category(case: str) -> None:
    scores, knowing, expected = DIVISIONS[case]
    found = WeightedFusion(one_pair(*scores), knowing).fuse(np.zeros(3))
    np.testing.assert_allclose(found.score, [expected])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_fusing_again_with_other_offsets_is_fusing_anew(fusion: type[NmsFusion]) -> None:
    stack = random_stack(5, KNOWING)
    kept = fusion(stack, KNOWING)
    for offsets in ([0, 0, 0], [0, 1, 0], [0, 1, -2], [0, 0, 0]):
        again, anew = (f.fuse(np.array(offsets, float)) for f in (kept, fusion(stack, KNOWING)))
        for name in Fused.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(again, name), getattr(anew, name))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_nothing_found_is_nothing_fused(fusion: type[NmsFusion]) -> None:
    stack = one_pair()
    assert not len(fusion(stack, known_by("1", "1")).fuse(np.zeros(2)).score)


def boxes_of(*boxes: tuple[float, ...], scores: tuple[float, ...]) -> Stack:
    """Boxes of one image and category, of two models in turn."""
    count = len(boxes)
    return Stack(
        images=np.zeros(1, np.int64),
        image=np.zeros(count, np.int32),
        category=np.zeros(count, np.int32),
        model=(np.arange(count) % 2).astype(np.int8),
        score=np.array(scores),
        bbox=np.array(boxes),
    )


def test_weighted_scores_far_below_the_clip_keep_their_order() -> None:
    # clipped to 1e-6 once more, all three would rank as equal, in another order than their scores
    stack = boxes_of((0, 0, 9, 9), (30, 0, 9, 9), (60, 0, 9, 9), scores=(2e-6, 6e-6, 4e-6))
    found = WeightedFusion(stack, known_by("1", "1")).fuse(np.array([0.0, -6.0]))
    assert np.argsort(found.logit).tolist() == np.argsort(found.score).tolist() == [1, 0, 2]


WIDE, TALL, LARGE = (3.0, 5.0, 14.0, 10.0), (5.0, 3.0, 10.0, 14.0), (1.95, 1.95, 16.1, 16.1)
"""The large one overlaps neither other by .55, and does so with their mean, 12 x 12."""


def test_a_box_that_only_a_mean_reaches_joins_it() -> None:
    assert plain.overlap(WIDE, TALL) > weighted.IOU
    assert max(plain.overlap(LARGE, WIDE), plain.overlap(LARGE, TALL)) < weighted.IOU
    stack = boxes_of(WIDE, TALL, LARGE, scores=(0.8, 0.8, 0.4))
    found = WeightedFusion(stack, known_by("1", "1")).fuse(np.zeros(2))
    assert found.origin.tolist() == [0]
    np.testing.assert_allclose(found.score, [2.0 / 3])


# rows that may come into one cluster: a number each
BUNCHES = {
    "apart": ([(0, 0, 9, 9), (30, 0, 9, 9)], [0, 1]),
    "alike": ([(0, 0, 9, 9), (1, 0, 9, 9)], [0, 0]),
    # IoU .5 with each other, and no third box to move either
    "half": ([(0, 0, 9, 9), (3, 0, 9, 9)], [0, 1]),
    # the first two do not reach the last, the first three do not reach it either
    "a chain": ([(0, 0, 9, 9), (2, 0, 9, 9), (4, 0, 9, 9), (40, 0, 9, 9)], [0, 0, 0, 3]),
    "by the mean": ([WIDE, (50, 50, 9, 9), TALL, LARGE], [0, 1, 0, 0]),
    # without area nothing overlaps
    "no area": ([(0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 9, 9)], [0, 1, 2]),
}


@pytest.mark.parametrize("case", BUNCHES)
def test_bunches(case: str) -> None:
    boxes, expected = BUNCHES[case]
    zero = np.zeros(len(boxes), np.int32)
    found = bunches(zero, zero, np.array(boxes, np.float64), weighted.IOU)
    assert found.tolist() == expected


def test_bunches_are_of_one_image_and_category() -> None:
    image, category = np.array([0, 0, 1], np.int32), np.array([0, 1, 1], np.int32)
    found = bunches(image, category, np.array([[0.0, 0.0, 9.0, 9.0]] * 3), weighted.IOU)
    assert found.tolist() == [0, 1, 2]


GROUP_OF = np.array([0, 1, 2, 2, 2], np.int8)
"""Of the five categories."""


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("coarse", [True, False], ids=["equal scores", "all differ"])
def test_what_is_left_out_for_the_cap_never_passes_it(
    fusion: type[NmsFusion], coarse: bool
) -> None:
    stack = random_stack(8, KNOWING, images=1, coarse=coarse, boxes=7000, places=900)
    whole, left = fusion(stack, KNOWING), fusion.for_cap(stack, KNOWING, GROUP_OF)
    assert len(left.stack.score) < len(stack.score) - 100
    for offsets in ([0.0, 0.0, 0.0], [0.0, 2.0, -1.0], [0.0, -9.0, 4.0]):
        for shifts in ([0.0, 0.0, 0.0], [3.0, -1.0, 0.0], [-8.0, 6.0, 0.0]):
            passed = []
            for one in (whole, left):
                fused = one.fuse(np.array(offsets))
                cap = crowd(fused.image, fused.logit, GROUP_OF[fused.category], 1)
                rows = np.flatnonzero(cap.through(np.array(shifts)))
                columns = (fused.image, fused.category, fused.score, fused.logit)
                parts = [column[rows][:, None] for column in columns]
                passed.append(np.concatenate([*parts, fused.boxes(rows)], axis=1))
            assert len(passed[0]) == 300
            np.testing.assert_array_equal(*passed)


def test_outranked_are_those_after_the_first_300_that_stay() -> None:
    count = 310
    stack = Stack(
        images=np.zeros(1, np.int64),
        image=np.zeros(count, np.int32),
        category=np.zeros(count, np.int32),
        model=np.zeros(count, np.int8),
        score=np.append(np.linspace(0.9, 0.5, count - 1), 0.9),  # the last is equal to the first
        bbox=np.zeros((count, 4)),
    )
    every = np.ones(count, np.bool_)
    one_group = np.zeros(1, np.int8)
    assert np.flatnonzero(outranked(stack, one_group, every)).tolist() == list(range(299, 309))
    some = every.copy()
    some[:4] = False  # these may go, and then others move up
    assert np.flatnonzero(outranked(stack, one_group, some)).tolist() == list(range(303, 309))
    # a model's detections are not moved with another's
    stack.model[::2] = 1
    assert not outranked(stack, one_group, every).any()
