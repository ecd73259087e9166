"""Runs that may be killed, each in a process forked from one that has imported torch once."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.runner.toy import run, toy_config

ROOT = Path(__file__).parents[3]
TIMEOUT = 300.0


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: killed by that signal) and what it said."""

    code: int
    stdout: str
    stderr: str


Apart = Callable[..., Ended]


@pytest.fixture(scope="session")
def fork_server() -> Any:
    """Forks from a fresh process with one thread, not from pytest's."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.runner.preloaded"])
    return context


@pytest.fixture
def apart(fork_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apart:
    """Calls a function of a module in a process of its own."""
    monkeypatch.chdir(ROOT)

    def call(function: Callable[..., int], *arguments: Any) -> Ended:
        streams = (tmp_path / "stdout", tmp_path / "stderr")
        process = fork_server.Process(target=_child, args=(streams, function, arguments))
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
            process.join()
            pytest.fail(f"did not end:\n{streams[1].read_text()}")
        texts = [stream.read_text() for stream in streams]
        return Ended(process.exitcode, *texts)

    return call


def _child(streams: tuple[Path, Path], function: Callable[..., int], arguments: Any) -> None:
    for descriptor, stream in zip((1, 2), streams, strict=True):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.__stderr__ = sys.stderr
    code = function(*arguments)
    sys.stdout.flush()
    os._exit(code)


def toy_run(
    changes: dict[str, Any], work_dir: Path, resume: bool = False, init: Path | None = None
) -> int:
    """`run` of a toy recipe: what `apart` calls for most tests."""
    return run(toy_config(**changes), str(work_dir), resume, str(init) if init else None)


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def assert_same(first: Path, second: Path) -> None:
    """Two checkpoints hold the same bits: weights, momentum and schedule."""
    one, two = (torch.load(path, weights_only=True) for path in (first, second))
    assert one["state_dict"].keys() == two["state_dict"].keys()
    for name, value in one["state_dict"].items():
        assert torch.equal(value, two["state_dict"][name]), name
    momenta = [content["optimizer"]["state"] for content in (one, two)]
    assert momenta[0].keys() == momenta[1].keys()
    for key, state in momenta[0].items():
        assert torch.equal(state["momentum_buffer"], momenta[1][key]["momentum_buffer"]), key
    assert one["optimizer"]["param_groups"] == two["optimizer"]["param_groups"]
    assert one["param_schedulers"] == two["param_schedulers"]
    assert one["meta"]["progress"] == two["meta"]["progress"]
