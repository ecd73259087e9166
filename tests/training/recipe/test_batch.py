"""Images a step and optimizer steps become batches."""

from __future__ import annotations

from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.training.recipe.batch import batch_size, in_batches

SHARES = [
    # total, processes, accumulate -> images a batch
    (16, 1, 1, 16),
    (16, 8, 1, 2),
    (16, 2, 4, 2),
    (16, 16, 1, 1),
    (6, 3, 2, 1),
]


@pytest.mark.parametrize(("total", "world_size", "accumulate", "share"), SHARES)
def test_the_total_is_shared(total: int, world_size: int, accumulate: int, share: int) -> None:
    assert batch_size(total, world_size, accumulate) == share
    assert share * world_size * accumulate == total


REFUSED: list[tuple[Any, int, Any, str]] = [
    # does not divide: what would
    (16, 3, 1, "16 cannot be shared by 3 GPUs x accumulate 1. Give another number of GPUs, or"
     " --set total_batch=15"),
    (16, 2, 3, "Give --set accumulate=1, or --set total_batch=18"),
    (16, 4, 5, "Give --set accumulate=4"),
    # fewer images than processes
    (2, 8, 1, "--set total_batch=8"),
    # no counts
    (0, 1, 1, "total_batch is 0"),
    (16, 1, 0, "accumulate is 0"),
    (16.0, 1, 1, "total_batch is 16.0"),
    (16, 1, True, "accumulate is True"),
]  # fmt: skip


@pytest.mark.parametrize(("total", "world_size", "accumulate", "message"), REFUSED)
def test_what_cannot_be_shared(total: Any, world_size: int, accumulate: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        batch_size(total, world_size, accumulate)
    assert message in str(error.value)


def recipe() -> dict[str, Any]:
    return {
        "train_cfg": {
            "type": "ResumableIterLoop",
            "max_iters": 90,
            "val_interval": 30,
            "dynamic_intervals": [(0, 30), (80, 10)],
        },
        "param_scheduler": [
            {"type": "LinearLR", "start_factor": 0.1, "begin": 0, "end": 5, "by_epoch": False},
            {"type": "MultiStepLR", "milestones": [60, 80], "gamma": 0.1, "by_epoch": False},
            {"type": "CosineAnnealingLR", "T_max": 90, "by_epoch": False},
        ],
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.02}},
        "default_hooks": {
            "checkpoint": {"interval": 10, "max_keep_ckpts": 3},
            "logger": {"interval": 50},
        },
    }


def test_steps_become_batches() -> None:
    tree = recipe()
    found = in_batches(tree, 4)
    assert tree == recipe()
    assert found["train_cfg"] == {
        "type": "ResumableIterLoop",
        "max_iters": 360,
        "val_interval": 120,
        "dynamic_intervals": [(0, 120), (320, 40)],
    }
    warm_up, steps, cosine = found["param_scheduler"]
    assert (warm_up["begin"], warm_up["end"], warm_up["start_factor"]) == (0, 20, 0.1)
    assert (steps["milestones"], steps["gamma"]) == ([240, 320], 0.1)
    assert cosine["T_max"] == 360
    assert found["optim_wrapper"]["accumulative_counts"] == 4
    # what the log shows is no step of the optimizer; how many checkpoints are kept no step at all
    assert found["default_hooks"] == {
        "checkpoint": {"interval": 40, "max_keep_ckpts": 3},
        "logger": {"interval": 50},
    }


def test_without_accumulation_nothing_else_changes() -> None:
    expected = recipe()
    expected["optim_wrapper"]["accumulative_counts"] = 1
    assert in_batches(recipe(), 1) == expected


def test_a_schedule_of_epochs_is_refused() -> None:
    tree = recipe()
    del tree["param_scheduler"][1]["by_epoch"]  # mmengine's default is True
    with pytest.raises(InputError, match=r"param_scheduler\.1 \(MultiStepLR\) counts epochs"):
        in_batches(tree, 1)
