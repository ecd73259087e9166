"""Checkpoints: whole or absent, the newest few and the best kept, read without running them."""

import os
import pickle
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lvis_merge.errors import InputError
from lvis_merge.training.runner import checkpoint_file, checkpoint_folder
from lvis_merge.training.runner.checkpoint_file import load, save, weights
from lvis_merge.training.runner.checkpoint_folder import checkpoints, keep_newest, latest
from tests.training.runner.conftest import Apart, toy_run


class Payload:
    """What an unsafe loader would run."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def test_refuses_to_run_what_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": {}, "payload": Payload(tmp_path / "ran")}, path)
    with pytest.raises(InputError, match=r"evil\.pth: holds \w+\.system, which loading would run"):
        load(path)
    path.write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    with pytest.raises(InputError, match=r"evil\.pth"):
        load(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_reads_published_files(tmp_path: Path, legacy: bool) -> None:
    """Bare state dicts, as torchvision and SENet's authors publish them, in both formats."""
    state = torch.nn.Linear(2, 3).state_dict()
    path = tmp_path / "net.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    assert weights(load(path), str(path)).keys() == {"weight", "bias"}


def test_reads_plain_and_numpy_values(tmp_path: Path) -> None:
    """Other tools' checkpoints have numpy numbers in their meta."""
    content = {"meta": {"lr": np.float64(0.1), "mean": np.zeros(3)}, "state_dict": {}}
    torch.save(content, tmp_path / "other.pth")
    assert load(tmp_path / "other.pth")["meta"]["lr"] == 0.1


def test_ddp_names(tmp_path: Path) -> None:
    assert weights({"state_dict": {"module.a": torch.zeros(1)}}, "x").keys() == {"a"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([torch.zeros(1)], id="a list"),
        pytest.param({"model": {"a": torch.zeros(1)}}, id="another layout"),
        pytest.param({"state_dict": {}}, id="nothing"),
    ],
)
def test_no_weights(content: Any) -> None:
    with pytest.raises(InputError, match=r"x\.pth: holds no weights"):
        weights(content, "x.pth")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="half"),
        pytest.param(lambda data: data[:-1], id="a byte short"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"<html>not found</html>", id="an error page"),
        pytest.param(lambda data: os.urandom(4096), id="noise"),
    ],
)
def test_damaged(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "iter_4.pth"
    save({"state_dict": {"a": torch.arange(1000.0)}}, path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=r"iter_4\.pth: is damaged or no checkpoint"):
        load(path)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"iter_4\.pth: no such file"):
        load(tmp_path / "iter_4.pth")


