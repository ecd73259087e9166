"""One plan for many independent pieces of work, run by daft.

A source describes its work as a list of small tasks (a byte range to scan) and a pure function.
daft runs the function over the tasks, in threads on this machine or on a Ray cluster; the results
come back in the order of the tasks, whatever ran first.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Literal, TypeVar

from lvis_merge.errors import LvisMergeError
from lvis_merge.sources.ray_cluster import cluster_errors, on_workers, ray_cluster

_TASKS_OF_A_THREAD = 8
_TASKS_OF_A_RAY_CPU = 64
"""More: a plan takes longer to start there, and results wait in the cluster's object store."""

T = TypeVar("T")
R = TypeVar("R")

# daft reports usage and draws bars by default; a library that is called by a tool does neither
for _name, _value in (
    ("DO_NOT_TRACK", "true"),
    ("DAFT_ANALYTICS_ENABLED", "0"),
    ("DAFT_PROGRESS_BAR", "0"),
):
    os.environ.setdefault(_name, _value)


@contextmanager
def engine(
    name: Literal["native", "ray"] = "native",
    ray_address: str | None = None,
    threads: int | None = None,
) -> Iterator[None]:
    """Where the plans of this process run; daft takes the choice once, before its first plan.

    Args:
        name: `native`, threads of this machine, or `ray`.
        ray_address: as `ray_cluster`.
        threads: how many; None for one per core.

    Raises:
        InputError: as `ray_cluster`.
    """
    if name == "ray":
        with ray_cluster(ray_address, threads):
            yield
        return
    # in a job of a Ray cluster daft would choose Ray by itself
    if threads is not None or "RAY_JOB_ID" in os.environ:
        import daft

        daft.set_runner_native(num_threads=threads)
    yield


def runs_on_ray() -> bool:
    """Whether the plans of this process run on a Ray cluster."""
    if "daft" not in sys.modules:  # costs a moment, and none has been chosen
        return False
    import daft

    return bool(daft.get_or_infer_runner_type() == "ray")


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
    results: list[Any] = [None] * len(tasks)
    for place, result in stream_plan(work, tasks, advance):
        results[place] = result
    return results


def stream_plan(
    work: Callable[[T], R],
    tasks: Sequence[T],
    advance: Callable[[int], None] = lambda number: None,
) -> Iterator[tuple[int, R]]:
    """`run_plan` whose results come one by one, for results that are too many to hold.

    Workers are at most a wave of tasks ahead of who takes the results: daft by itself would not
    wait for them.

    Yields:
        A task's place and its result, in no fixed order.

    Raises:
        LvisMergeError: what `work` raised, of the earliest task, once its wave is done.
    """
    wave = _wave() if tasks else 1
    for start in range(0, len(tasks), wave):
        errors: dict[int, LvisMergeError] = {}
        for place, result in _run_wave(work, tasks[start : start + wave], advance):
            if isinstance(result, LvisMergeError):
                errors[place] = result
            else:
                yield start + place, result
        if errors:
            raise errors[min(errors)]


def _wave() -> int:
    """How many tasks are given out together: enough that no worker is idle for long."""
    if not runs_on_ray():
        return _TASKS_OF_A_THREAD * (os.cpu_count() or 1)
    import ray

    return _TASKS_OF_A_RAY_CPU * int(ray.cluster_resources().get("CPU", 1) or 1)


def _run_wave(
    work: Callable[[T], R], tasks: Sequence[T], advance: Callable[[int], None]
) -> Iterator[tuple[int, Any]]:
    """Places and results, errors of users among them."""
    import daft

    step = on_workers(work) if runs_on_ray() else work

    # left to itself daft may move the function to other processes while it runs, which outlive
    # Ctrl-C and cost a second each to start
    @daft.func.batch(  # type: ignore[untyped-decorator]
        return_dtype=daft.DataType.binary(), use_process=False
    )
    def apply(column: daft.Series) -> list[bytes]:
        return [_apply(step, task) for task in column.to_pylist()]

    plan = (
        daft.from_pydict(
            {"place": list(range(len(tasks))), "task": [pickle.dumps(task) for task in tasks]}
        )
        .into_batches(1)
        .select(daft.col("place"), apply(daft.col("task")).alias("result"))
    )
    with cluster_errors() if runs_on_ray() else nullcontext():
        for batch in plan.to_arrow_iter():
            for place, data in zip(
                *(batch[name].to_pylist() for name in batch.schema.names), strict=True
            ):
                yield place, pickle.loads(data)
            advance(batch.num_rows)


def _apply(work: Callable[[T], R], task: bytes) -> bytes:
    try:
        return pickle.dumps(work(pickle.loads(task)), protocol=pickle.HIGHEST_PROTOCOL)
    except LvisMergeError as error:  # carried back whole, so that the user reads the message
        return pickle.dumps(error)
