"""A test run as a whole: what it writes, how it goes on, what it refuses."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from lvis_merge.errors import InputError
from lvis_merge.evaluation import evaluate, read_results, truth_of_manifest
from lvis_merge.evaluation.known import Known
from lvis_merge.manifest import open as open_manifest
from lvis_merge.testing.inference import output
from lvis_merge.testing.inference import run as run_module
from lvis_merge.testing.inference.output import RunOutcome
from lvis_merge.testing.inference.plan import RunPlan
from lvis_merge.testing.inference.run import run_test
from lvis_merge.testing.inference.views import Scale
from lvis_merge.testing.pools import read_pool
from tests.testing.inference.conftest import Recipe

pytestmark = pytest.mark.slow

ANYTHING = Known("none")
THREE_IMAGES = "val_dataloader.dataset.indices=3"
Made = Callable[..., tuple[RunPlan, Callable[..., RunOutcome]]]


@pytest.fixture
def made(recipe: Recipe, checkpoint: Callable[[Any], Path], plan: Callable[..., RunPlan]) -> Made:
    """A plan, and what runs it."""

    def of(*changes: str, **options: Any) -> tuple[RunPlan, Callable[..., RunOutcome]]:
        config, loader = recipe(changes)
        whole = plan(checkpoint(config), **options)

        def tested(other: RunPlan = whole) -> RunOutcome:
            outcome = run_test(other, config, loader)
            assert outcome is not None
            return outcome

        return whole, tested

    return of


def files(outcome: RunOutcome) -> list[bytes | None]:
    return [path and path.read_bytes() for path in (outcome.results, outcome.pool)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The images that were worked on; the run ends when there are `limit` of them."""
    seen: list[int] = []
    find = run_module.found_on_image

    def found(network: Any, views: Any, wanted: Any) -> Any:
        record = find(network, views, wanted=wanted)
        seen.append(views.image_id)
        return record

    monkeypatch.setattr(run_module, "found_on_image", found)
    return seen


def test_results_and_pool(made: Made, demo_manifest: Path) -> None:
    """Results are the pool's best, 100 an image as the recipe says, with masks; both evaluate."""
    plan, tested = made(pool=150)
    outcome = tested()
    truth = truth_of_manifest(open_manifest(demo_manifest), "val")
    results = read_results(str(outcome.results), truth).detections
    pool = read_pool(str(outcome.pool), truth.known).results.detections
    assert (outcome.images, outcome.views, outcome.masks) == (8, 1, True)
    assert (outcome.detections, outcome.pooled) == (len(results), len(pool))
    assert set(Counter(results.image_id.tolist()).values()) == {100}
    assert max(Counter(pool.image_id.tolist()).values()) == 150
    for image_id in truth.images["image_id"].to_pylist():
        best = pool.at(pool.image_id == image_id)
        here = results.at(results.image_id == image_id)
        assert (np.diff(best.score) <= 0).all()
        assert (here.category_id == best.category_id[:100]).all()
        assert np.allclose(here.score, best.score[:100])
    assert len(evaluate(read_results(str(outcome.results), truth), truth).scores) == 2
    assert not (plan.out / ".unfinished").exists()


def test_views_are_merged(made: Made) -> None:
    """More views find more; the same views give the same bytes."""
    views = {"scales": (Scale(128, 171), Scale(192, 256)), "flip": True}
    plan, tested = made(THREE_IMAGES, **views, pool=9000)
    outcome = tested()
    assert outcome.views == 4
    again = tested(replace(plan, out=plan.out.with_name("again")))
    assert files(again) == files(outcome)
    single = tested(replace(plan, out=plan.out.with_name("single"), scales=(), flip=False))
    assert outcome.pooled > single.pooled
    found = [read_results(str(one.results), ANYTHING).detections for one in (outcome, single)]
    assert found[0].score.mean() > found[1].score.mean()


