"""Ctrl-C and SIGTERM finish the step, save, and say how to carry on."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.training.runner.checkpoint_folder import checkpoints
from tests.training.runner.conftest import Apart, assert_same, toy_run
from tests.training.runner.toy import run, toy_config

pytestmark = pytest.mark.slow

WORKERS = {"train_dataloader__num_workers": 2}
ACCUMULATED = {"optim_wrapper__accumulative_counts": 2}


def signalled(number: int, **options: Any) -> dict[str, Any]:
    return {"custom_hooks": [{"type": "SignalHook", "number": number, **options}]}


@pytest.mark.parametrize(
    ("number", "code", "changes", "stopped"),
    [
        pytest.param(signal.SIGTERM, 143, {}, 7, id="preemption"),
        pytest.param(signal.SIGINT, 130, WORKERS, 7, id="Ctrl-C, with workers"),
        pytest.param(signal.SIGHUP, 143, {}, 7, id="the terminal is gone"),
        # between two optimizer steps only
        pytest.param(signal.SIGTERM, 143, ACCUMULATED, 8, id="accumulation"),
    ],
)
def test_stops_saves_resumes(
    apart: Apart, tmp_path: Path, number: int, code: int, changes: dict[str, Any], stopped: int
) -> None:
    """Exit code, message, a checkpoint of that very step, and a resumed run that is the same."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert apart(toy_run, changes, whole).code == 0
    ended = apart(toy_run, {**changes, **signalled(number, after=6)}, broken)
    assert (ended.code, ended.stdout) == (code, "")
    saved = broken / f"iter_{stopped}.pth"
    assert f"stopped at iteration {stopped} of 20, saved in {saved}." in ended.stderr
    assert "--resume carries on" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert apart(toy_run, changes, broken, True).code == 0
    assert_same(whole / "iter_20.pth", broken / "iter_20.pth")


def test_one_order_may_come_twice(apart: Apart, tmp_path: Path) -> None:
    """A scheduler and torchrun both hand on the same order: the second is no impatient user."""
    ended = apart(_twice_at_once, tmp_path / "run")
    assert ended.code == 143
    assert (tmp_path / "run" / "iter_7.pth").is_file()


def test_a_second_signal_ends_at_once(apart: Apart, tmp_path: Path) -> None:
    """The user wants out: nothing more is saved, what is there stays whole."""
    changes = signalled(signal.SIGINT, after=6, times=2)
    ended = apart(toy_run, changes, tmp_path / "run")
    assert ended.code == 130
    assert "stopped at once" in ended.stderr
    assert [path.name for path in checkpoints(tmp_path / "run")] == ["iter_4.pth"]


def test_during_an_evaluation(apart: Apart, tmp_path: Path) -> None:
    """It is broken off, and made up for when the run is carried on."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    changes = {"evaluated": True, "train_dataloader__num_workers": 1}
    assert apart(toy_run, changes, whole).code == 0
    ended = apart(toy_run, {**changes, **signalled(signal.SIGTERM, after=12, val=True)}, broken)
    assert ended.code == 143
    assert "stopped at iteration 12 of 20" in ended.stderr
    assert "evaluated at iteration 12" not in ended.stderr
    ended = apart(toy_run, changes, broken, True)
    assert ended.code == 0
    assert "evaluated at iteration 12" in ended.stderr
    assert_same(whole / "iter_20.pth", broken / "iter_20.pth")


def test_before_the_first_iteration(apart: Apart, tmp_path: Path) -> None:
    """Nothing to save: it ends at once, and the same command starts again."""
    ended = apart(_while_building, tmp_path / "run")
    assert ended.code == 143
    assert "stopped before the first iteration" in ended.stderr
    assert checkpoints(tmp_path / "run") == []


def test_workers_outlive_the_signal(apart: Apart, tmp_path: Path) -> None:
    """torchrun's SIGTERM and a terminal's Ctrl-C reach the loader's workers too."""
    ended = apart(_signal_to_the_group, tmp_path / "run")
    assert ended.code == 143
    assert "stopped at iteration 8 of 20" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_handlers_come_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Called from another program, training leaves its signal handlers as they were."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    threads = threading.active_count()
    assert run(toy_config(train_cfg__max_iters=2), str(tmp_path)) == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert capfd.readouterr().out == ""
    for _ in range(50):
        if threading.active_count() == threads:
            break
        time.sleep(0.1)
    assert threading.active_count() == threads


def _twice_at_once(work_dir: Path) -> int:
    hooks = [{"type": "SignalHook", "number": signal.SIGTERM, "after": 6} for _ in range(2)]
    return toy_run({"custom_hooks": hooks}, work_dir)


def _while_building(work_dir: Path) -> int:
    from lvis_merge.training.runner import ManifestRunner

    def build(*args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    ManifestRunner.build_model = build
    return toy_run({}, work_dir)


def _signal_to_the_group(work_dir: Path) -> int:
    """As a process that is not the workers' parent sends it, while the step still needs batches."""
    loader = {"train_dataloader__num_workers": 1, "train_dataloader__prefetch_factor": 1}
    changes = {**loader, "optim_wrapper__accumulative_counts": 4}
    changes["custom_hooks"] = [{"type": "ToWorkersHook", "after": 4}]
    return toy_run(changes, work_dir)
