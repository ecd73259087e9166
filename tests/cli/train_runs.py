"""A machine on which `lvis-merge train` can be tried: no GPU, and nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lvis_merge.training import runner
from tests.cli.command import Outcome


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No GPU, no torchrun, and a working directory of its own."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been trained, or launched."""
    calls: list[tuple[Any, ...]] = []

    def launch(*arguments: Any, **named: Any) -> int:
        calls.append(("launch", *arguments, named))
        return 143

    monkeypatch.setattr(runner, "train", lambda *arguments: calls.append(("train", *arguments)))
    monkeypatch.setattr(runner, "launch", launch)
    return calls


def roots(folders: list[str]) -> list[str]:
    return [word for folder in folders for word in ("--image-root", folder)]


def warnings(outcome: Outcome) -> list[str]:
    lines = outcome.stderr.splitlines()
    return [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
