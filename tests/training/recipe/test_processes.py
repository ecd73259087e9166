"""Which processes a run has."""

from __future__ import annotations

from typing import Any

import pytest

from lvis_merge.errors import UsageError
from lvis_merge.training.recipe.processes import (
    STARTED_BY_US,
    Processes,
    processes,
    slurm_variables,
)
from lvis_merge.training.runner.process import OUTCOME_VARIABLE

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "3"}

GOOD: list[tuple[str, tuple[Any, ...], dict[str, str], Processes, bool, bool]] = [
    # options, environment -> processes, whether others are started, whether this one speaks
    ("this one", (None,) * 4, {}, Processes(), False, True),
    ("one GPU", (1, None, None, None), {}, Processes(), False, True),
    ("a machine", (4, None, None, None), {}, Processes(gpus=4, world_size=4), True, True),
    (
        "the first of two machines",
        (4, 2, 0, "a.b:29500"),
        {},
        Processes(4, 2, 0, "a.b:29500", None, 8),
        True,
        True,
    ),
    (
        "the second",
        (4, 2, 1, "a.b:29500"),
        {},
        Processes(4, 2, 1, "a.b:29500", None, 8),
        True,
        False,
    ),
    # one GPU on each of two machines is more than one process too
    ("two machines", (None, 2, 0, "a:1"), {}, Processes(1, 2, 0, "a:1", None, 2), True, True),
    ("by torchrun", (None,) * 4, TORCHRUN, Processes(rank=3, world_size=8), False, False),
    (
        "by torchrun, the first",
        (None,) * 4,
        TORCHRUN | {"RANK": "0"},
        Processes(rank=0, world_size=8),
        False,
        True,
    ),
    # `--gpus 8` starts torchrun with the same command line; the starter has said it all
    (
        "by --gpus",
        (8, None, None, None),
        TORCHRUN | {"RANK": "0", STARTED_BY_US: "/tmp/x"},
        Processes(rank=0, world_size=8, started_by_us=True),
        False,
        False,
    ),
]


@pytest.mark.parametrize(
    ("options", "environment", "expected", "starts", "speaks"),
    [case[1:] for case in GOOD],
    ids=[case[0] for case in GOOD],
)
def test_processes(
    options: tuple[Any, ...],
    environment: dict[str, str],
    expected: Processes,
    starts: bool,
    speaks: bool,
) -> None:
    found = processes(*options, environment)
    assert (found, found.starts_others, found.speaks) == (expected, starts, speaks)


REFUSED = [
    ((4, 2, None, None), "--nodes 2 goes with --node-rank R (0 to 1"),
    ((4, 2, 0, None), "--master HOST:PORT"),
    ((4, None, 1, None), "--node-rank and --master go with --nodes N"),
    ((4, 1, None, "a:1"), "--node-rank and --master go with --nodes N"),
    ((4, 2, 2, "a:1"), "--node-rank 2: nodes are 0 to 1"),
    ((4, 2, 1, "host"), "--master host: write HOST:PORT"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_refused(options: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError) as error:
        processes(*options, {})
    assert message in str(error.value)


def test_the_runner_sets_the_variable_that_is_looked_for() -> None:
    assert STARTED_BY_US == OUTCOME_VARIABLE


TASK = {"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1"}


def test_tasks_of_srun_find_each_other() -> None:
    found = slurm_variables("node0:29500", TASK | {"CUDA_VISIBLE_DEVICES": "0,1,2,3"})
    assert found == {
        "RANK": "5",
        "LOCAL_RANK": "1",
        "WORLD_SIZE": "8",
        "MASTER_ADDR": "node0",
        "MASTER_PORT": "29500",
    }
    assert processes(None, None, None, "node0:29500", found) == Processes(rank=5, world_size=8)
    # a task that sees one GPU has it as number 0
    assert slurm_variables("node0:1", TASK | {"CUDA_VISIBLE_DEVICES": "1"})["LOCAL_RANK"] == "0"
    # the cluster's own variables
    place = {"MASTER_ADDR": "node0", "MASTER_PORT": "29500"}
    assert slurm_variables(None, TASK | place)["MASTER_ADDR"] == "node0"
    with pytest.raises(UsageError, match="srun started 8 tasks: give --master HOST:PORT"):
        slurm_variables(None, TASK)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        # the script that sbatch runs, and a single task
        {"SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"},
        TASK | {"SLURM_STEP_NUM_TASKS": "1"},
        # srun torchrun
        TASK | TORCHRUN,
    ],
)
def test_nothing_to_translate(environment: dict[str, str]) -> None:
    assert slurm_variables(None, environment) == {}
