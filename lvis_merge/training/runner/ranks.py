"""What the processes of one run tell each other: one per GPU, started by torchrun.

Three ways: DDP's own collectives over NCCL or gloo; a group of their own over gloo for decisions
that all must take at the same step; and a store that a process can still read while its peers hang
in a collective, for who failed first.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from lvis_merge.errors import InputError

_TIMEOUT = timedelta(minutes=30)
"""Longest wait for a peer; one of them may be evaluating or writing a checkpoint."""

_STORE_TIMEOUT = timedelta(seconds=20)
_FAILED = "failed"
_POLL_SECONDS = 0.5


def is_worker() -> bool:
    """Whether torchrun started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def training_device(wanted: str) -> torch.device:
    """The device of this process.

    Args:
        wanted: `cuda`, `cpu`, or `any` (a GPU where there is one).

    Raises:
        InputError: a GPU is wanted and there is none for this process.
    """
    local_rank = int(os.environ.get("LOCAL_RANK", 0))
    if wanted == "cpu" or (wanted == "any" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InputError(
            "This recipe needs a GPU, and torch sees none here. Run it on a machine with one"
            " (`lvis-merge setup-training` there installs a torch for it); --dry-run shows the"
            " plan without a GPU, and the mini recipes train on a CPU."
        )
    if local_rank >= torch.cuda.device_count():
        raise InputError(
            f"There are more processes on this machine than its {torch.cuda.device_count()} GPUs:"
            f" lower --gpus (or torchrun's --nproc-per-node)."
        )
    return torch.device("cuda", local_rank)


class Ranks:
    """The processes of a run, seen from one of them.

    Attributes:
        device: of this process.
        rank: of this process, 0 to world_size - 1.
        world_size: number of processes.
    """

    def __init__(self, device: torch.device, rank: int = 0, world_size: int = 1) -> None:
        self.device = device
        self.rank = rank
        self.world_size = world_size
        self._control: Any = None
        self._store: Any = None
        self._pending: tuple[torch.Tensor, Any] | None = None

    @classmethod
    def joined(cls, device: torch.device) -> Ranks:
        """Joins the process group that torchrun's variables describe; alone without them.

        The group is made here, before mmengine's Runner would: that one insists on CUDA.

        Args:
            device: of this process; NCCL on GPUs, gloo on CPUs.
        """
        if device.type == "cuda":
            torch.cuda.set_device(device)
        if not is_worker():
            return cls(device)
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=_TIMEOUT)
        ranks = cls(device, dist.get_rank(), dist.get_world_size())
        ranks._control = dist.new_group(backend="gloo", timeout=_TIMEOUT)
        # a connection of its own: the other may be held by a thread that waits
        store = dist.TCPStore(
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            is_master=False,
            timeout=_STORE_TIMEOUT,
        )
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        ranks._store = dist.PrefixStore(f"lvis_merge/{attempt}", store)
        return ranks

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and speaks to the user."""
        return self.rank == 0

    @property
    def distributed(self) -> bool:
        """Whether there is a process group, be it of one."""
        return self._control is not None

    def agree(self, flag: int) -> int:
        """The largest flag that any process gave at the call before this one; costs no wait.

        The exchange runs beside the next optimizer step. All processes get the same answer at the
        same call, so they stop at the same step.

        Args:
            flag: 0, or what this process wants.

        Returns:
            0, or what all do now. A single process gets its own flag, at once.
        """
        if not self.distributed:
            return flag
        verdict = self._answer()
        if not verdict:
            given = torch.tensor([flag])
            operation = dist.ReduceOp.MAX
            self._pending = given, dist.all_reduce(given, operation, self._control, async_op=True)
        return verdict

    def agree_now(self, flag: int) -> int:
        """The largest flag that any process gives at this call; waits for all of them.

        What was given to `agree` is another matter, and still comes out of its next call.

        Args:
            flag: 0, or what this process wants.
        """
        if not self.distributed:
            return flag
        given = torch.tensor([flag])
        dist.all_reduce(given, dist.ReduceOp.MAX, self._control)
        return int(given)

    def wait_for_all(self) -> None:
        """Returns once every process has come here."""
        if self.distributed:
            dist.barrier(self._control)

    def wait_as_long_as_it_takes(self, name: str) -> None:
        """Returns once every process has come here; hours apart, where `wait_for_all` gives up.

        Args:
            name: of this place; each is passed once.
        """
        if self._store is None:
            return
        self._store.add(name, 1)
        # a peer that fails ends the run: torchrun stops the others
        while self._store.add(name, 0) < self.world_size:
            time.sleep(_POLL_SECONDS)

    def share_buffers(self, model: torch.nn.Module) -> None:
        """Gives all processes rank 0's buffers (running statistics of unsynchronised BN).

        Rank 0's are those that a checkpoint holds: evaluated is what is saved.
        """
        if self.distributed:
            for buffer in model.buffers():
                dist.broadcast(buffer, 0)

    def fail(self, code: int) -> int | None:
        """Notes that this process fails.

        Args:
            code: the exit code that it will end with.

        Returns:
            None if no other failed before; else the exit code of the one that did.
        """
        if self._store is None:
            return None
        mine = f"{self.rank}:{code}"
        try:
            first: bytes = self._store.compare_set(_FAILED, "", mine)
        except Exception:  # its host is gone, so somebody failed; who, nobody knows
            return None
        return None if first == mine.encode() else int(first.partition(b":")[2])

    def first_failure(self) -> int | None:
        """The exit code of the process that failed first, None if none has."""
        if self._store is None:
            return None
        try:
            if not self._store.check([_FAILED]):
                return None
            failed: bytes = self._store.get(_FAILED)
        except Exception:
            return None
        return int(failed.partition(b":")[2])

    def leave(self) -> None:
        """Takes the process group down after a run that ended well."""
        if self.distributed:
            self._answer()
            dist.destroy_process_group()

    def _answer(self) -> int:
        if self._pending is None:
            return 0
        given, exchange = self._pending
        self._pending = None
        exchange.wait()
        return int(given)
