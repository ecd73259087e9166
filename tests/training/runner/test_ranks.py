"""Several processes of one run, started by torchrun, over gloo."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch

from lvis_merge.errors import UsageError
from lvis_merge.training.runner import launch
from lvis_merge.training.runner.checkpoint_folder import checkpoints
from lvis_merge.training.runner.ranks import Ranks
from tests.training.runner.conftest import Apart, assert_same

pytestmark = pytest.mark.slow

BATCH = {"train_dataloader__batch_size": 2, "train_cfg__max_iters": 10, "evaluated": True}


def launched(given: dict[str, Any]) -> int:
    os.environ["TOY_LAUNCHER"] = str(os.getpid())
    words, module = [json.dumps(given)], "tests.training.runner.toy_worker"
    return launch(2, words, module=module, carry_on="--resume carries on.")


def test_two_ranks_stopped_and_resumed(apart: Apart, tmp_path: Path) -> None:
    """Equal weights on both; torchrun's SIGTERM stops both at one step; exit code and resume."""
    whole, broken = str(tmp_path / "whole"), str(tmp_path / "broken")
    traces = {"train_dataloader__dataset__trace": str(tmp_path / "trace")}
    changes = {**BATCH, "custom_hooks": [{"type": "DumpHook"}]}
    ended = apart(launched, {"changes": {**changes, **traces}, "work_dir": whole})
    assert (ended.code, ended.stdout) == (0, "")
    assert ended.stderr.count("iteration 10/10") == 1  # rank 0 speaks
    first, second = (torch.load(tmp_path / "whole" / f"rank_{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    drawn = sorted(int(line) for line in (tmp_path / "trace").read_text().split() if line != "-1")
    assert drawn == list(range(10 * 2 * 2))

    stop = {"type": "SignalHook", "number": 15, "after": 5, "parent": True}
    changes = {**BATCH, "custom_hooks": [stop]}
    ended = apart(launched, {"changes": changes, "work_dir": broken})
    assert ended.code == 143
    assert ended.stderr.count("stopped at iteration") == 1
    assert "Traceback" not in ended.stderr
    assert "elastic" not in ended.stderr  # nothing of torchrun's own log
    saved = checkpoints(tmp_path / "broken")[-1].name
    assert saved in ("iter_6.pth", "iter_7.pth", "iter_8.pth")  # the signal's way takes its time
    ended = apart(launched, {"changes": BATCH, "work_dir": broken, "resume": True})
    assert ended.code == 0
    assert_same(tmp_path / "whole" / "iter_10.pth", tmp_path / "broken" / "iter_10.pth")


def test_one_rank_fails(apart: Apart, tmp_path: Path) -> None:
    """One message, its exit code, and no waiting for those that hang in a collective."""
    given = {"changes": BATCH, "work_dir": str(tmp_path / "run"), "missing_rank": 1}
    ended = apart(launched, given)
    assert ended.code == 3
    assert ended.stderr.count("lvis-merge: ") == 1
    assert "is not there." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_one_rank_is_killed(apart: Apart, tmp_path: Path) -> None:
    """As the kernel does when memory runs out: the user learns of it, and how to carry on."""
    given = {"changes": BATCH, "work_dir": str(tmp_path / "run"), "kill_rank": 1}
    ended = apart(launched, given)
    assert ended.code in (3, 137)  # whether torchrun or its peer saw it first
    assert "killed" in ended.stderr
    assert "--resume carries on" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_alone() -> None:
    """One process decides by itself, at once."""
    ranks = Ranks(torch.device("cpu"))
    assert [ranks.agree(2), ranks.agree(0), ranks.agree_now(15)] == [2, 0, 15]
    assert ranks.fail(3) is None
    assert ranks.first_failure() is None
    ranks.wait_for_all()
    ranks.leave()


def test_a_decision_is_not_lost(apart: Apart) -> None:
    """A stop asked for at the step where a checkpoint is due comes out all the same."""
    assert apart(_agreeing).code == 0


def _agreeing() -> int:
    os.environ |= {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    ranks = Ranks.joined(torch.device("cpu"))
    said = [ranks.agree(15), ranks.agree_now(0), ranks.agree(0), ranks.agree(0), ranks.agree(0)]
    assert said == [0, 0, 15, 0, 0], said
    assert ranks.agree_now(2) == 2
    assert (ranks.fail(3), ranks.first_failure()) == (None, 3)
    ranks.leave()
    return 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_machines_need_a_place_to_meet() -> None:
    with pytest.raises(UsageError, match="--master HOST:PORT"):
        launch(1, [], nodes=2)
