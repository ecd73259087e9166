"""The figures that the fit counts are those of the evaluation, to the last digits."""

from __future__ import annotations

import numpy as np
import pytest

from lvis_merge.testing.ensemble import trials as trials_module
from lvis_merge.testing.ensemble.matching import Truth, edges, matched
from lvis_merge.testing.ensemble.merged import merge
from lvis_merge.testing.ensemble.parameters import FusionName, Parameters
from lvis_merge.testing.ensemble.precision import Ranking
from lvis_merge.testing.ensemble.search import fit
from lvis_merge.testing.ensemble.trials import Trials
from tests.evaluation.world import World, generate
from tests.testing.conftest import Make
from tests.testing.worlds import FREQUENT, RARE, crowded, expert_of

PARAMETERS = [
    Parameters.nothing(2),
    Parameters(1.5, 0.5, (0.75, 0.0)),
    Parameters(-2.0, 3.0, (-1.0, 2.0)),
    Parameters(9.0, -4.0, (-12.0, 1.0)),
]


def with_odd_rules(seed: int) -> World:
    """Over 300 an image, equal scores, pairs not exhaustive, not judged, objects of area 0."""
    return generate(seed, masks=False)


@pytest.mark.parametrize("fusion", ["nms", "wbf"])
@pytest.mark.parametrize("seed", range(2))
def test_figures_are_those_of_the_evaluation(seed: int, fusion: FusionName, make: Make) -> None:
    world = with_odd_rules(seed)
    experts = [expert_of(world, range(1, 8), seed, 0.4), expert_of(world, range(5, 11), seed, 0.2)]
    # the same boxes as the main model's, for the matches to hang on whose comes first
    experts[0] += [row for row in world.results if row["category_id"] in range(1, 8)][::3]
    setting = make(world, experts)
    together, columns = setting.ensemble(fusion)
    trials = setting.trials(fusion)
    every = np.arange(len(columns.image_ids))
    seen = set()
    for parameters in PARAMETERS:
        merged = merge(together, every, parameters)
        assert np.unique(merged.detections.image_id, return_counts=True)[1].max() == 300
        expected = setting.scored(merged.detections)
        for narrow in (False, True):
            if narrow:
                trials.at(parameters.offsets).narrow()
            found = trials.figures(parameters)
            figures = (found.ap, found.ap_r, found.ap_c, found.ap_f)
            names = ("AP", "AP_r", "AP_c", "AP_f")
            assert figures == pytest.approx([expected[name] for name in names], abs=1e-9)
        seen.add(figures)
    assert len(seen) == len(PARAMETERS)  # the parameters made a difference


def test_a_set_of_images_is_scored_as_if_there_were_no_others(make: Make) -> None:
    world = crowded(0, images=8)
    half = {2, 3, 7}
    some = World(
        {
            "images": [row for row in world.truth["images"] if row["id"] in half],
            "annotations": [r for r in world.truth["annotations"] if r["image_id"] in half],
            "categories": world.truth["categories"],
        },
        [row for row in world.results if row["image_id"] in half],
    )
    parameters = Parameters(2.0, 0.0, ())
    alone = make(some).trials().figures(parameters)
    images = np.array(sorted(half)) - 1
    assert make(world).trials(images=images).figures(parameters) == alone


def test_a_detection_takes_the_last_of_the_best_objects_that_are_free() -> None:
    truth = Truth(
        bbox=np.array([[0.0, 0.0, 10.0, 9.0], [0.0, 0.0, 9.0, 10.0]]),
        starts=np.array([0, 2]),
        judged=np.ones(1, np.bool_),
        partly=np.zeros(1, np.bool_),
    )
    # IoU .9 with both; IoU .818 with the first, 1 with the second
    boxes = np.array([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 9.0, 10.0]])
    pair = np.zeros(2, np.int64)
    found = matched(pair, np.array([0.9, 0.4]), edges(pair, boxes, truth), 2)
    # up to .90 the better one takes the second object; what is left is the first, up to .80 …
    assert found.sum(axis=1).tolist() == [9, 8]
    # … and at .95, where the better one takes none, the second
    assert found[1].tolist() == [True] * 7 + [False] * 2 + [True]


