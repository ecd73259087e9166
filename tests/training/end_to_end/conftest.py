"""`lvis-merge train mini` on the demo's manifest, in processes of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.end_to_end.processes import Processes, Started
from tests.training.end_to_end.runs import command

StartMini = Callable[..., Started]


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Processes:
    return Processes(tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the manifests' Arrow copies go."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def start_mini(
    processes: Processes, cache: str, demo_manifest: Path, demo_image_roots: list[str]
) -> StartMini:
    """Starts `lvis-merge train mini` with some `--set`; more options by position."""

    def start(work_dir: Path, changes: dict[str, object], *options: str) -> Started:
        roots = [word for root in demo_image_roots for word in ("--image-root", root)]
        sets = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
        return processes.start(
            command, cache, "train", "mini", "--manifest", str(demo_manifest), *roots,
            "--work-dir", str(work_dir), *sets, *options,
        )  # fmt: skip

    return start
