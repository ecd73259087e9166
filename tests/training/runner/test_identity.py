"""What makes two starts the same run."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from lvis_merge.errors import InputError
from lvis_merge.manifest.read import open_manifest
from lvis_merge.training.runner.identity import RunIdentity, check_same_run, identity_of
from tests.manifest.small import small
from tests.training.runner.toy import ToyDataset

PATH = Path("iter_4.pth")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small().write(tmp_path_factory.mktemp("identity") / "manifest")


def recipe(manifest: Path, **changes: Any) -> Config:
    config = Config(
        {
            "recipe": "r50_eql",
            "manifest": str(manifest),
            "label_space": "lvis",
            "seed": 1,
            "model": {
                "backbone": {"depth": 50, "init_cfg": {"type": "Pretrained", "checkpoint": "a"}},
                "loss": {"type": "EqualizationLoss", "manifest": str(manifest)},
                "test_cfg": {"score_thr": 0.05},
            },
            "train_dataloader": {
                "dataset": {"manifest": str(manifest), "image_roots": ["a"], "pipeline": []},
                "sampler": {"type": "RepeatFactorSampler"},
                "num_workers": 2,
            },
            "optim_wrapper": {"optimizer": {"lr": 0.02}, "accumulative_counts": 1},
            "param_scheduler": [{"type": "MultiStepLR", "milestones": [6, 8]}],
            "train_cfg": {"max_iters": 10},
        }
    )
    config.merge_from_dict({name.replace("__", "."): value for name, value in changes.items()})
    return config


def identity(config: Config, batch_size: int = 4, world_size: int = 2) -> RunIdentity:
    return identity_of(config, ToyDataset(), batch_size, world_size)


def test_what_it_records(manifest: Path) -> None:
    found = identity(recipe(manifest))
    assert (found.recipe, found.label_space, found.seed) == ("r50_eql", "lvis", 1)
    assert found.category_ids == (3, 5, 9)
    assert found.images_per_iteration == 8
    record = open_manifest(manifest).record
    assert record.holdout is not None
    assert found.holdout_sha256 == record.holdout.sha256
    assert found.settings["optim_wrapper.optimizer.lr"] == "0.02"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"train_dataloader__dataset__image_roots": ["b"]}, id="images elsewhere"),
        pytest.param({"train_dataloader__num_workers": 8}, id="workers"),
        pytest.param({"model__backbone__init_cfg__checkpoint": "b"}, id="starting weights"),
        pytest.param({"model__test_cfg__score_thr": 0.1}, id="testing"),
        pytest.param({"work_dir": "elsewhere"}, id="work folder"),
    ],
)
def test_the_same_run(manifest: Path, changes: dict[str, Any]) -> None:
    before, after = identity(recipe(manifest)), identity(recipe(manifest, **changes))
    assert check_same_run(before, after, PATH) == []


def test_a_manifest_that_was_moved(manifest: Path, tmp_path: Path) -> None:
    """Its path stands in several places of a recipe; only its content counts."""
    moved = Path(shutil.copytree(manifest, tmp_path / "moved"))
    assert check_same_run(identity(recipe(manifest)), identity(recipe(moved)), PATH) == []
    text = (moved / "manifest.json").read_text()
    (moved / "manifest.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    with pytest.raises(InputError, match="the manifest"):
        check_same_run(identity(recipe(manifest)), identity(recipe(moved)), PATH)


@pytest.mark.parametrize(
    ("changes", "batch_size", "world_size", "told"),
    [
        pytest.param({}, 4, 4, ["4 processes instead of 2"], id="more GPUs"),
        pytest.param({}, 2, 2, ["2 images per process instead of 4"], id="smaller batches"),
        pytest.param(
            {"train_cfg__max_iters": 12}, 4, 2, ["12 optimizer steps in all instead of 10"], id="on"
        ),
        pytest.param(
            {
                "optim_wrapper__accumulative_counts": 2,
                "train_cfg__max_iters": 20,
                "param_scheduler": [{"type": "MultiStepLR", "milestones": [12, 16]}],
            },
            2,
            2,
            [
                "2 images per process instead of 4",
                "2 iterations per optimizer step instead of 1",
            ],
            id="the same steps in smaller batches",
        ),
    ],
)
def test_what_may_differ(
    manifest: Path, changes: dict[str, Any], batch_size: int, world_size: int, told: list[str]
) -> None:
    after = identity(recipe(manifest, **changes), batch_size, world_size)
    assert check_same_run(identity(recipe(manifest)), after, PATH) == told


def test_many_differences(manifest: Path) -> None:
    """The first few are named, the rest counted."""
    changes = {f"model__x{number}": number for number in range(8)}
    with pytest.raises(InputError, match=r"model\.x4 \(unset, now 4\) and 3 more\. Undo"):
        check_same_run(identity(recipe(manifest)), identity(recipe(manifest, **changes)), PATH)
