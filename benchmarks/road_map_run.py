"""Does jobs side by side, each command a process of its own; goes on where it was stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from road_map_jobs import Command, Job

_FORK = multiprocessing.get_context("fork")


class FailedError(Exception):
    """A command ended with an error; its log says why."""


@dataclass
class _Running:
    job: Job
    started: float
    rest: list[Command]
    command: Command
    process: multiprocessing.Process

    @classmethod
    def of(cls, job: Job, rest: list[Command], log: Path) -> _Running:
        """Starts the first of the commands."""
        return cls(job, time.monotonic(), rest[1:], rest[0], _start(rest[0], log))


def run_all(jobs: Sequence[Job], logs: Path, side_by_side: int) -> None:
    """Does all jobs, those first that come first, as far as they do not wait for others.

    What a command makes appears whole or not at all, so that one whose file is there is done.
    torch is imported once: processes begin as copies of this one, which has no threads.

    Args:
        jobs: names are unique, and what they wait for is among them.
        logs: folder; gets a file for each job, with what its commands say.
        side_by_side: processes at a time.

    Raises:
        FailedError: a command failed. The others that were running are ended.
        KeyboardInterrupt: Ctrl-C. The running commands end as they do alone: training saves first.
    """
    from lvis_merge.training.recipe.stack import import_stack

    import_stack()
    logs.mkdir(parents=True, exist_ok=True)
    # those first: one that is found done in its turn would leave a process idle
    done = {job.name for job in jobs if not _rest(job)}
    waiting, running = [job for job in jobs if job.name not in done], list[_Running]()
    started, total = time.monotonic(), len(jobs)
    try:
        while waiting or running:
            ready = [job for job in waiting if done.issuperset(job.after)]
            for job in ready[: side_by_side - len(running)]:
                waiting.remove(job)
                running.append(_Running.of(job, _rest(job), logs / f"{job.name}.log"))
            wait([one.process.sentinel for one in running])
            for one in [one for one in running if not one.process.is_alive()]:
                log = logs / f"{one.job.name}.log"
                if one.process.exitcode:
                    raise FailedError(f"{one.job.name} failed ({one.process.exitcode}): see {log}")
                if one.command.keeps_stdout:
                    _partial(one.command).rename(one.command.makes)
                if one.rest:
                    one.command = one.rest.pop(0)
                    one.process = _start(one.command, log)
                    continue
                running.remove(one)
                done.add(one.job.name)
                now = time.monotonic()
                say(
                    f"{len(done)}/{total} {one.job.name} {now - one.started:.0f} s,"
                    f" {(now - started) / 60:.1f} min in all"
                )
    finally:
        for one in running:
            if one.process.is_alive() and one.process.pid:
                os.kill(one.process.pid, signal.SIGTERM)
        for one in running:
            one.process.join()


def _rest(job: Job) -> list[Command]:
    return [command for command in job.commands if not command.makes.exists()]


def say(text: str) -> None:
    """Tells the user, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _start(command: Command, log: Path) -> multiprocessing.Process:
    process = _FORK.Process(target=_call, args=(command, log))
    process.start()
    return process


def _call(command: Command, log: Path) -> None:
    """In the new process: the command line with its output in files."""
    from lvis_merge import cli

    command.makes.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as told, _partial(command).open("wb") as printed:
        os.dup2(told.fileno(), 2)
        os.dup2((printed if command.keeps_stdout else told).fileno(), 1)
    sys.argv = ["lvis-merge", *command.arguments]
    print("$", *sys.argv, file=sys.stderr, flush=True)
    cli.main()


def _partial(command: Command) -> Path:
    """Where a command's stdout goes before it has ended."""
    if not command.keeps_stdout:
        return Path(os.devnull)
    return command.makes.with_name(f"{command.makes.name}.partial")
