"""Which processes a run has: this one, those that it starts, or those that a cluster started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lvis_merge.errors import UsageError

STARTED_BY_US = "LVIS_MERGE_OUTCOME"
"""Environment variable that the processes of `--gpus N` find set; who started them has checked all
and speaks to the user."""


@dataclass(frozen=True)
class Processes:
    """The processes of a run.

    Attributes:
        gpus: processes on this node, one per GPU.
        nodes: nodes.
        node_rank: which node this is, from 0.
        master: HOST:PORT of node 0, where the nodes meet; None on one node.
        rank: of this process, where torchrun or the like started it; else None.
        world_size: processes in all.
        started_by_us: whether `--gpus N` of this command started this process.
    """

    gpus: int = 1
    nodes: int = 1
    node_rank: int = 0
    master: str | None = None
    rank: int | None = None
    world_size: int = 1
    started_by_us: bool = False

    @property
    def starts_others(self) -> bool:
        """Whether this process only starts and watches those that train."""
        return self.rank is None and self.world_size > 1

    @property
    def speaks(self) -> bool:
        """Whether this process tells the user what is to be told once, and notes the run."""
        first = self.node_rank == 0 if self.rank is None else self.rank == 0
        return first and not self.started_by_us


def processes(
    gpus: int | None,
    nodes: int | None,
    node_rank: int | None,
    master: str | None,
    environment: Mapping[str, str],
) -> Processes:
    """Reads the options, and what torchrun left in the environment.

    Args:
        gpus: --gpus.
        nodes: --nodes.
        node_rank: --node-rank.
        master: --master.
        environment: of this process; with RANK and WORLD_SIZE in it, the options do not matter.

    Raises:
        UsageError: options that do not go together.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        return Processes(
            rank=int(environment["RANK"]),
            world_size=int(environment["WORLD_SIZE"]),
            started_by_us=STARTED_BY_US in environment,
        )
    count = nodes or 1
    if count > 1 and (node_rank is None or master is None):
        raise UsageError(
            f"--nodes {count} goes with --node-rank R (0 to {count - 1}, another on each node) and"
            " --master HOST:PORT (of node 0, the same on all)."
        )
    if count == 1 and (node_rank is not None or master is not None):
        raise UsageError("--node-rank and --master go with --nodes N.")
    if node_rank is not None and not 0 <= node_rank < count:
        raise UsageError(f"--node-rank {node_rank}: nodes are 0 to {count - 1}.")
    if master is not None and not master.rpartition(":")[2].isdecimal():
        raise UsageError(f"--master {master}: write HOST:PORT.")
    each = gpus or 1
    return Processes(each, count, node_rank or 0, master, None, each * count)


def slurm_variables(master: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    """What torchrun would have set, for a command that `srun` started once per GPU.

    Without it each task would take itself for the only one, all in one folder.

    Args:
        master: --master.
        environment: of this process.

    Returns:
        RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; empty where this is no task of
        several, or torchrun is in between.

    Raises:
        UsageError: nothing says where the tasks meet.
    """
    tasks = environment.get("SLURM_STEP_NUM_TASKS", "1")
    if tasks == "1" or "RANK" in environment:
        return {}
    host, _, port = (master or "").rpartition(":")
    host = host or environment.get("MASTER_ADDR", "")
    port = port or environment.get("MASTER_PORT", "")
    if not host or not port:
        raise UsageError(
            f"srun started {tasks} tasks: give --master HOST:PORT, a free port of the first task's"
            " machine, or start one task per machine with --gpus, --nodes and --node-rank."
        )
    # with --gpus-per-task a task sees its own GPU only, as number 0
    alone = len(environment.get("CUDA_VISIBLE_DEVICES", ",").split(",")) == 1
    return {
        "RANK": environment["SLURM_PROCID"],
        "LOCAL_RANK": "0" if alone else environment["SLURM_LOCALID"],
        "WORLD_SIZE": tasks,
        "MASTER_ADDR": host,
        "MASTER_PORT": port,
    }
