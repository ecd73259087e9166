"""Fusion against plain references, box by box, and the rules on who takes part."""

from __future__ import annotations

import numpy as np
import pytest

from lvis_merge.testing.fusion import nms, weighted
from lvis_merge.testing.fusion.fused import Fused, Fusion
from lvis_merge.testing.fusion.nms import NmsFusion
from lvis_merge.testing.fusion.weighted import WeightedFusion
from lvis_merge.testing.logits import clipped, logit, sigmoid
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
    np.testing.assert_allclose(found.boxes[found.origin], values[:, 1:], atol=1e-9)
    np.testing.assert_allclose(sigmoid(found.logit), clipped(found.score), rtol=1e-9, atol=1e-6)


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
    np.testing.assert_array_equal(found.boxes, stack.bbox)


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
