"""Commands that kill themselves: run in processes forked from one that has imported everything."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing import get_context
from pathlib import Path

_WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["lvis_merge.cli", "lvis_merge.pipeline.build", "daft"])


def run_until_step(arguments: list[str], place: Path, step: int, log: Path) -> None:
    """Runs `lvis-merge ARGUMENTS`, killed before a step; to be called in a process of its own.

    Args:
        arguments: the command and its options.
        place: the steps are the writes to anything below this folder: a file opened to be
            written, a folder or a name made, changed or removed.
        step: which one, from 1; 0 for none.
        log: gets a line for each step.
    """
    sys.argv = ["lvis-merge", *arguments]
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    lines = log.open("w", buffering=1)
    done = 0

    def hook(event: str, details: tuple[object, ...]) -> None:
        nonlocal done
        writes = event in _WRITES or (event == "open" and _for_writing(details[2]))
        if not writes or not _below(details[0], place):
            return
        done += 1
        lines.write(f"{event} {details[0]}\n")
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    from lvis_merge.cli import main

    main()


def _for_writing(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _below(path: object, place: Path) -> bool:
    return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(str(place))


def exit_code(arguments: list[str], place: Path, step: int, log: Path) -> int | None:
    """Runs `run_until_step` in a process of its own; negative is the signal that ended it."""
    process = FORKS.Process(target=run_until_step, args=(arguments, place, step, log))
    process.start()
    process.join(60)
    return process.exitcode
