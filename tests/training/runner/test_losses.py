"""A loss that is not finite ends the run, names the images, and is never saved."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lvis_merge.training.runner.checkpoint_folder import checkpoints
from lvis_merge.training.runner.loss_history import BatchImage, LossHistory, images_of
from tests.training.runner.conftest import Apart, toy_run


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="at its own step"),
        pytest.param({"train_dataloader__num_workers": 2}, id="workers"),
        # the 8th batch is the second of its step
        pytest.param({"optim_wrapper__accumulative_counts": 2}, id="accumulation"),
    ],
)
def test_stops_at_nan(apart: Apart, tmp_path: Path, changes: dict[str, Any]) -> None:
    changes = {**changes, "train_dataloader__dataset__nan_at": 7 * 4 + 2}
    ended = apart(toy_run, changes, tmp_path)
    assert ended.code == 3
    file = tmp_path / "not_finite_iter_7_rank_0.json"
    written = json.loads(file.read_text())
    assert written["iteration"] == 7
    assert written["positions"] == [28, 29, 30, 31]
    assert written["losses"]["loss"] == "nan"
    assert all(f"images/{n - 1000}.jpg" in written["files"] for n in written["image_ids"])
    listed = ", ".join(map(str, written["image_ids"]))
    assert "lvis-merge: iteration 7: the loss is not finite (loss, loss_cls)" in ended.stderr
    assert f"Images of that batch: {listed}; all in {file}" in ended.stderr
    # a checkpoint was due at this very step
    assert [path.name for path in checkpoints(tmp_path)] == ["iter_4.pth"]


@pytest.mark.slow
def test_weights_are_checked_before_they_are_saved(apart: Apart, tmp_path: Path) -> None:
    """A finite loss with infinite gradients spoils the weights one step before the loss shows."""
    ended = apart(_spoil_a_weight, tmp_path)
    assert ended.code == 3
    assert "iteration 7: a weight after this step is not finite" in ended.stderr
    assert [path.name for path in checkpoints(tmp_path)] == ["iter_4.pth"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_an_image_that_is_not_there(apart: Apart, tmp_path: Path, workers: int) -> None:
    """The dataset's message, not the traceback that a worker wraps it in."""
    changes = {"train_dataloader__num_workers": workers, "train_dataloader__dataset__missing": 9}
    ended = apart(toy_run, changes, tmp_path)
    assert ended.code == 3
    assert ended.stderr.rstrip().endswith("is not there.")
    assert "lvis-merge: images/" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_history_finds_the_first() -> None:
    history = LossHistory()
    for iteration, value in enumerate([1.0, float("inf"), float("nan")]):
        outputs = {"loss": torch.tensor(value), "acc": 0.5}
        history.add(iteration, outputs, [BatchImage(iteration, None, None)])
    assert history.fault is None  # nothing was read yet
    known = history.taken()
    assert [entry.values["acc"] for entry in known] == [0.5] * 3
    assert history.fault is not None
    assert (history.fault.iteration, history.fault.images[0].image_id) == (1, 1)
    assert history.taken() == []


def test_only_the_total_must_be_finite() -> None:
    """A figure that is only logged may be undefined: an accuracy of no proposals, say."""
    history = LossHistory()
    history.add(0, {"loss": torch.tensor(1.0), "acc": torch.tensor(float("nan"))}, [])
    history.read(up_to=1)
    assert history.fault is None


def test_waits_for_no_copy_of_the_current_step() -> None:
    """What has not arrived is left for later, unless it belongs to an earlier step."""
    history = LossHistory()
    copies = [_Copy(), _Copy()]
    for iteration, copied in enumerate(copies):
        history.add(iteration, {"loss": torch.tensor(1.0)}, [])
        history._pending[-1].copied = copied
    history.read(up_to=1)
    assert [copied.waited for copied in copies] == [True, False]
    assert history.latest is not None
    assert history.latest.iteration == 0


def test_images_of_another_batch_form() -> None:
    assert images_of([1, 2]) == []
    assert images_of({"inputs": [1]}) == []


class _Copy:
    """A copy off a GPU that has not arrived."""

    waited = False

    def query(self) -> bool:
        return self.waited

    def synchronize(self) -> None:
        self.waited = True


def _spoil_a_weight(work_dir: Path) -> int:
    from mmengine.hooks import Hook
    from mmengine.registry import HOOKS

    @HOOKS.register_module()
    class SpoilHook(Hook):
        def after_train_iter(self, runner: Any, batch_idx: int, **kwargs: Any) -> None:
            if batch_idx == 7:
                with torch.no_grad():
                    runner.model.fc_cls.bias[1] = float("inf")

    return toy_run({"custom_hooks": [{"type": "SpoilHook"}]}, work_dir)
