"""The re-scoring ensemble on whole worlds: what it is for, and what it must not do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lvis_merge.errors import InputError
from lvis_merge.evaluation import read_results
from lvis_merge.progress import Stages
from lvis_merge.testing.ensemble import run
from lvis_merge.testing.ensemble.files import apply_files
from lvis_merge.testing.ensemble.halves import halves
from lvis_merge.testing.ensemble.merged import merge
from lvis_merge.testing.ensemble.parameters import FusionName, Parameters
from lvis_merge.testing.ensemble.report import as_json, notes
from tests.testing.conftest import Make
from tests.testing.worlds import FREQUENT, RARE, crowded, expert_of


def test_the_crowded_out_tail_comes_back(make: Make) -> None:
    outcome = make(crowded(0)).fit()
    before, after = (row.figures for row in outcome.rows)
    assert before is not None
    assert after is not None
    assert before["AP_r"] < 0.05  # the cap kept the rare ones out
    assert after["AP_r"] > before["AP_r"] + 0.3
    assert after["AP_f"] >= before["AP_f"] - 0.001
    assert after["AP"] > before["AP"]
    assert all(half.shift_r > 0 for half in outcome.halves)
    first, last = outcome.rows
    assert last.through["r"] > first.through["r"]
    assert first.offered == last.offered
    assert sum(last.through.values()) == sum(first.through.values()) == 24 * 300


def test_where_nothing_is_crowded_out_nothing_changes(make: Make) -> None:
    setting = make(crowded(0, clutter=200))
    outcome = setting.fit()
    assert {outcome.fitted.parameters, *outcome.halves} == {Parameters()}
    before, after = outcome.rows
    assert after.figures == before.figures
    assert after.through == before.through == before.offered
    results = read_results(setting.paths[0], setting.truth).detections
    rows = np.lexsort((-results.score, results.image_id))
    np.testing.assert_array_equal(outcome.detections.bbox, results.at(rows).bbox)
    np.testing.assert_array_equal(outcome.detections.score, results.at(rows).score)
    assert "No image has more than 300 detections: shifts have nothing to act on." in notes(outcome)


@pytest.mark.parametrize("fusion", ["nms", "wbf"])
def test_experts_help_and_the_cap_holds(fusion: FusionName, make: Make) -> None:
    world = crowded(1, images=12)
    experts = [expert_of(world, FREQUENT, 1, 0.2), expert_of(world, RARE, 2, 0.3)]
    outcome = make(world, experts).fit(fusion)
    main, _, fitted = (row.figures for row in outcome.rows)
    assert main is not None
    assert fitted is not None
    assert fitted["AP_r"] > main["AP_r"] + 0.1
    assert fitted["AP"] > main["AP"]
    assert np.unique(outcome.detections.image_id, return_counts=True)[1].max() <= 300
    assert [row.name for row in outcome.rows] == [
        "results.json alone", "fused, all parameters 0", "fitted, two-fold cross-fitting",
    ]  # fmt: skip


def test_each_half_is_scored_with_what_was_fitted_on_the_other(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = iter([Parameters(1.0), Parameters(6.0), Parameters(3.0)])
    monkeypatch.setattr(run, "fit", lambda trials, tell: next(fits))
    setting = make(crowded(2))
    outcome = setting.fit()
    together, columns = setting.ensemble("nms")
    lower, upper = halves(columns.image_ids, "")
    for images, parameters in ((lower, Parameters(6.0)), (upper, Parameters(1.0))):
        expected = merge(together, images, parameters).detections
        ids = columns.image_ids[images]
        found = outcome.detections.at(np.isin(outcome.detections.image_id, ids))
        np.testing.assert_array_equal(found.bbox, expected.bbox)
        np.testing.assert_array_equal(found.image_id, expected.image_id)
    assert outcome.fitted.parameters == Parameters(3.0)  # for other images
    assert outcome.rows[-1].figures == pytest.approx(
        {name: setting.scored(outcome.detections)[name] for name in outcome.rows[-1].figures or {}}
    )


def test_halves_are_halves_and_hang_on_the_ids_alone() -> None:
    ids = np.array([3, 5, 11, 2**52 + 7, 2**52 + 9])
    lower, upper = halves(ids, "")
    assert sorted([*lower, *upper]) == [0, 1, 2, 3, 4]
    assert (len(lower), len(upper)) == (2, 3)
    # sha256 of "3" begins with 4e, of "4503599627370503" with 14; the others with more
    assert ids[lower].tolist() == [3, 2**52 + 7]


def test_what_was_fitted_is_applied_without_ground_truth(make: Make) -> None:
    world = crowded(3)
    setting = make(world, [expert_of(world, FREQUENT, 3, 0.2)])
    fitted = setting.fit().fitted
    outcome = apply_files(setting.paths, fitted, name="fit.json", stages=Stages())
    together, columns = setting.ensemble("nms")
    every = np.arange(len(columns.image_ids))
    expected = merge(together, every, fitted.parameters).detections
    for name in ("image_id", "category_id", "score", "bbox"):
        np.testing.assert_array_equal(getattr(outcome.detections, name), getattr(expected, name))
    assert [row.figures for row in outcome.rows] == [None, None]


def test_images_that_only_an_expert_found_something_on_are_kept(make: Make) -> None:
    world = crowded(4, images=4)
    setting = make(world, [expert_of(world, FREQUENT, 4, 0.2)])
    fitted = setting.fit().fitted
    main = Path(setting.paths[0])
    rows = [row for row in json.loads(main.read_text()) if row["image_id"] != 2]
    main.write_text(json.dumps(rows))
    outcome = apply_files(setting.paths, fitted, name="fit.json", stages=Stages())
    assert np.unique(outcome.detections.image_id).tolist() == [1, 2, 3, 4]


def test_scores_are_written_with_offsets_and_without_shifts(make: Make) -> None:
    world = crowded(5, images=4)
    setting = make(world, [expert_of(world, RARE, 5, 0.2)])
    together, _ = setting.ensemble("nms")
    plain, shifted, moved = (
        merge(together, np.arange(4), Parameters(*values)).detections
        for values in ((0.0, 0.0, (0.0,)), (7.0, 2.0, (0.0,)), (0.0, 0.0, (1.0,)))
    )
    assert set(shifted.score) - set(moved.score) - set(plain.score)  # others come through …
    own = set(read_results(setting.paths[0], setting.truth).detections.score)
    experts = set(read_results(setting.paths[1], setting.truth).detections.score)
    assert set(shifted.score) <= own | experts  # … with the scores they had
    odds = np.array(sorted(set(moved.score) - own))
    before = odds / (1 - odds) / np.e
    assert np.isclose(np.array(sorted(experts))[:, None], before / (1 + before)).any(axis=0).all()


def test_the_report_says_all(make: Make) -> None:
    world = crowded(6, images=6)
    plain = as_json(make(world, [expert_of(world, RARE, 6, 0.2)]).fit())
    assert plain["fitted"]["fusion"] == "nms"
    assert list(plain["fitted"]["experts"]) == ["expert_1.json"]
    assert plain["fitted"]["groups"]["r"] == list(RARE)
    assert [set(half) for half in plain["halves"]] == [{"shift_r", "shift_c", "offsets"}] * 2
    assert [set(row) for row in plain["rows"]] == [{"name", "offered", "through", "figures"}] * 3


def test_one_image_cannot_be_halved(make: Make) -> None:
    with pytest.raises(InputError, match=r"lvis_val.json: has one image. A fit needs two"):
        make(crowded(0, images=1)).fit()


def test_without_groups_there_is_nothing_to_shift(make: Make) -> None:
    setting = make(crowded(0, images=2))
    names = setting.truth.categories.schema.names
    place = names.index("frequency")
    from dataclasses import replace

    import pyarrow as pa

    empty = pa.nulls(setting.truth.categories.num_rows, pa.string())
    categories = setting.truth.categories.set_column(place, "frequency", empty)
    setting = replace(setting, truth=replace(setting.truth, categories=categories))
    with pytest.raises(InputError, match="no category has a frequency group"):
        setting.fit()
