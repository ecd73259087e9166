"""Independent pieces of work: results in order, errors brought back."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from functools import partial

import pytest

from lvis_merge.errors import CheckFailedError, InputError, LvisMergeError, UsageError
from lvis_merge.sources.plan import run_plan


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
