"""The figures of a dry run are the manifest's and the schedule's."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.training.recipe import load_recipe, resolve
from lvis_merge.training.recipe.dry_run import DryRun, dry_run
from lvis_merge.training.recipe.parameters import Parameters, count_parameters
from lvis_merge.training.recipe.show import print_dry_run
from lvis_merge.training.recipe.stack import import_stack
from lvis_merge.training.sampling import image_repeat_factors

LOSS = "model.roi_head.bbox_head.loss_cls"


@pytest.fixture(scope="module", autouse=True)
def stack() -> None:
    import_stack()


def dry(manifest: Path, *overrides: str, **options: int) -> DryRun:
    config = load_recipe("mini")
    return dry_run(
        resolve(config, manifest, (), overrides, training=False, say=lambda text: None, **options)
    )


def rows(manifest: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifests.open(manifest).arrow(table).to_pylist()
    return found


def test_the_data_by_source(demo_manifest: Path) -> None:
    run = dry(demo_manifest, "train_dataloader.sampler.repeat_threshold=0.1")
    images = rows(demo_manifest, "images")
    train = {row["image_id"]: row for row in images if row["split"] == "train"}
    objects = [
        row
        for row in rows(demo_manifest, "annotations")
        if row["role"] == "object" and row["image_id"] in train
    ]
    served = sorted({row["image_id"] for row in objects})
    labels = {row["category_id"]: at for at, row in enumerate(rows(demo_manifest, "categories"))}
    factors = image_repeat_factors(
        torch.tensor([served.index(row["image_id"]) for row in objects]).numpy(),
        torch.tensor([labels[row["category_id"]] for row in objects]).numpy(),
        [train[image]["source"] for image in served],
        len(labels),
        0.1,
        "merged",
        None,
    )
    assert run.images == len(served)
    assert run.expected_epoch_length == pytest.approx(factors.sum())
    assert factors.sum() > len(served)  # or nothing would have been compared
    for source in run.sources:
        mine = [at for at, image in enumerate(served) if train[image]["source"] == source.source]
        assert source.images == len(mine)
        assert source.draws == pytest.approx(factors[mine].sum())
        assert source.objects == sum(
            train[row["image_id"]]["source"] == source.source for row in objects
        )
    assert {source.source for source in run.sources} == {"lvis", "open_images"}
    assert run.val_images == sum(row["split"] == "val" for row in images)


def groups(run: DryRun) -> dict[str, tuple[int, int]]:
    return {one.group: (one.categories, one.tail) for one in run.groups}


def test_groups_and_tail(demo_manifest: Path) -> None:
    categories = rows(demo_manifest, "categories")

    def expected(is_tail: Callable[[dict[str, Any]], bool]) -> dict[str, tuple[int, int]]:
        mine = {group: [r for r in categories if r["frequency"] == group] for group in "rcf"}
        return {group: (len(found), sum(map(is_tail, found))) for group, found in mine.items()}

    # the manifest's own tail: r and c of a custom list
    own = dry(demo_manifest, f"{LOSS}.lambda_=None")
    assert (own.num_classes, own.tail_from) == (len(categories), "loss")
    assert groups(own) == expected(lambda row: row["frequency"] in "rc")
    # the loss's: n < lambda * N
    annotated = manifests.open(demo_manifest).record.eql.annotated_images
    loss = dry(demo_manifest, f"{LOSS}.lambda_={2 / annotated}")
    assert groups(loss) == expected(lambda row: row["image_count_lvis"] < 2)
    assert 0 < groups(loss)["r"][1] < groups(own)["r"][1]


def test_a_loss_without_a_tail_shows_the_manifests(demo_manifest: Path) -> None:
    run = dry(demo_manifest, f"{LOSS}={{'type': 'SigmoidBCELoss'}}")
    assert run.tail_from == "manifest"
    assert run.groups == dry(demo_manifest, f"{LOSS}.lambda_=None").groups


def test_ignore_regions(demo_manifest: Path) -> None:
    annotations = rows(demo_manifest, "annotations")
    train = {row["image_id"] for row in rows(demo_manifest, "images") if row["split"] == "train"}
    ignored = [row for row in annotations if row["role"] == "ignore" and row["image_id"] in train]
    run = dry(demo_manifest)
    for entry in run.ignore:
        assert entry.acts
        assert entry.rows == sum(row["ignore_reason"] == entry.reason for row in ignored)
    assert sum(entry.rows for entry in run.ignore) == len(ignored) > 0

    data = "train_dataloader.dataset"
    some = dry(demo_manifest, f"+{data}.ignore_reasons=['crowd']", f"+{data}.coco_boxes=unmatched")
    assert [entry.reason for entry in some.ignore if entry.acts] == ["crowd"]
    unmatched = sum(
        row["ignore_reason"] == "coco_box" and row["matched_annotation_id"] is None
        for row in ignored
    )
    assert next(e for e in some.ignore if e.reason == "coco_box").rows == unmatched
    # switched off in both assigners
    off = [f"+model.train_cfg.{stage}.assigner.ignore_iof_thr=-1" for stage in ("rpn", "rcnn")]
    assert not any(entry.acts for entry in dry(demo_manifest, *off).ignore)


def test_batches_and_steps(demo_manifest: Path) -> None:
    plain = dry(demo_manifest, "total_batch=8")
    run = dry(demo_manifest, "total_batch=8", "accumulate=2", world_size=2)
    assert (run.total_batch, run.world_size, run.accumulate, run.batch_size) == (8, 2, 2, 2)
    # in optimizer steps nothing has changed
    assert (run.steps, run.epochs) == (plain.steps, plain.epochs)
    assert [point.step for point in run.rate.points] == [point.step for point in plain.rate.points]


def test_it_is_printed_in_80_columns(demo_manifest: Path) -> None:
    run = dry(demo_manifest, "published={'ap': 26.1, 'source': 'somewhere'}")
    file = StringIO()
    print_dry_run(run, Console(file=file, width=80))
    text, _, config = file.getvalue().partition("resolved config")
    assert max(map(len, text.splitlines())) <= 80
    assert f"model               {run.parameters[0].total:,}" in text
    assert "published: ap 26.1, source somewhere" in text
    assert f"{run.expected_epoch_length:,.1f} draws" in text
    assert "no GPU" not in text
    assert "RepeatFactorSampler" in config


def test_parameters_are_counted_once() -> None:
    model = torch.nn.Module()
    model.backbone = torch.nn.Linear(3, 2)  # 8
    model.backbone.bias.requires_grad = False
    model.roi_head = torch.nn.Module()
    model.roi_head.bbox_head = torch.nn.Linear(2, 2)  # 6
    model.roi_head.mask_head = torch.nn.Linear(2, 2, bias=False)  # 4, shared below
    model.roi_head.extractor = torch.nn.ReLU()
    model.neck = torch.nn.Module()
    model.neck.shared = model.roi_head.mask_head
    assert count_parameters(model) == (
        Parameters("model", 18, 16),
        Parameters("backbone", 8, 6),
        Parameters("roi_head.bbox_head", 6, 6),
        Parameters("roi_head.mask_head", 4, 4),
        Parameters("neck", 4, 4),
    )


BROKEN = [
    # each part of a recipe that is built, with a wrong name or argument
    ("model.backbone.type=ResNett", "model cannot be built: KeyError: ResNett is not in the"),
    ("+model.backbone.deph=18", "model cannot be built: TypeError"),
    ("train_dataloader.dataset.split=tran", "tran"),
    ("train_dataloader.dataset.pipeline.2.type=Resise", "Resise"),
    ("train_dataloader.sampler.type=Sampler", "train_dataloader.sampler cannot be built"),
    ("optim_wrapper.optimizer.type=SGDD", "optim_wrapper cannot be built"),
    ("+optim_wrapper.optimizer.momentun=0.9", "optim_wrapper cannot be built"),
    ("param_scheduler.0.type=LineerLR", "param_scheduler cannot be built"),
]


@pytest.mark.parametrize(("override", "message"), BROKEN)
def test_what_cannot_be_built_is_one_message(
    override: str, message: str, demo_manifest: Path
) -> None:
    with pytest.raises(InputError) as error:
        dry(demo_manifest, override)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
