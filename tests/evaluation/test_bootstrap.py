"""Drawn image sets are scored by weights; a set with an image k times is the same thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lvis_merge.errors import UsageError
from lvis_merge.evaluation import evaluate, read_results, truth_of_lvis
from lvis_merge.evaluation.bootstrap import right_ones_needed, weighted_figures
from lvis_merge.evaluation.detections import capped, judged
from lvis_merge.evaluation.hotcoco_backend import HotcocoRun
from lvis_merge.evaluation.matches import Matches
from lvis_merge.evaluation.pairs import PairIndex
from lvis_merge.evaluation.scores import PAPER_FIGURES, UNDEFINED
from tests.evaluation.conftest import Score
from tests.evaluation.world import World, category, found, generate, image, thing


def spread(world: World, seed: int = 0) -> World:
    """The world with scores that are all different: copies of an image then rank alike."""
    order = np.random.default_rng(seed).permutation(len(world.results))
    results = [
        {**row, "score": (place + 1) / (len(order) + 1)}
        for row, place in zip(world.results, order.tolist(), strict=True)
    ]
    return World(world.truth, results)


def repeated(world: World, weights: list[int]) -> World:
    """The world with image n there weights[n - 1] times, under new ids."""
    images, objects, results = [], [], []
    for row, times in zip(world.truth["images"], weights, strict=True):
        for copy in range(times):
            new = row["id"] + 1000 * copy
            images.append({**row, "id": new})
            for source, target in ((world.truth["annotations"], objects), (world.results, results)):
                target += [{**r, "image_id": new} for r in source if r["image_id"] == row["id"]]
    objects = [{**row, "id": number} for number, row in enumerate(objects, start=1)]
    return World({**world.truth, "images": images, "annotations": objects}, results)


def matches_of(world: World, folder: Path) -> tuple[Matches, PairIndex, np.ndarray]:
    annotations, results = world.write(folder)
    truth = truth_of_lvis(annotations).with_area()
    found = judged(capped(read_results(results, truth).detections), truth)
    assert found.bbox is not None
    areas = found.bbox[:, 2] * found.bbox[:, 3]
    run = HotcocoRun(truth, found.at(areas > 0), areas[areas > 0], "bbox")
    return run.matches(), PairIndex.of(truth.images, truth.categories), truth.frequencies


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_repeated_images(tmp_path: Path, score: Score, seed: int) -> None:
    world = spread(generate(seed, masks=False))
    matches, index, groups = matches_of(world, tmp_path)
    rng = np.random.default_rng(seed)
    number = len(world.truth["images"])
    draws = [np.ones(number, np.int64), rng.integers(0, 4, number), rng.integers(0, 2, number)]
    figures = weighted_figures(matches, index, groups, np.array(draws))
    for place, weights in enumerate(draws):
        expected = score(repeated(world, weights.tolist())).scores[0].figures
        for name in PAPER_FIGURES:
            assert figures[name][place] == pytest.approx(expected[name], abs=1e-9)


def test_recall_is_reached_as_the_reference_divides() -> None:
    # 0.07 * 100 is more than 7 in float64, and 7 / 100 >= 0.07
    objects = np.arange(1, 700)
    recalls = np.linspace(0.0, 1.0, 101)
    expected = [np.searchsorted(np.arange(n + 1) / n, recalls) for n in objects.tolist()]
    needed = right_ones_needed(objects)
    assert np.array_equal(needed, np.array(expected))
    assert not np.array_equal(needed, np.ceil(recalls * objects[:, None]))


def test_matches_of_images_taken_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = generate(1, masks=False)
    at_once, _, _ = matches_of(world, tmp_path)
    monkeypatch.setattr("lvis_merge.evaluation.hotcoco_backend._IMAGES_AT_ONCE", 3)
    in_parts, index, groups = matches_of(world, tmp_path)
    weights = np.ones((1, len(index.image_ids)), np.int64)
    assert weighted_figures(in_parts, index, groups, weights) == weighted_figures(
        at_once, index, groups, weights
    )


def test_intervals_hold_the_figures(score: Score) -> None:
    evaluation = score(generate(2), draws=30, seed=1)
    assert [scores.kind for scores in evaluation.scores] == ["bbox", "segm"]
    for scores in evaluation.scores:
        assert set(scores.intervals) == set(PAPER_FIGURES)
        for name, interval in scores.intervals.items():
            assert 0 <= interval.low < scores.figures[name] < interval.high <= 1


def test_equal_images_leave_no_doubt(score: Score) -> None:
    # every draw of them is the same set
    truth = {
        "images": [image(n) for n in range(1, 7)],
        "annotations": [thing(n, n, 1, [10, 10, 30, 30]) for n in range(1, 7)],
        "categories": [category(1, "r"), category(2, "c")],
    }
    results = [found(n, 1, [10, 10, 20, 30], 0.5) for n in range(1, 7)]
    scores = score(World(truth, results), draws=20).scores[0]
    figure, interval = scores.figures["AP"], scores.intervals["AP"]
    assert (interval.low, interval.high) == pytest.approx((figure, figure))
    common = scores.intervals["AP_c"]
    assert (common.low, common.high) == (UNDEFINED, UNDEFINED)


def test_the_seed_decides(score: Score) -> None:
    world = generate(3, masks=False)
    first = score(world, draws=10, seed=7)
    assert score(world, draws=10, seed=7) == first
    assert score(world, draws=10, seed=8).scores[0].intervals != first.scores[0].intervals
    without = score(world)
    assert replace(first.scores[0], intervals={}) == without.scores[0]


def test_not_with_the_reference(tmp_path: Path) -> None:
    annotations, results = generate(0).write(tmp_path)
    truth = truth_of_lvis(annotations)
    with pytest.raises(UsageError, match="Intervals need the matches of hotcoco"):
        evaluate(read_results(results, truth), truth, backend="lvis", draws=5)
