"""What a recipe becomes with a manifest, on a machine, with the user's changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from lvis_merge.errors import InputError, UsageError
from lvis_merge.training.recipe import resolve
from tests.manifest.change import change_record
from tests.manifest.other_spaces import coco_small, open_images_small
from tests.manifest.small import small
from tests.training.recipe.configs import small_config

CLASSES = 4  # of `small`


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Label space lvis, with val images and masks."""
    return small().write(tmp_path / "manifest")


@pytest.fixture(autouse=True)
def gpus(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets how many GPUs torch sees; none at first."""

    def see(number: int) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)

    see(0)
    return see


class Told:
    """Collects warnings."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines.append(text)


def resolved(config: Config, manifest: Path, **options: Any) -> tuple[dict[str, Any], list[str]]:
    told = Told()
    return resolve(config, manifest, say=told, **options).to_dict(), told.lines


def test_placeholders(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    found, _ = resolved(
        small_config(),
        Path("manifest"),
        image_roots=["images", "open_images=images"],
        work_dir="runs/x",
        seed=7,
    )
    roots = [str(tmp_path / "images"), f"open_images={tmp_path / 'images'}"]
    data = found["train_dataloader"]
    # absolute: a rank or a later --resume may stand in another folder
    assert data["dataset"]["manifest"] == str(manifest)
    assert data["dataset"]["image_roots"] == roots
    assert data["sampler"]["seed"] == 7
    head = found["model"]["roi_head"]
    assert head["bbox_head"]["num_classes"] == head["mask_head"]["num_classes"] == CLASSES
    assert head["bbox_head"]["loss_cls"]["manifest"] == str(manifest)
    assert found["custom"]["place"] == [str(tmp_path / "runs/x"), "<unknown>"]
    for name, value in {
        "manifest": str(manifest), "image_roots": roots, "num_classes": CLASSES, "seed": 7,
        "work_dir": str(tmp_path / "runs/x"), "recipe": "small", "world_size": 1,
    }.items():  # fmt: skip
        assert found[name] == value


def test_the_recipe_itself_stays(manifest: Path) -> None:
    config = small_config()
    resolve(config, manifest, overrides=["seed=3"], say=Told())
    assert config.to_dict() == small_config().to_dict()


def test_overrides_come_before_all_else(manifest: Path) -> None:
    found, _ = resolved(
        small_config(),
        manifest,
        overrides=["total_batch=8", "accumulate=2", "seed=5", "train_cfg.max_iters=10"],
        world_size=2,
    )
    assert found["train_dataloader"]["batch_size"] == 2
    assert found["optim_wrapper"]["accumulative_counts"] == 2
    assert found["train_cfg"] == {"max_iters": 20, "val_interval": 6}
    assert found["param_scheduler"][0]["milestones"] == [12, 16]
    assert found["default_hooks"]["checkpoint"]["interval"] == 6
    assert found["train_dataloader"]["sampler"]["seed"] == found["seed"] == 5


def test_no_workers_need_no_workers_options(manifest: Path) -> None:
    found, _ = resolved(small_config(), manifest, overrides=["train_dataloader.num_workers=0"])
    loader = found["train_dataloader"]
    assert loader["persistent_workers"] is False
    assert "prefetch_factor" not in loader
    assert found["val_dataloader"]["num_workers"] == 2


MACHINES: list[tuple[str, str, dict[str, Any], int, dict[str, Any], list[str]]] = [
    # device of the recipe, its amp and sync_bn, GPUs -> what it becomes, and what is said
    (
        "any, no GPU",
        "any",
        {},
        0,
        {"device": "cpu", "norm": "BN", "sync_bn": False, "wrapper": "OptimWrapper"},
        ["SyncBN: BN instead, on the CPU; each process has its own statistics"],
    ),
    (
        "any, a GPU",
        "any",
        {"sync_bn": True},
        1,
        {"device": "cuda", "norm": "SyncBN", "sync_bn": True, "wrapper": "OptimWrapper"},
        [],
    ),
    (
        "mixed precision",
        "cuda",
        {"sync_bn": True, "amp": True},
        8,
        {"device": "cuda", "norm": "SyncBN", "sync_bn": True, "wrapper": "AmpOptimWrapper"},
        [],
    ),
    (
        "mixed precision on a CPU",
        "cpu",
        {"amp": True, "sync_bn": True},
        8,
        {"device": "cpu", "norm": "BN", "sync_bn": False, "wrapper": "OptimWrapper"},
        [
            "amp: off, the CPU computes in float32",
            "SyncBN: BN instead, on the CPU; each process has its own statistics",
        ],
    ),
    (
        "SyncBN switched off",
        "cuda",
        {"sync_bn": False},
        1,
        {"device": "cuda", "norm": "BN", "sync_bn": False, "wrapper": "OptimWrapper"},
        ["SyncBN: BN instead, sync_bn is off; each process has its own statistics"],
    ),
]


@pytest.mark.parametrize(
    ("device", "switches", "number", "expected", "said"),
    [case[1:] for case in MACHINES],
    ids=[case[0] for case in MACHINES],
)
def test_machines(
    device: str,
    switches: dict[str, Any],
    number: int,
    expected: dict[str, Any],
    said: list[str],
    manifest: Path,
    gpus: Any,
) -> None:
    gpus(number)
    found, lines = resolved(small_config(device=device, **switches), manifest)
    assert {
        "device": found["device"],
        "norm": found["model"]["backbone"]["norm_cfg"]["type"],
        "sync_bn": found["sync_bn"],
        "wrapper": found["optim_wrapper"]["type"],
    } == expected
    assert lines == said


def test_a_gpu_recipe_without_a_gpu(manifest: Path) -> None:
    config = small_config(device="cuda", sync_bn=True)
    with pytest.raises(InputError, match="torch sees none here"):
        resolve(config, manifest, say=Told())
    # a dry run shows what it would be on one
    found, said = resolved(config, manifest, training=False)
    assert (found["device"], found["sync_bn"], said) == ("cuda", True, [])


def test_another_label_space(tmp_path: Path) -> None:
    manifest = coco_small().write(tmp_path / "coco")
    with pytest.raises(InputError) as error:
        resolve(small_config(), manifest, say=Told())
    assert str(error.value) == (
        f"{manifest}: is of label space coco, and the recipe small is for lvis. Take a recipe for"
        " coco, or build with --label-space lvis."
    )
    found, said = resolved(small_config(), manifest, training=False)
    assert found["num_classes"] == 3
    assert said[0] == f"{error.value} Training would stop here."


def test_another_schema_version(manifest: Path) -> None:
    change_record(manifest, schema_version=2)
    with pytest.raises(InputError, match="schema version 2"):
        resolve(small_config(), manifest, say=Told())


def test_no_val_split(tmp_path: Path) -> None:
    # coco_small has train images only
    manifest = coco_small().write(tmp_path / "coco")
    found, said = resolved(small_config(label_space="coco"), manifest)
    for name in ("val_dataloader", "val_cfg", "val_evaluator"):
        assert found[name] is None
    assert found["default_hooks"]["checkpoint"] == {"interval": 3, "save_best": None}
    assert said[0] == "the manifest has no val split: no evaluation, and no best checkpoint"


def test_a_recipe_without_evaluation(manifest: Path) -> None:
    found, said = resolved(
        small_config(val_dataloader=None, val_cfg=None, val_evaluator=None), manifest
    )
    assert found["val_evaluator"] is None
    assert [line for line in said if "val" in line] == []


def test_masks_are_evaluated_where_there_are_any(manifest: Path, tmp_path: Path) -> None:
    found, _ = resolved(small_config(), manifest)
    assert found["val_evaluator"][0]["metric"] == ("bbox", "segm")
    assert found["default_hooks"]["checkpoint"]["save_best"] == "lvis/segm_AP"
    # no mask in the manifest
    boxes = open_images_small().write(tmp_path / "boxes")
    found, said = resolved(small_config(label_space="open_images"), boxes)
    assert found["val_evaluator"][0]["metric"] == ("bbox",)
    assert found["default_hooks"]["checkpoint"]["save_best"] == "lvis/bbox_AP"
    assert any(line.startswith("the manifest has no masks") for line in said)
    # no mask head in the model
    config = small_config()
    del config.model.roi_head["mask_head"]
    found, said = resolved(config, manifest)
    assert found["val_evaluator"][0]["metric"] == ("bbox",)
    assert not any("masks" in line for line in said)


def test_a_fixed_number_of_classes_must_be_the_manifests(manifest: Path) -> None:
    config = small_config()
    config.model.roi_head.bbox_head.num_classes = CLASSES
    resolve(config, manifest, say=Told())
    config.model.roi_head.bbox_head.num_classes = 80
    with pytest.raises(InputError) as error:
        resolve(config, manifest, say=Told())
    assert str(error.value) == (
        f"model.roi_head.bbox_head.num_classes is 80, and the manifest has {CLASSES} categories."
        " Write num_classes='<num_classes>'."
    )


def test_a_recipe_that_sets_too_little(manifest: Path) -> None:
    config = small_config(total_batch=None, train_cfg=None)
    with pytest.raises(InputError, match=r"small\.py: sets no train_cfg, total_batch\."):
        resolve(config, manifest, say=Told())


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"overrides": ["lr=1"]}, InputError, "Did you mean optim_wrapper.optimizer.lr?"),
    ({"overrides": ["device=tpu"]}, InputError, "device is 'tpu'"),
    ({"world_size": 3}, InputError, "total_batch 4 cannot be shared by 3 GPUs"),
    ({"image_roots": ["/no/such/folder"]}, UsageError, "no such folder"),
]


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED)
def test_refused(
    options: dict[str, Any], kind: type[Exception], message: str, manifest: Path
) -> None:
    with pytest.raises(kind) as error:
        resolve(small_config(), manifest, say=Told(), **options)
    assert message in str(error.value)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a manifest"):
        resolve(small_config(), tmp_path, say=Told())
