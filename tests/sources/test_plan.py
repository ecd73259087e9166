"""Independent pieces of work: results in order, errors brought back."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from lvis_merge.errors import CheckFailedError, InputError, LvisMergeError, UsageError
from lvis_merge.sources import plan
from lvis_merge.sources.plan import run_plan, stream_plan


def squared(number: int) -> int:
    return number * number


def slow_first(number: int) -> int:
    time.sleep(0.05 if number == 0 else 0)
    return number


def failing(errors: dict[int, Exception], number: int) -> int:
    if number in errors:
        raise errors[number]
    return number


def nothing_found(number: int) -> None:
    return None


@pytest.mark.parametrize("number", [0, 1, 2, 50])
def test_results_come_in_the_order_of_the_tasks(number: int) -> None:
    """Rule: results do not depend on which task ends first; every end is told."""
    told: list[int] = []
    tasks = list(range(number))
    assert run_plan(squared, tasks, told.append) == [n * n for n in tasks]
    assert run_plan(slow_first, tasks) == tasks
    assert sum(told) == number


def test_results_may_be_none_or_large() -> None:
    """Rule: whatever pickles comes back."""
    assert run_plan(nothing_found, [1, 2]) == [None, None]
    assert run_plan(bytes, [1 << 20, 0]) == [bytes(1 << 20), b""]


@pytest.mark.parametrize(
    ("kind", "code"), [(InputError, 3), (UsageError, 2), (CheckFailedError, 1)]
)
def test_what_a_user_did_wrong_comes_back_whole(kind: type[LvisMergeError], code: int) -> None:
    """Rule: the message and the exit code of the earliest task that failed."""
    errors = {7: kind("file.csv, row 3: is wrong."), 9: UsageError("later")}
    with pytest.raises(kind) as error:
        run_plan(partial(failing, errors), range(12))
    assert str(error.value) == "file.csv, row 3: is wrong."
    assert error.value.exit_code == code


def test_other_errors_are_not_swallowed() -> None:
    """Rule: a bug is no bad input; its message is not lost."""
    with pytest.raises(Exception, match="a bug in the work") as error:
        run_plan(partial(failing, {3: ValueError("a bug in the work")}), range(5))
    assert not isinstance(error.value, LvisMergeError)


def test_the_work_is_a_pure_function_that_pickles() -> None:
    """Rule: the same plan can run on another machine."""
    with pytest.raises((pickle.PicklingError, AttributeError)):
        run_plan(squared, [lambda: None])


THREADS = """
import os
import sys
from lvis_merge.sources.plan import engine, run_plan
from tests.sources.test_plan import squared
with engine("native", threads=int(sys.argv[1])):
    print(run_plan(squared, range(40)), flush=True)
os._exit(0)  # as the command line ends: native threads may outlive the interpreter, and crash
"""


def test_one_thread_and_two_give_the_same() -> None:
    """Rule: the result does not depend on the thread count."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", THREADS, threads], capture_output=True, text=True, check=True
        ).stdout
        for threads in ("1", "2")
    ]
    assert printed == [f"{[n * n for n in range(40)]}\n"] * 2


def noted(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def test_workers_are_not_far_ahead_of_who_takes_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: results that are taken slowly do not pile up in memory."""
    monkeypatch.setattr(plan, "_wave", lambda: 5)
    taken = []
    for place, result in stream_plan(partial(noted, tmp_path), range(60)):
        assert place == result
        time.sleep(0.01)
        assert len(list(tmp_path.iterdir())) <= 5 * (len(taken) // 5 + 1)
        taken.append(result)
    assert sorted(taken) == list(range(60))


def test_who_stops_taking_results_waits_for_a_wave_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: a full disk is told without reading the rest of the file first."""
    monkeypatch.setattr(plan, "_wave", lambda: 5)
    results = stream_plan(partial(noted, tmp_path), range(60))
    for _ in range(7):
        next(results)
    results.close()
    assert len(list(tmp_path.iterdir())) <= 10
    assert run_plan(squared, [3, 4]) == [9, 16]


def test_the_earliest_error_is_that_of_its_wave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: the earliest task that fails is told, whatever the waves; later waves are not run."""
    for wave in (1, 4, 5, 100):
        monkeypatch.setattr(plan, "_wave", lambda size=wave: size)
        errors: dict[int, Exception] = {6: InputError("six"), 7: InputError("seven")}
        told: list[int] = []
        with pytest.raises(InputError, match="six"):
            run_plan(partial(failing, errors), range(12), told.append)
        assert sum(told) == min(12, -(-7 // wave) * wave)
