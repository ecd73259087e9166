"""One process of a run, alone or a rank of torchrun's, from its device to its exit code."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lvis_merge.errors import InputError, LvisMergeError
from lvis_merge.training.runner.control import RunControl
from lvis_merge.training.runner.display import Display
from lvis_merge.training.runner.log_file import quiet_terminal
from lvis_merge.training.runner.ranks import Ranks, is_worker, training_device
from lvis_merge.training.runner.signals import Phase, StopRequests, StopWords, TrainingStopped

OUTCOME_VARIABLE = "LVIS_MERGE_OUTCOME"
"""Environment variable: rank 0 writes its exit code to this file, for who started torchrun."""

_FAULT = 70
_CONNECTION = ("gloo", "nccl", "connection closed", "connection reset", "socket")


def in_ranks(
    device: str,
    work: Callable[[RunControl], None],
    *,
    words: StopWords,
    explain: Callable[[Exception], Exception] = lambda error: error,
) -> None:
    """Does the work of this process; with torchrun's variables set, that of one rank.

    Signals are taken over, the terminal is rank 0's, a process that fails tells the others.

    Args:
        device: `cuda`, `cpu`, or `any`: a GPU where there is one.
        work: called with what the processes share.
        words: what the user is told when a signal comes.
        explain: gives the error that a user is meant to read for one in disguise.

    Raises:
        InputError: no GPU where one is wanted, a peer that is gone, or what `work` raises.
        SystemExit: stopped by a signal (`TrainingStopped`: 130, 143), or ended because another
            process of the run has failed and told the user why.
    """
    display = Display(silent=os.environ.get("RANK", "0") != "0")
    stops = StopRequests(display.say, last_words=_leave_outcome, words=words)
    with stops.taken_over(), quiet_terminal():
        ranks = None
        code = _FAULT
        try:
            ranks = Ranks.joined(training_device(device))
            stops.peer_failure = ranks.first_failure
            work(RunControl(ranks, stops, display))
            ranks.leave()
            code = 0
        except TrainingStopped as stop:
            code = int(stop.code or 0)
            raise
        except Exception as error:
            told = explain(_lost_peer(error, words.again))
            code = told.exit_code if isinstance(told, LvisMergeError) else _FAULT
            if ranks is not None and (first := ranks.fail(code)) is not None:
                code = first
                raise TrainingStopped(first) from None
            if told is error:
                raise
            raise told from error
        finally:
            stops.phase = Phase.LEAVING
            _leave_outcome(code)


def _lost_peer(error: Exception, again: str) -> Exception:
    import torch

    lost = isinstance(error, (torch.distributed.DistError, RuntimeError)) and is_worker()
    if lost and any(word in str(error).lower() for word in _CONNECTION):
        return InputError(
            "the connection to another process of this run was lost: it was killed (out of"
            f" memory?) or its machine is gone. {again} ({str(error)[:200]})"
        )
    return error


def _leave_outcome(code: int) -> None:
    target = os.environ.get(OUTCOME_VARIABLE)
    if target and os.environ.get("RANK", "0") == "0":
        Path(target).write_text(str(code), encoding="utf-8")