def test_an_overlap_of_just_the_threshold_is_enough() -> None:
    whole = np.array([[0.0, 0.0, 20.0, 20.0]])
    every = np.ones(1, np.bool_)
    truth = Truth(whole, np.array([0, 1]), judged=every, partly=every)
    for width, thresholds in ((9.9, 0), (10.0, 1), (12.0, 3), (19.0, 10), (18.99, 9)):
        pair = np.zeros(1, np.int64)
        near = edges(pair, np.array([[0.0, 0.0, width, 20.0]]), truth)
        assert matched(pair, np.ones(1), near, 1).sum() == thresholds


@pytest.mark.parametrize("fusion", ["nms", "wbf"])
def test_a_fit_keeps_to_its_terms(fusion: FusionName, make: Make) -> None:
    world = crowded(1, images=10)
    experts = [expert_of(world, FREQUENT, 1, 0.05), expert_of(world, RARE, 2, 0.01)]
    trials = make(world, experts).trials(fusion)
    nothing = Parameters.nothing(2)
    found, before = trials.figures(fit(trials)), trials.figures(nothing)
    assert found.ap > before.ap + 0.01
    assert found.ap_f >= before.ap_f - 0.001
    # no point of a coarse grid that is allowed does better
    for shift_r in (-2.0, 0.0, 3.0, 6.0):
        for shift_c in (-2.0, 0.0, 3.0):
            other = trials.figures(Parameters(shift_r, shift_c, (0.0, 0.0)))
            assert other.ap <= found.ap + 1e-9 or other.ap_f < before.ap_f - 0.001


@pytest.mark.parametrize("fusion", ["nms", "wbf"])
def test_two_sets_together_are_all_their_images(fusion: FusionName, make: Make) -> None:
    # coarse scores: equal ones of several images rank by image, not by set
    world = generate(3, masks=False)
    setting = make(world, [expert_of(world, range(1, 8), 3, 0.4)])
    every = setting.trials(fusion)
    count = len(world.truth["images"])
    sets = [setting.trials(fusion, np.arange(start, count, 2)) for start in range(2)]
    together = Trials.together(sets)
    for parameters in (Parameters.nothing(1), Parameters(1.5, -0.5, (0.75,))):
        apart = [one.figures(parameters) for one in sets]
        assert together.figures(parameters) == every.figures(parameters)
        assert together.figures(parameters) not in apart


@pytest.mark.parametrize("room", [0, 1 << 30], ids=["none kept", "all kept"])
def test_what_is_kept_changes_no_figure(
    room: int, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials_module, "KEPT_BYTES", room)
    world = crowded(2, images=6)
    setting = make(world, [expert_of(world, FREQUENT, 2, 0.2)])
    trials = setting.trials()
    offsets = [0.0, 1.0, -2.0, 0.0, 1.0]
    found = [trials.figures(Parameters(1.0, 0.0, (offset,))) for offset in offsets]
    assert found == [setting.trials().figures(Parameters(1.0, 0.0, (o,))) for o in offsets]
    kept = {len(part._offers) for part in trials._parts}
    assert kept == ({3} if room else {0})


@pytest.mark.parametrize("fusion", ["nms", "wbf"])
@pytest.mark.parametrize("empty", ["main", "expert", "both"])
def test_a_pool_without_detections_is_a_pool(empty: str, fusion: FusionName, make: Make) -> None:
    world = crowded(0, images=4, clutter=10)
    expert = [] if empty in ("expert", "both") else expert_of(world, FREQUENT, 0, 0.2)
    main = [] if empty in ("main", "both") else world.results
    outcome = make(World(world.truth, main), [expert]).fit(fusion)
    assert (len(outcome.detections) > 0) == (empty != "both")


def test_equal_scores_of_two_images_rank_by_image() -> None:
    right = np.repeat([[True], [False]], 10, axis=1)
    ranking = Ranking(
        image=np.array([1, 0], np.int32),
        category=np.zeros(2, np.int32),
        score=np.array([0.5, 0.5]),
        matched=right,
        partly=np.zeros(2, np.bool_),
        objects=np.array([1]),
    )
    # the wrong one of image 0 comes before the right one of image 1
    np.testing.assert_allclose(ranking.ap(np.ones(2, np.bool_)), [0.5])