def test_finished_images_are_not_redone(
    made: Made, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after three images and started again: the others are done, the files are the same."""
    plan, tested = made()
    whole = files(tested())
    assert len(counted) == len(set(counted)) == 8
    broken = replace(plan, out=plan.out.with_name("broken"))
    counted.clear()
    loaded = run_module.loaded

    def three(*arguments: Any) -> Iterator[Any]:
        for number, image in enumerate(loaded(*arguments)):
            if number == 3:
                raise InputError("the power went out")
            yield image

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "loaded", three)
        with pytest.raises(InputError, match="power"):
            tested(broken)
    assert not (broken.out / "results.json").exists()
    first = counted.copy()
    counted.clear()
    assert files(tested(broken)) == whole
    assert len(first) == 3
    assert len(counted) == 5
    assert set(first).isdisjoint(counted)


def test_a_complete_run_is_not_done_again(made: Made, counted: list[int]) -> None:
    _, tested = made(pool=0, masks=False)
    outcome = tested()
    assert outcome.pool is None
    counted.clear()
    assert tested() == outcome
    assert counted == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"flip": True}, "flip false, now true"),
        ({"scales": (Scale(100, 200),)}, 'scales [], now ["100x200"]'),
        ({"pool": 7}, "pool 1000, now 7"),
    ],
)
def test_another_runs_folder_is_left_alone(made: Made, changes: dict[str, Any], named: str) -> None:
    """Neither a complete run nor a broken one is mixed with another."""
    plan, tested = made(masks=False)
    before = files(tested())
    with pytest.raises(InputError, match="holds another test run") as error:
        tested(replace(plan, **changes))
    assert named in str(error.value)
    assert files(tested()) == before


def test_a_folder_of_something_else_is_left_alone(made: Made) -> None:
    plan, tested = made()
    plan.out.mkdir()
    (plan.out / "thesis.tex").write_text("chapter")
    with pytest.raises(InputError, match="not empty, and no folder of `lvis-merge test`"):
        tested()


@pytest.mark.parametrize("moment", ["before the plan", "before the record", "before the end"])
def test_killed_while_folders_are_made_or_files_written(
    made: Made, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step can be the last one of a start; the next start finishes, and leaves nothing."""
    plan, tested = made(masks=False)
    with monkeypatch.context() as patch:
        patch.setattr(output, "shutil", SimpleNamespace(rmtree=lambda folder: None))
        whole = files(tested())
    if moment == "before the plan":
        # journals without a plan are of nobody knows which run: they must not be read
        for name in ("results.json", "pool.parquet", "test.json", ".unfinished/plan.json"):
            (plan.out / name).unlink()
        for journal in (plan.out / ".unfinished").iterdir():
            journal.write_bytes(journal.read_bytes()[:-1] + b"?")
    elif moment == "before the record":
        (plan.out / "test.json").unlink()
        (plan.out / ".pool.parquet.partial-17").mkdir()
    assert files(tested()) == whole
    assert sorted(path.name for path in plan.out.iterdir()) == [
        "pool.parquet", "results.json", "test.json"
    ]  # fmt: skip


def test_a_mistake_can_be_corrected_where_nothing_was_tested(made: Made, tmp_path: Path) -> None:
    """A plan that was refused before the first image binds nobody."""
    boxes = tmp_path / "boxes.json"
    good = {"image_id": 12345678, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.5}
    boxes.write_text(json.dumps([good]))
    plan, tested = made(boxes=str(boxes))
    with pytest.raises(InputError, match="entry 1"):
        tested()
    assert tested(replace(plan, lenient=True)).detections == 0


def test_a_file_of_a_complete_run_that_is_gone_is_told(made: Made) -> None:
    plan, tested = made(masks=False)
    tested().results.unlink()
    with pytest.raises(InputError, match=r"results.json of this complete test is gone"):
        tested(plan)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_image_is_one_message(
    made: Made, demo_image_roots: list[str], tmp_path: Path, workers: int
) -> None:
    """Also out of a worker's process, where torch wraps it into a traceback."""
    plan, tested = made(f"val_dataloader.num_workers={workers}")
    root = tmp_path / "images"
    shutil.copytree(demo_image_roots[0], root)
    for path in root.rglob("*.jpg"):
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="is damaged, cut short or no image") as error:
        tested(replace(plan, image_roots=(str(root), *demo_image_roots[1:])))
    assert "Traceback" not in str(error.value)
    _let_go(error.value)
    assert multiprocessing.active_children() == []


