"""One plan for many independent pieces of work, run by daft.

A source describes its work as a list of small tasks (a byte range to scan) and a pure function.
daft runs the function over the tasks, in threads on this machine; the results come back in the
order of the tasks, whatever ran first.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lvis_merge.errors import LvisMergeError

T = TypeVar("T")
R = TypeVar("R")

# daft reports usage and draws bars by default; a library that is called by a tool does neither
for _name, _value in (
    ("DO_NOT_TRACK", "true"),
    ("DAFT_ANALYTICS_ENABLED", "0"),
    ("DAFT_PROGRESS_BAR", "0"),
):
    os.environ.setdefault(_name, _value)


def use_threads(threads: int | None) -> None:
    """Sets how many threads the plan may use in this process; None leaves daft's own choice.

    daft takes the number once, before its first plan runs.
    """
    if threads is not None:
        import daft

        daft.set_runner_native(num_threads=threads)


def run_plan(
    work: Callable[[T], R],
    tasks: Sequence[T],
    advance: Callable[[int], None] = lambda number: None,
) -> list[R]:
    """Applies a function to every task.

    Args:
        work: pure function; it and its results must pickle.
        tasks: what to apply it to.
        advance: called with the number of tasks that have newly finished.

    Returns:
        The results, in the order of the tasks.

    Raises:
        LvisMergeError: what `work` raised, of the earliest task.
    """
    if not tasks:
        return []
    import daft

    # left to itself daft may move the function to other processes while it runs, which outlive
    # Ctrl-C and cost a second each to start
    @daft.func.batch(  # type: ignore[untyped-decorator]
        return_dtype=daft.DataType.binary(), use_process=False
    )
    def apply(column: daft.Series) -> list[bytes]:
        return [_apply(work, task) for task in column.to_pylist()]

    plan = (
        daft.from_pydict(
            {"place": list(range(len(tasks))), "task": [pickle.dumps(task) for task in tasks]}
        )
        .into_batches(1)
        .select(daft.col("place"), apply(daft.col("task")).alias("result"))
    )
    results: list[Any] = [None] * len(tasks)
    for batch in plan.to_arrow_iter():
        for place, result in zip(
            *(batch[name].to_pylist() for name in batch.schema.names), strict=True
        ):
            results[place] = pickle.loads(result)
        advance(batch.num_rows)
    for result in results:
        if isinstance(result, LvisMergeError):
            raise result
    return results


def _apply(work: Callable[[T], R], task: bytes) -> bytes:
    try:
        return pickle.dumps(work(pickle.loads(task)), protocol=pickle.HIGHEST_PROTOCOL)
    except LvisMergeError as error:  # carried back whole, so that the user reads the message
        return pickle.dumps(error)
