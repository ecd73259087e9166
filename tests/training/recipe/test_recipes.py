"""Every recipe of the package passes a dry run: no images, network, pretrained file or GPU."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from lvis_merge.training.recipe import list_recipes, load_recipe, resolve
from lvis_merge.training.recipe.dry_run import DryRun, dry_run
from lvis_merge.training.recipe.stack import import_stack

NAMES = [recipe.name for recipe in list_recipes()]

# design: all of these are there
PROMISED = {
    "coco_pretrain", "coco_pretrain_senet154", "challenge_baseline", "challenge_senet154",
    "challenge_open_images", "r50_bce", "r50_eql", "r50_eql_rfs", "r50_eqlv2", "r50_seesaw",
    "expert_coco", "expert_open_images", "mini", "mini_expert_coco", "mini_pretrain", "mini_bce",
    "mini_eql", "mini_rfs", "mini_eql_rfs", "mini_coco_all", "mini_coco_unmatched", "mini_coco_iou",
    "mini_coco_unmatched_iou", "mini_coco_tail", "mini_open_images", "mini_open_images_merged",
    "mini_open_images_all_negative", "mini_open_images_eql_merged", "mini_merged",
}  # fmt: skip

CLASS_LAYER = 2_049_000  # 2,048 to 1,000 classes


def offsets(*stages: tuple[int, int]) -> int:
    """Parameters of deformable blocks' offset convolutions, 3x3 to 18 channels."""
    return sum(blocks * (9 * width * 18 + 18) for blocks, width in stages)


# published ImageNet classifiers less their class layer; blocks of c3, c4, c5, and the channels that
# their 3x3 convolutions read
BACKBONES = {
    "ResNet": 25_557_032 - CLASS_LAYER,
    "ResNeXt": 83_455_272 - CLASS_LAYER + offsets((4, 512), (23, 1024), (3, 2048)),
    "SENet": 115_088_984 - CLASS_LAYER + offsets((8, 256), (36, 512), (3, 1024)),
}


@pytest.fixture(scope="module", autouse=True)
def stack() -> None:
    import_stack()


def no_network(*arguments: Any) -> None:
    raise AssertionError("a dry run needs no network")


def dry(name: str, manifest: Path, **options: Any) -> tuple[DryRun, list[str]]:
    said: list[str] = []
    config = resolve(load_recipe(name), manifest, training=False, say=said.append, **options)
    return dry_run(config), said


def test_all_promised_recipes_are_there() -> None:
    assert set(NAMES) >= PROMISED
    assert all(recipe.about for recipe in list_recipes())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_dry_run(
    name: str, demo_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    for start in ("kaiming_uniform_", "uniform_", "normal_"):  # most of the time of a large model
        monkeypatch.setattr(torch.nn.init, start, lambda tensor, *arguments, **named: tensor)
    run, said = dry(name, demo_manifest)
    assert (run.recipe, run.label_space) == (name, "lvis")
    # of another label space: said, not fatal
    warned = any("Training would stop here" in line for line in said)
    assert warned == (load_recipe(name).label_space != "lvis")
    whole, *parts = run.parameters
    assert whole.total == sum(part.total for part in parts)
    assert 0 < whole.trainable <= whole.total
    backbone = next(part for part in parts if part.name == "backbone")
    if not name.startswith("mini"):
        assert backbone.total == BACKBONES[load_recipe(name).model.backbone.type]
    assert run.images == sum(source.images for source in run.sources) > 0
    assert run.expected_epoch_length >= run.images
    assert run.epochs == pytest.approx(run.steps * run.total_batch / run.expected_epoch_length)
    assert run.rate.points[-1].step == run.steps - 1
    assert run.batch_size == run.total_batch
    assert sum(group.categories for group in run.groups) == run.num_classes
    json.dumps(asdict(run))
    # what is printed is Python
    compile(run.config, name, "exec")
    assert list(tmp_path.iterdir()) == []
