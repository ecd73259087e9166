"""A run that was killed and carried on equals one that was not, bit for bit."""

import random
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.training.runner.conftest import Apart, assert_same, toy_run

pytestmark = pytest.mark.slow

WORKERS = {"train_dataloader__num_workers": 2, "train_dataloader__prefetch_factor": 3}
ACCUMULATED = {"optim_wrapper__accumulative_counts": 2}


def killed_after(iteration: int) -> dict[str, Any]:
    hook = {"type": "SignalHook", "number": signal.SIGKILL, "after": iteration}
    return {"custom_hooks": [hook]}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="momentum, warm-up, clipping"),
        pytest.param(WORKERS, id="two workers"),
        pytest.param({**ACCUMULATED, **WORKERS}, id="accumulation"),
        pytest.param({"evaluated": True}, id="evaluation"),
    ],
)
def test_killed_at_any_iteration(
    apart: Apart, tmp_path: Path, changes: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Exact resume: model, optimizer, schedule, samples and random draws."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert apart(toy_run, changes, whole).code == 0
    iteration = random.Random(request.node.name).randrange(5, 19)
    ended = apart(toy_run, {**changes, **killed_after(iteration)}, broken)
    assert ended.code == -signal.SIGKILL
    saved = iteration // 4 * 4
    assert Path((broken / "last_checkpoint").read_text()).name == f"iter_{saved}.pth"
    ended = apart(toy_run, changes, broken, True)
    assert (ended.code, ended.stdout) == (0, "")
    assert f"resuming at iteration {saved} of 20" in ended.stderr
    assert_same(whole / "iter_20.pth", broken / "iter_20.pth")


def test_workers_make_no_difference(apart: Apart, tmp_path: Path) -> None:
    """Every sample and iteration is seeded by its place alone."""
    assert apart(toy_run, {}, tmp_path / "none").code == 0
    assert apart(toy_run, WORKERS, tmp_path / "two").code == 0
    assert_same(tmp_path / "none" / "iter_20.pth", tmp_path / "two" / "iter_20.pth")


def test_another_batch_size(apart: Apart, tmp_path: Path) -> None:
    """The samples go on where they were, and the user is told that the run is another."""
    trace = tmp_path / "trace"
    traced = {"train_dataloader__dataset__trace": str(trace)}
    assert apart(toy_run, {**traced, **killed_after(9)}, tmp_path / "run").code == -signal.SIGKILL
    trace.unlink()
    changes = {**traced, "train_dataloader__batch_size": 6, **ACCUMULATED}
    changes["train_cfg__max_iters"] = 40
    ended = apart(toy_run, changes, tmp_path / "run", True)
    assert ended.code == 0
    assert "resuming at iteration 16 of 40" in ended.stderr  # 8 steps, now of 2 batches each
    assert "6 images per process instead of 4" in ended.stderr
    assert "2 iterations per optimizer step instead of 1" in ended.stderr
    assert "no longer bit for bit" in ended.stderr
    positions = [int(line) for line in trace.read_text().split()]
    assert positions == list(range(8 * 4, 8 * 4 + 24 * 6))  # 24 batches of 6 after 8 of 4


def test_a_resumed_schedule_of_another_accumulation(apart: Apart, tmp_path: Path) -> None:
    """Twice the batches per step: the learning rate at a step is what it would have been."""
    assert apart(toy_run, killed_after(5), tmp_path / "run").code == -signal.SIGKILL
    schedule = [  # the recipe's, in batches
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "begin": 0, "end": 20},
        {"type": "MultiStepLR", "by_epoch": False, "milestones": [32], "gamma": 0.1},
    ]
    changes = {**ACCUMULATED, "param_scheduler": schedule, "train_cfg__max_iters": 40}
    ended = apart(toy_run, changes, tmp_path / "run", True)
    assert ended.code == 0
    lines = [line for line in ended.stderr.splitlines() if line.startswith("iteration")]
    rates = {line.split()[1]: line.partition("lr ")[2].split()[0] for line in lines}
    assert rates["10/40"] == "2.6e-02"  # 9 of 19 steps of the warm-up from 0.005 to 0.05
    assert rates["30/40"] == "5.0e-02"
    assert rates["35/40"] == "5.0e-03"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        # another model
        ({"model__width": 16}, "model.width (8, now 16)"),
        # another seed draws other samples
        ({"seed": 8}, "seed (7, now 8)"),
        # another schedule
        ({"optim_wrapper__optimizer__lr": 0.1}, "optim_wrapper.optimizer.lr (0.05, now 0.1)"),
        # another label space
        ({"label_space": "coco"}, "the label space (lvis, now coco)"),
    ],
)
def test_another_run(
    apart: Apart, tmp_path: Path, finished: Path, changes: dict[str, Any], told: str
) -> None:
    """A checkpoint is only carried on by the run that wrote it."""
    ended = apart(toy_run, changes, finished, True)
    assert ended.code == 3
    assert "another run's (recipe toy)" in ended.stderr
    assert told in ended.stderr


def test_what_may_change(apart: Apart, finished: Path, tmp_path: Path) -> None:
    """Workers, logging, evaluation and more iterations do not make it another run."""
    changes = {
        "train_dataloader__num_workers": 1,
        "default_hooks__logger__interval": 3,
        "evaluated": True,
        "train_cfg__max_iters": 22,
    }
    ended = apart(toy_run, changes, finished, True)
    assert ended.code == 0
    assert "22 optimizer steps in all instead of 20" in ended.stderr
    assert (finished / "iter_22.pth").is_file()


def test_nothing_to_resume(apart: Apart, tmp_path: Path) -> None:
    """--resume on the first start begins: one command for a job that is queued again."""
    assert apart(toy_run, {"train_cfg__max_iters": 4}, tmp_path / "run", True).code == 0


def test_a_folder_with_another_run(apart: Apart, finished: Path) -> None:
    """Without --resume nothing of an earlier run is overwritten."""
    ended = apart(toy_run, {}, finished)
    assert ended.code == 3
    assert "holds a run already (iter_20.pth)" in ended.stderr


@pytest.fixture
def finished(apart: Apart, tmp_path: Path) -> Path:
    """The folder of a run that is done."""
    assert apart(toy_run, {}, tmp_path / "finished").code == 0
    return tmp_path / "finished"
