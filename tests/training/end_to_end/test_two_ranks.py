"""Two processes stay one model, also when one of them has nothing to learn from."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch

from tests.training.end_to_end.processes import Processes
from tests.training.end_to_end.runs import rank
from tests.training.small_manifest import (
    EDGE,
    IGNORE_ONLY,
    POLYGONS,
    SmallManifest,
    annotations,
    images,
    write_small_manifest,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def manifest(tmp_path: Path) -> SmallManifest:
    """Three train images; the second has no object, and a region covers all of it."""
    ids = (POLYGONS, IGNORE_ONLY, EDGE)
    rows = {
        name: [row for row in every if row["image_id"] in ids]
        for name, every in (("images", images()), ("annotations", annotations()))
    }
    for number, row in enumerate(rows["annotations"], start=1):
        row["annotation_id"] = number
    return write_small_manifest(tmp_path, **rows)


def test_identical_parameters(
    manifest: SmallManifest, processes: Processes, cache: str, tmp_path: Path
) -> None:
    """Images 1 2 | 3 1 | 2 3 | … : each rank has the empty image once in three iterations."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    work_dir = tmp_path / "run"
    work_dir.mkdir()
    started = [
        processes.start(
            rank, number, port, cache, str(manifest.manifest), str(manifest.root), str(work_dir)
        )
        for number in range(2)
    ]
    for ended in [one.wait() for one in started]:
        assert ended.code == 0, ended.stderr
    one, other = (torch.load(work_dir / f"rank_{number}.pt") for number in range(2))
    for mine, empty in ((one, [2, 5]), (other, [0, 3])):
        # every proposal of the empty image is ignored, and none of the others' is drawn for it
        assert [place for place, count in enumerate(mine["sampled"]) if count == 0] == empty
    assert one["parameters"].keys() == other["parameters"].keys()
    for name, value in one["parameters"].items():
        assert torch.equal(value, other["parameters"][name]), name
    start = torch.load(work_dir / "iter_6.pth", weights_only=True)["state_dict"]
    assert all(torch.equal(value, start[name]) for name, value in one["parameters"].items())
