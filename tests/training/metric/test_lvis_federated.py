"""The metric in the loop: the figures of `lvis-merge evaluate`, without a results file."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger

from lvis_merge.errors import InputError
from lvis_merge.evaluation import evaluate, read_results, truth_of_manifest
from lvis_merge.evaluation.scores import PAPER_FIGURES
from lvis_merge.manifest import open as open_manifest
from lvis_merge.training.metric import LVISFederatedMetric
from tests.cli.command import run
from tests.training.metric.scored_world import Samples, ScoredWorld, scored_world

__all__ = ["run"]

Figures = dict[str, float]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ScoredWorld:
    return scored_world(tmp_path_factory.mktemp("scored"))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the training's log got."""
    text = io.StringIO()
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(text)])
    return text.getvalue


def score(world: ScoredWorld, samples: Samples, **options: Any) -> Figures:
    metric = LVISFederatedMetric(str(world.manifest), **options)
    for start in range(0, len(samples), 2):  # batches of 2
        metric.process({}, samples[start : start + 2])
    return metric.evaluate(len(samples))


def test_same_figures_as_the_command(run: Callable[..., Any], world: ScoredWorld) -> None:
    figures = score(world, list(reversed(world.samples)))
    outcome = run("evaluate", str(world.results), "--manifest", str(world.manifest), "--json")
    told = json.loads(outcome.stdout)
    assert told["over_cap"] > 0  # an image has more than 300
    assert figures == {
        f"lvis/{kind}_{name}": told[kind][name]
        for kind in ("bbox", "segm")
        for name in PAPER_FIGURES
    }
    assert 0 < figures["lvis/bbox_AP"] != figures["lvis/segm_AP"] > 0


@dataclass(frozen=True)
class Choice:
    """What is asked of the metric, and which figures come."""

    metric: str | tuple[str, ...]
    prefix: str | None
    names: tuple[str, ...]


CHOICES = {
    # boxes of a model that has masks, too
    "boxes": Choice("bbox", None, ("lvis/bbox_",)),
    "masks": Choice(("segm",), None, ("lvis/segm_",)),
    "both, renamed": Choice(("bbox", "segm"), "mine", ("mine/bbox_", "mine/segm_")),
}


@pytest.mark.parametrize("name", CHOICES)
def test_figures_asked_for(world: ScoredWorld, name: str) -> None:
    choice = CHOICES[name]
    figures = score(world, world.samples, metric=choice.metric, prefix=choice.prefix)
    assert list(figures) == [start + figure for start in choice.names for figure in PAPER_FIGURES]
    whole = score(world, world.samples)
    for key, value in figures.items():
        assert value == whole[f"lvis/{key.partition('/')[2]}"]


def blind(samples: Samples) -> Samples:
    """The same images, and nothing found."""
    empty = {
        "bboxes": torch.zeros(0, 4), "scores": torch.zeros(0),
        "labels": torch.zeros(0, dtype=torch.int64), "masks": torch.zeros(0, 120, 160).bool(),
    }  # fmt: skip
    return [{"img_id": sample["img_id"], "pred_instances": empty} for sample in samples]


def test_no_detections_is_zero(world: ScoredWorld) -> None:
    figures = score(world, blind(world.samples))
    assert set(figures.values()) == {0.0}


def test_undefined_is_minus_one(world: ScoredWorld) -> None:
    """One image, whose objects are not of all groups."""
    truth = truth_of_manifest(open_manifest(world.manifest), "val")
    groups = dict(zip(truth.categories["category_id"].to_pylist(), truth.frequencies, strict=True))
    objects = truth.objects.to_pandas()[["image_id", "category_id"]]
    missing = {
        image_id: set("rcf") - set(rows["category_id"].map(groups))
        for image_id, rows in objects.groupby("image_id")
    }
    image_id, groups_without = next((i, found) for i, found in missing.items() if found)
    one = [sample for sample in world.samples if sample["img_id"] == image_id]
    figures = score(world, one)
    for group in "rcf":
        assert (figures[f"lvis/bbox_AP_{group}"] == -1.0) == (group in groups_without)


def test_only_served_images_are_scored(
    world: ScoredWorld, tmp_path: Path, logged: Callable[[], str]
) -> None:
    """A loader over part of the split: the same as a ground truth of that part."""
    served = world.samples[2:6]
    ids = [sample["img_id"] for sample in served]
    figures = score(world, served)
    assert "4 of 9 images were served; only these are scored." in logged()
    truth = truth_of_manifest(open_manifest(world.manifest), "val")
    results = tmp_path / "part.json"
    every = json.loads(world.results.read_text())
    results.write_text(json.dumps([row for row in every if row["image_id"] in ids]))
    images = truth.images.to_pandas()
    part = type(truth)(
        "part",
        truth.images.filter(images["image_id"].isin(ids).to_numpy()),
        truth.objects.filter(truth.objects.to_pandas()["image_id"].isin(ids).to_numpy()),
        truth.categories,
    )
    outcome = evaluate(read_results(str(results), part), part)
    for scores in outcome.scores:
        for name in PAPER_FIGURES:
            assert figures[f"lvis/{scores.kind}_{name}"] == scores.figures[name]
    assert figures != score(world, world.samples)


def test_an_image_served_twice_counts_once(world: ScoredWorld) -> None:
    """Samplers pad by starting again."""
    assert score(world, [*world.samples, *world.samples[:3]]) == score(world, world.samples)


def test_starts_anew_after_each_evaluation(world: ScoredWorld) -> None:
    metric = LVISFederatedMetric(str(world.manifest))
    metric.process({}, world.samples)
    first = metric.evaluate(len(world.samples))
    metric.process({}, blind(world.samples))
    assert metric.evaluate(len(world.samples))["lvis/bbox_AP"] == 0 < first["lvis/bbox_AP"]


def test_table_is_logged(world: ScoredWorld, logged: Callable[[], str]) -> None:
    metric = LVISFederatedMetric(str(world.manifest))
    assert metric.table == ""
    metric.process({}, world.samples)
    figures = metric.evaluate(len(world.samples))
    assert metric.table in logged()
    assert "were served" not in logged()  # all of them were
    words = metric.table.split()
    assert {"boxes", "masks", "AP_r", "AP50"} <= set(words)
    assert f"{100 * figures['lvis/segm_AP']:.1f}" in words


def without_masks(samples: Samples) -> Samples:
    return [
        {**one, "pred_instances": {k: v for k, v in one["pred_instances"].items() if k != "masks"}}
        for one in samples
    ]


def foreign(samples: Samples) -> Samples:
    return [{**samples[0], "img_id": 9001}]  # a train image


BAD = {
    # a name that is no kind
    "metric": ({"metric": "mask"}, None, "metric mask is unknown. Name bbox, segm or both."),
    # the split has no images
    "split": ({"split": "test"}, None, "has no objects to compare detections with"),
    # masks asked of a model without
    "no masks": ({}, without_masks, "predicts no masks. Say metric='bbox'"),
    # the loader serves another split
    "other split": ({}, foreign, "1 of the images served are not in it, such as 9001"),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_told(world: ScoredWorld, name: str) -> None:
    options, change, message = BAD[name]
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        score(world, change(world.samples) if change else [], **options)
