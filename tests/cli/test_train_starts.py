"""`lvis-merge train`: which processes it starts, in which folder, from what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.command import Run
from tests.cli.train_runs import quiet_machine, roots, started, warnings
from tests.training.conftest import (
    demo_folder,
    demo_image_roots,
    demo_manifest,
    worker_id_or_master,
)

__all__ = [
    "demo_folder",
    "demo_image_roots",
    "demo_manifest",
    "quiet_machine",
    "started",
    "worker_id_or_master",
]


def test_a_run_is_noted_and_started(
    run: Run, demo_manifest: Path, demo_image_roots: list[str], started: list[tuple[Any, ...]]
) -> None:
    arguments = ("train", "mini", "--manifest", str(demo_manifest), *roots(demo_image_roots))
    outcome = run(*arguments, "--set", "total_batch=6")
    assert (outcome.code, outcome.stdout) == (0, "")
    ((name, config, folder, resume, init),) = started
    assert (name, folder, resume, init) == ("train", Path("runs/mini"), False, None)
    assert config.train_dataloader.batch_size == 6
    assert config.work_dir == str(folder.resolve())
    assert sorted(path.name for path in folder.iterdir()) == ["command.txt", "config.py"]
    assert (folder / "command.txt").read_text().endswith(" --set total_batch=6\n")
    # the note is no recipe
    outcome = run("train", "runs/mini/config.py", "--manifest", str(demo_manifest), "--dry-run")
    assert outcome.code == 3
    assert "Give the recipe that it was made from, mini" in outcome.error

    # nothing to resume yet
    outcome = run(*arguments, "--resume")
    assert "--resume: runs/mini has no checkpoint yet; starting fresh" in outcome.stderr
    assert started[1][3] is True
    # now there is
    (folder / "iter_3.pth").write_text("")
    outcome = run(*arguments)
    assert outcome.code == 3
    assert "Carry it on with --resume" in outcome.error
    assert len(started) == 2
    outcome = run(*arguments, "--resume")
    assert outcome.code == 0
    assert "starting fresh" not in outcome.stderr
    # another folder
    assert run(*arguments, "--work-dir", "other").code == 0
    assert started[3][2] == Path("other")


def test_a_second_stage_without_its_first(
    run: Run,
    demo_manifest: Path,
    demo_image_roots: list[str],
    started: list[tuple[Any, ...]],
    tmp_path: Path,
) -> None:
    (tmp_path / "second.py").write_text("_base_ = './mini.py'\nstarts_from = 'first'\n")
    (tmp_path / "first.pth").write_text("")
    arguments = ("train", "second.py", "--manifest", str(demo_manifest), *roots(demo_image_roots))
    outcome = run(*arguments)
    assert outcome.code == 0
    assert "this recipe starts from a checkpoint of first" in warnings(outcome)[0]
    outcome = run(*arguments, "--init", "first.pth")
    assert warnings(outcome) == []
    assert started[1][4] == Path("first.pth")


def test_a_wrong_name_is_told_before_anything_starts(
    run: Run, demo_manifest: Path, demo_image_roots: list[str], started: list[tuple[Any, ...]]
) -> None:
    arguments = ("train", "mini", "--manifest", str(demo_manifest), *roots(demo_image_roots))
    outcome = run(*arguments, "--gpus", "2", "--set", "model.neck.type=FPM")
    assert (outcome.code, started) == (3, [])
    assert outcome.error.startswith("model cannot be built: KeyError: FPM is not in the")
    assert not Path("runs").exists()


def test_several_gpus(
    run: Run,
    demo_manifest: Path,
    demo_image_roots: list[str],
    started: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ("train", "mini", "--manifest", str(demo_manifest), *roots(demo_image_roots))
    arguments += ("--set", "total_batch=8")
    # no GPU here, and a recipe for any device: processes on the CPU
    outcome = run(*arguments, "--gpus", "2")
    assert outcome.code == 143  # what `launch` says
    ((name, number, words, options),) = started
    assert (name, number, words) == ("launch", 2, [*arguments, "--gpus", "2"])
    carry_on = "--resume carries on from the last checkpoint."
    assert options == {"nodes": 1, "node_rank": 0, "master": None, "carry_on": carry_on}
    run(
        *arguments,
        "--gpus",
        "2",
        "--nodes",
        "2",
        "--node-rank",
        "1",
        "--master",
        "a:1",
        "--work-dir",
        "b",
    )
    assert {**started[1][3], "carry_on": ""} == {
        "nodes": 2, "node_rank": 1, "master": "a:1", "carry_on": ""
    }  # fmt: skip
    assert not Path("b").exists()  # machine 0 notes the run
    # a process that torchrun started
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert run(*arguments, "--gpus", "2").code == 0
    assert started[2][0] == "train"
    assert started[2][1].train_dataloader.batch_size == 4
    monkeypatch.delenv("RANK")
    # fewer GPUs than asked for
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    outcome = run(*arguments, "--gpus", "2", "--work-dir", "c")
    assert outcome.code == 3
    assert outcome.error.startswith("--gpus 2: torch sees 1 here.")
    assert len(started) == 3


def test_a_checkpoint_that_does_not_fit(
    run: Run, demo_manifest: Path, demo_image_roots: list[str], tmp_path: Path
) -> None:
    torch.save({"state_dict": {"backbone.conv1.weight": torch.zeros(3)}}, tmp_path / "other.pth")
    outcome = run(
        "train", "mini", "--manifest", str(demo_manifest), *roots(demo_image_roots),
        "--init", "other.pth",
    )  # fmt: skip
    assert (outcome.code, outcome.stdout) == (3, "")
    assert outcome.error.startswith("other.pth: ")
    assert "backbone.conv1.weight" in outcome.error
