"""`lvis-merge test`: what it refuses, and a run in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lvis_merge.testing.inference.journal import Journal
from tests.cli.command import Run
from tests.cli.slow_images import slow_test
from tests.cli.train_runs import quiet_machine, roots
from tests.manifest.small import small
from tests.testing.inference.conftest import (
    Recipe,
    checkpoint,
    demo_folder,
    demo_image_roots,
    demo_manifest,
    own_cache,
    recipe,
    worker_id_or_master,
)
from tests.training.end_to_end.processes import Ended, Processes, Started

__all__ = [
    "checkpoint",
    "demo_folder",
    "demo_image_roots",
    "demo_manifest",
    "own_cache",
    "quiet_machine",
    "recipe",
    "worker_id_or_master",
]


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    """Label space lvis; its images are nowhere."""
    return str(small().write(tmp_path / "manifest"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--split", "all"], 2, "--split all: give train, val or test."),
        (["--scales", "6oo"], 2, "--scales 6oo: 6oo is no scale."),
        (["--boxes", "x.json", "--no-masks"], 2, "leave --no-masks out"),
        (["--boxes", "x.json"], 3, "--boxes x.json: no such file."),
        (["--images", "nowhere"], 3, "nowhere"),
        (["--image-root", "nowhere"], 2, "nowhere"),
    ],
)
def test_what_is_refused_at_once(
    run: Run, manifest: str, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"")
    outcome = run("test", "mini", str(weights), "--manifest", manifest, *arguments)
    assert outcome.code == code
    assert message in " ".join(outcome.stderr.split())


def test_a_missing_or_damaged_checkpoint(run: Run, manifest: str, tmp_path: Path) -> None:
    outcome = run("test", "mini", "none.pth", "--manifest", manifest)
    assert (outcome.code, outcome.error) == (3, "none.pth: no such file. Give a checkpoint.")


def test_missing_images_are_told_before_anything_is_built(
    run: Run, manifest: str, tmp_path: Path
) -> None:
    (tmp_path / "weights.pth").write_bytes(b"")
    (tmp_path / "images").mkdir()
    words = ["weights.pth", "--manifest", manifest, "--image-root", str(tmp_path / "images")]
    outcome = run("test", "mini", *words)
    assert outcome.code == 3
    assert "images are missing" in outcome.error
    assert "Give --image-root" in outcome.error


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As torchrun's processes have: with another number of threads sums round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def command(
    recipe: Recipe,
    checkpoint: Any,
    demo_manifest: Path,
    demo_image_roots: list[str],
    one_thread: None,
) -> list[str]:
    """A run of 8 images."""
    weights = checkpoint(recipe()[0])
    words = ["test", "mini", str(weights), "--manifest", str(demo_manifest)]
    return [*words, *roots(demo_image_roots), "--flip"]


@pytest.mark.slow
def test_killed_and_started_again(
    run: Run, command: list[str], own_cache: Path, tmp_path: Path
) -> None:
    """SIGKILL in the middle: the same command finishes the rest; SIGTERM: 143, likewise."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    done = run(*command, "--out", str(whole))
    assert done.code == 0, done.stderr
    processes = Processes(tmp_path)
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)):
        words = [*command, "--out", str(broken)]
        started = processes.start(slow_test, str(own_cache), tmp_path, *words)
        ended = _stopped(started, broken / ".unfinished", number)
        assert ended.code == code, ended.stderr
        assert not (broken / "results.json").exists()
    last = run(*command, "--out", str(broken))
    assert last.code == 0, last.stderr
    assert "going on after" in last.stderr
    for name in ("results.json", "pool.parquet"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def _stopped(started: Started, journals: Path, number: int) -> Ended:
    """Sends a signal once another image is on disk."""
    before = len(Journal(journals).image_ids) if journals.exists() else 0
    while started.process.is_alive() and (
        not journals.exists() or len(Journal(journals).image_ids) <= before
    ):
        time.sleep(0.05)
    os.kill(started.process.pid, number)
    return started.wait()


@pytest.mark.slow
def test_two_processes_find_what_one_finds(run: Run, command: list[str], tmp_path: Path) -> None:
    """`--gpus 2`, over gloo on a CPU: the same files, byte for byte."""
    one, two = tmp_path / "one", tmp_path / "two"
    alone = run(*command, "--out", str(one))
    assert alone.code == 0, alone.stderr
    assert alone.stdout.count("8 images at 2 views") == 1
    ended = subprocess.run(
        [sys.executable, "-m", "lvis_merge", *command, "--out", str(two), "--gpus", "2", "--json"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["images"] == 8  # nothing else on stdout, and once
    for name in ("results.json", "pool.parquet"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
