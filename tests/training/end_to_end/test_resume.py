"""`lvis-merge train mini`, killed and carried on, ends with the weights of one that was not."""

from __future__ import annotations

import random
import re
import signal
from pathlib import Path

import pytest
import torch

from tests.training.end_to_end.conftest import StartMini

pytestmark = pytest.mark.slow

STEPS, EVERY = 9, 2
SHORT = {
    "total_batch": 2,
    "train_cfg.max_iters": STEPS,
    "train_cfg.val_interval": 4,  # an evaluation in between changes nothing
    "val_dataloader.dataset.indices": 1,
    "default_hooks.checkpoint.interval": EVERY,
    "default_hooks.logger.interval": 1,
}


@pytest.mark.parametrize("seed", [0])
def test_killed_and_resumed(start_mini: StartMini, tmp_path: Path, seed: int) -> None:
    """All that a run is made of: pipeline, sampler, model, optimizer, schedule; one thread."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    iteration = random.Random(seed).randint(EVERY, STEPS - 2)
    ended = start_mini(whole, SHORT).wait()
    assert ended.code == 0, ended.stderr
    ended = start_mini(broken, SHORT).kill_once_it_says(f"iteration {iteration}/{STEPS}")
    assert ended.code == -signal.SIGKILL
    assert not (broken / f"iter_{STEPS}.pth").exists()
    # a loader's worker makes the same samples
    ended = start_mini(broken, {**SHORT, "train_dataloader.num_workers": 1}, "--resume").wait()
    assert ended.code == 0, ended.stderr
    resumed = re.search(rf"resuming at iteration (\d+) of {STEPS}", ended.stderr)
    assert resumed
    assert EVERY <= int(resumed[1]) < STEPS
    one, other = (
        torch.load(folder / f"iter_{STEPS}.pth", weights_only=True) for folder in (whole, broken)
    )
    assert one["state_dict"].keys() == other["state_dict"].keys()
    for name, value in one["state_dict"].items():
        assert torch.equal(value, other["state_dict"][name]), name
    momentum = [content["optimizer"]["state"] for content in (one, other)]
    for key, state in momentum[0].items():
        assert torch.equal(state["momentum_buffer"], momentum[1][key]["momentum_buffer"])