def test_a_full_disk(tmp_path: Path) -> None:
    """One message, and what was there is as before."""
    path = tmp_path / "iter_4.pth"
    save({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"iter_4\.pth: the checkpoint could not be written"):
        save({"a": torch.zeros(1), "b": Full()}, path)
    assert load(path) == {"a": torch.zeros(1)}
    assert [entry.name for entry in tmp_path.iterdir()] == ["iter_4.pth"]


class Full:
    def __reduce__(self) -> Any:
        raise OSError(28, "No space left on device")


def test_keep_newest(tmp_path: Path) -> None:
    """Of those up to the one just written; a branch that was left behind is not counted."""
    for number in (2, 10, 9, 100):
        (tmp_path / f"iter_{number}.pth").touch()
    (tmp_path / "iter_x.pth").touch()
    keep_newest(tmp_path / "iter_10.pth", 2)
    assert [path.name for path in checkpoints(tmp_path)] == [
        "iter_9.pth",
        "iter_10.pth",
        "iter_100.pth",
    ]
    keep_newest(tmp_path / "iter_100.pth", 0)
    assert len(checkpoints(tmp_path)) == 3


def test_latest(tmp_path: Path) -> None:
    assert latest(tmp_path / "none") is None
    assert latest(tmp_path) is None
    for number in (2, 10):
        (tmp_path / f"iter_{number}.pth").touch()
    assert latest(tmp_path) == tmp_path / "iter_10.pth"  # killed before the first last_checkpoint
    checkpoint_folder.record_latest(tmp_path / "iter_2.pth")
    assert latest(tmp_path) == tmp_path / "iter_2.pth"
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert latest(moved) == moved / "iter_2.pth"


@pytest.mark.slow
def test_killed_while_writing(apart: Apart, tmp_path: Path) -> None:
    """The half-written file is no checkpoint, the one before is carried on from."""
    ended = apart(_dies_writing, tmp_path)
    assert ended.code == -signal.SIGKILL
    assert (tmp_path / ".iter_8.pth.partial").is_file()
    assert [path.name for path in checkpoints(tmp_path)] == ["iter_4.pth"]
    ended = apart(toy_run, {}, tmp_path, True)
    assert ended.code == 0
    assert "resuming at iteration 4 of 20" in ended.stderr
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_keeps_the_last_and_the_best(apart: Apart, tmp_path: Path) -> None:
    """Also over a restart: the best score so far is part of the state."""
    scores = [0.1, 0.5, 0.3, 0.4]  # at 6, 12, 18 and 20
    changes = {"evaluated": True, "val_evaluator__fixed": scores}
    ended = apart(toy_run, changes, tmp_path)
    assert ended.code == 0
    names = sorted(path.name for path in tmp_path.glob("*.pth"))
    assert names == ["best_lvis_bbox_AP_iter_12.pth", "iter_16.pth", "iter_20.pth"]
    assert "best lvis/bbox_AP 0.5000 (best_lvis_bbox_AP_iter_12.pth)" in ended.stderr
    more = {**changes, "val_evaluator__fixed": [0.45], "train_cfg__max_iters": 24}
    more["train_cfg__val_begin"] = 21
    assert apart(toy_run, more, tmp_path, True).code == 0
    assert (tmp_path / "best_lvis_bbox_AP_iter_12.pth").is_file()
    best = load(tmp_path / "best_lvis_bbox_AP_iter_12.pth")
    assert "optimizer" not in best
    assert best["meta"]["classes"] == ["a", "b", "c"]


@pytest.mark.slow
def test_what_resume_refuses(apart: Apart, tmp_path: Path) -> None:
    """Damaged, foreign and weights-only files: exit 3 and one message each."""
    assert apart(toy_run, {"train_cfg__max_iters": 4}, tmp_path / "run").code == 0
    path = tmp_path / "run" / "iter_4.pth"
    content = load(path)
    whole = path.read_bytes()
    state = {"state_dict": content["state_dict"]}
    for spoilt, told in [
        (whole[:5000], "iter_4.pth: is damaged"),
        ({**state, "meta": {"iter": 4}}, "iter_4.pth: `lvis-merge train` did not write this"),
        ({**state, "meta": content["meta"]}, "iter_4.pth: holds weights but no optimizer state"),
        (
            {**content, "state_dict": {"fc_cls.bias": torch.zeros(3)}},
            "iter_4.pth: does not fit the model: body.0.weight, body.0.bias",
        ),
    ]:
        if isinstance(spoilt, bytes):
            path.write_bytes(spoilt)
        else:
            save(spoilt, path)
        ended = apart(toy_run, {"train_cfg__max_iters": 8}, tmp_path / "run", True)
        assert ended.code == 3
        assert told in ended.stderr
        assert "Traceback" not in ended.stderr


def _dies_writing(work_dir: Path) -> int:
    to_disk, files = checkpoint_file._to_disk, []

    def die(descriptor: int) -> None:
        files.append(descriptor)
        if len(files) == 3:  # iter_4.pth, last_checkpoint, iter_8.pth
            os.kill(os.getpid(), signal.SIGKILL)
        to_disk(descriptor)

    checkpoint_file._to_disk = die
    return toy_run({}, work_dir)