def _let_go(error: BaseException | None) -> None:
    """Frees what the frames of an error hold: a loader's workers end with the loader.

    The command's process ends here, and its workers with it; this one goes on. Left to the garbage
    collector, the loader's queues may be closed before it can tell its workers to end.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def test_boxes_far_larger_than_their_image_are_told(
    made: Made, demo_manifest: Path, tmp_path: Path
) -> None:
    """The mask head would sample them for ever."""
    truth = truth_of_manifest(open_manifest(demo_manifest), "val")
    entry = {
        "image_id": truth.images["image_id"][0].as_py(),
        "category_id": truth.categories["category_id"][0].as_py(),
        "bbox": [0, 0, 1e7, 5], "score": 0.5,
    }  # fmt: skip
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([entry]))
    _, tested = made(boxes=str(boxes))
    with pytest.raises(InputError, match="entry 1: its box is over 10 times"):
        tested()


def test_given_boxes_get_the_masks_that_found_ones_get(made: Made, tmp_path: Path) -> None:
    """`--boxes` at the same views: the same masks, the entries as they were to the digit."""
    views = {"scales": (Scale(128, 171), Scale(192, 256)), "flip": True}
    plan, tested = made(THREE_IMAGES, **views)
    found = json.loads(tested().results.read_text())
    bare = [{k: v for k, v in entry.items() if k != "segmentation"} for entry in found]
    given = tmp_path / "boxes.json"
    given.write_text(json.dumps(bare[::-1]))  # in another order
    outcome = tested(replace(plan, out=tmp_path / "masked", boxes=str(given)))
    assert outcome.pool is None
    masked = json.loads(outcome.results.read_text())
    assert len(masked) == len(found)

    def keyed(entries: list[dict[str, Any]]) -> dict[str, Any]:
        named = ("image_id", "category_id", "bbox", "score")
        return {json.dumps([entry[name] for name in named]): entry for entry in entries}

    ours, theirs = keyed(masked), keyed(found)
    same = sum(ours[key]["segmentation"] == e["segmentation"] for key, e in theirs.items())
    # a box written as x, y, w, h and read back may differ in its last bit
    assert same >= len(theirs) - len(theirs) // 50


def test_boxes_outside_their_image_get_empty_masks(
    made: Made, demo_manifest: Path, tmp_path: Path
) -> None:
    """mmdet's pasting stops at them; a results file may hold any."""
    truth = truth_of_manifest(open_manifest(demo_manifest), "val")
    image_id = truth.images["image_id"][0].as_py()
    category_id = truth.categories["category_id"][0].as_py()
    outside = ([500, 10, 20, 20], [-50, 10, 20, 20], [10, -60, 20, 30], [10, 900, 5, 5])
    flat = ([30, 30, 0, 20], [30, 30, 20, 0])
    boxes = tmp_path / "boxes.json"
    entries = [
        {"image_id": image_id, "category_id": category_id, "bbox": bbox, "score": 0.5}
        for bbox in (*outside, *flat, [20, 20, 90, 90])
    ]
    boxes.write_text(json.dumps(entries))
    _, tested = made(boxes=str(boxes))
    masked = json.loads(tested().results.read_text())
    assert [entry["bbox"] for entry in masked] == [entry["bbox"] for entry in entries]
    areas = [coco_mask.area(entry["segmentation"]) for entry in masked]
    assert areas[:6] == [0] * 6
    assert areas[6] > 0


def test_a_model_that_finds_nothing(made: Made, demo_manifest: Path) -> None:
    """An empty list is a result: every figure is 0, not missing."""
    _, tested = made("model.test_cfg.rcnn.score_thr=0.999")
    outcome = tested()
    assert (outcome.detections, outcome.pooled) == (0, 0)
    assert json.loads(outcome.results.read_text()) == []
    truth = truth_of_manifest(open_manifest(demo_manifest), "val")
    assert read_pool(str(outcome.pool), truth.known).results.entries == 0


def test_a_model_without_masks(made: Made, tmp_path: Path) -> None:
    plan, tested = made("model.roi_head.mask_head=None", "model.roi_head.mask_roi_extractor=None")
    outcome = tested()
    assert not outcome.masks
    assert "segmentation" not in json.loads(outcome.results.read_text())[0]
    masked = replace(plan, out=tmp_path / "masked", boxes=str(outcome.results))
    with pytest.raises(InputError, match="has no mask head"):
        tested(masked)


def test_a_checkpoint_of_another_detector(made: Made, recipe: Recipe, tmp_path: Path) -> None:
    """Nothing is left at its initial value: every weight has to be there, of its shape."""
    plan, tested = made()
    state = torch.load(plan.checkpoint, weights_only=True)["state_dict"]
    cases = {
        "are missing: backbone.conv1.weight": {
            k: v for k, v in state.items() if k != "backbone.conv1.weight"
        },
        "are not in the model: head.more": {**state, "head.more": torch.zeros(1)},
        r"have another shape: backbone.conv1.weight \[1\]": {
            **state, "backbone.conv1.weight": torch.zeros(1)
        },
    }  # fmt: skip
    for number, (message, weights) in enumerate(cases.items()):
        other = replace(plan, checkpoint=tmp_path / "other.pth", out=tmp_path / str(number))
        torch.save(weights, other.checkpoint)
        with pytest.raises(InputError, match=message):
            tested(other)


def test_a_checkpoint_of_other_labels(made: Made, tmp_path: Path) -> None:
    """Equally many classes may be others; only what a checkpoint records can tell."""
    plan, tested = made()
    state = torch.load(plan.checkpoint, weights_only=True)["state_dict"]
    meta = {
        "recipe": "mini", "label_space": "lvis", "manifest_sha256": None, "holdout_sha256": None,
        "classes": ["a"], "category_ids": [1], "seed": 0, "world_size": 1, "batch_size": 1,
        "accumulate": 1, "max_iters": 1, "settings": {},
    }  # fmt: skip
    torch.save({"state_dict": state, "meta": meta}, plan.checkpoint)
    with pytest.raises(InputError, match="trained on other labels"):
        tested()


def test_boxes_of_unknown_images_are_told(made: Made, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    entry = {"image_id": 12345678, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.5}
    boxes.write_text(json.dumps([entry]))
    _, tested = made(boxes=str(boxes))
    with pytest.raises(InputError, match="entry 1"):
        tested()
