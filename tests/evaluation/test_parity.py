"""hotcoco as `evaluate` feeds it gives the figures of lvis-api, which prepares its own input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lvis_merge.evaluation import Evaluation, evaluate, read_results, truth_of_lvis
from lvis_merge.evaluation.scores import FIGURES, UNDEFINED
from tests.evaluation.conftest import Score
from tests.evaluation.world import World, category, found, generate, image, thing

TOLERANCE = 1e-4


def assert_equal(ours: Evaluation, reference: Evaluation) -> None:
    assert ours.backend == "hotcoco"
    assert reference.backend == "lvis"
    assert [s.kind for s in ours.scores] == [s.kind for s in reference.scores]
    for one, other in zip(ours.scores, reference.scores, strict=True):
        assert one.figures == pytest.approx(other.figures, abs=TOLERANCE)
        assert set(one.figures) == set(FIGURES)
        for mine, theirs in zip(one.categories, other.categories, strict=True):
            assert mine == replace(
                theirs,
                ap=pytest.approx(theirs.ap, abs=TOLERANCE),
                ap50=pytest.approx(theirs.ap50, abs=TOLERANCE),
                ap75=pytest.approx(theirs.ap75, abs=TOLERANCE),
            )


@pytest.mark.parametrize("seed", range(6))
def test_generated_worlds(score: Score, seed: int) -> None:
    world = generate(seed)
    ours = score(world)
    assert_equal(ours, score(world, backend="lvis"))
    assert [scores.kind for scores in ours.scores] == ["bbox", "segm"]
    for scores in ours.scores:
        assert 0.02 < scores.figures["AP"] < 0.98  # something is right and something is wrong


def test_generated_worlds_have_every_rule_at_work() -> None:
    ties_at_the_cap = objects_of_no_area = 0
    for seed in range(6):
        world = generate(seed, masks=False)
        images = {row["id"]: row for row in world.truth["images"]}
        annotated = {(row["image_id"], row["category_id"]) for row in world.truth["annotations"]}
        of_image_1 = [row["score"] for row in world.results if row["image_id"] == 1]
        assert len(of_image_1) > 300
        ordered = sorted(of_image_1, reverse=True)
        ties_at_the_cap += ordered[299] == ordered[300]
        objects_of_no_area += sum(row["area"] == 0 for row in world.truth["annotations"])
        pairs = {(row["image_id"], row["category_id"]) for row in world.results}
        assert any(c in images[i]["not_exhaustive_category_ids"] for i, c in pairs)
        assert any(c in images[i]["neg_category_ids"] for i, c in pairs)
        assert any(
            c not in images[i]["neg_category_ids"] and (i, c) not in annotated for i, c in pairs
        )
        with_truth = {row["category_id"] for row in world.truth["annotations"]}
        assert {row["id"] for row in world.truth["categories"]} - with_truth
        assert any(row["bbox"][2] == 0 for row in world.results)
    assert ties_at_the_cap
    assert objects_of_no_area


def test_boxes_alone_leave_masks_out(score: Score) -> None:
    # both libraries would score the rectangles as masks
    world = generate(1, masks=False)
    ours = score(world)
    assert [scores.kind for scores in ours.scores] == ["bbox"]
    assert_equal(ours, score(world, backend="lvis"))


def test_masks_alone_leave_boxes_out(score: Score) -> None:
    world = generate(2)
    both = score(world)
    for row in world.results:
        del row["bbox"]
    ours = score(world)
    assert [scores.kind for scores in ours.scores] == ["segm"]
    # small, medium and large are told by the mask's area, whether it comes with a box or not
    assert ours.scores[0].figures == both.scores[1].figures
    assert_equal(ours, score(world, backend="lvis"))


def test_no_detections(score: Score) -> None:
    # lvis-api raises IndexError on an empty list
    world = World(generate(3).truth, [])
    ours = score(world)
    assert_equal(ours, score(world, backend="lvis"))
    assert [scores.kind for scores in ours.scores] == ["bbox"]
    assert ours.scores[0].figures["AP"] == 0.0


def test_no_detection_where_it_counts(score: Score) -> None:
    # all on a category that nobody looked for: as if there were none
    truth: dict[str, Any] = {"images": [image(1)], "annotations": [thing(1, 1, 1, [0, 0, 9, 9])]}
    truth["categories"] = [category(1, "r"), category(2, "c")]
    world = World(truth, [found(1, 2, [0, 0, 9, 9], 0.5, mask=True)])
    ours = score(world)
    assert_equal(ours, score(world, backend="lvis"))
    assert ours.scores[0].figures["AP_r"] == 0.0


def test_annotation_id_0_is_a_match(score: Score) -> None:
    # lvis-api keeps the matched id and reads 0 as unmatched
    truth: dict[str, Any] = {"images": [image(1)], "annotations": [thing(0, 1, 1, [0, 0, 40, 40])]}
    truth["categories"] = [category(1, "r")]
    world = World(truth, [found(1, 1, [0, 0, 40, 40], 0.5, mask=True)])
    for backend in ("hotcoco", "lvis"):
        for scores in score(world, backend=backend).scores:
            assert scores.figures["AP"] == pytest.approx(1.0)


def test_label_space_without_groups(tmp_path: Path) -> None:
    annotations, results = generate(4).write(tmp_path)
    truth = truth_of_lvis(annotations)
    place = truth.categories.schema.get_field_index("frequency")
    nulls = pa.nulls(truth.categories.num_rows, pa.string())
    truth = replace(truth, categories=truth.categories.set_column(place, "frequency", nulls))
    entries = read_results(results, truth)
    ours = evaluate(entries, truth)
    assert_equal(ours, evaluate(entries, truth, backend="lvis"))
    for scores in ours.scores:
        assert [scores.figures[f"AP_{group}"] for group in "rcf"] == [UNDEFINED] * 3
