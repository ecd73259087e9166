"""A build on a running cluster that notes where its tasks ran, in a process of its own.

    python -m tests.pipeline.on_two_nodes ADDRESS OPTIONS CHUNK_BYTES

builds what the pickled `BuildOptions` in the file OPTIONS say and prints one JSON object: the node
of every task, the nodes there are, and messages of plans that fail.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from lvis_merge.errors import InputError
from lvis_merge.sources import csv_chunks, plan, ray_cluster
from lvis_merge.sources.open_images import scan
from lvis_merge.sources.ranges import digest
from tests.pipeline.running import build_quietly
from tests.sources.test_plan import failing


def noting_the_node(work: Callable[[Any], Any], task: Any) -> tuple[str, Any]:
    """The node that a task runs on, with its result."""
    import ray

    time.sleep(0.02)  # so that no node is done with all before the other has begun
    return ray.get_runtime_context().get_node_id(), work(task)


def known_here_only() -> Callable[[Any], Any]:
    """A function of a module that no other process can import."""
    module = ModuleType("known_here_only")
    exec("def work(task): return task", vars(module))
    sys.modules["known_here_only"] = module
    work: Callable[[Any], Any] = module.work
    return work


def main(address: str, options: Path, chunk_bytes: int) -> dict[str, Any]:
    import ray

    kwdefaults = csv_chunks.open_csv.__kwdefaults__
    assert kwdefaults is not None
    kwdefaults["chunk_bytes"] = chunk_bytes
    csv_chunks.recut.__defaults__ = (chunk_bytes,)
    nodes: list[str] = []
    told: list[str] = []

    def stream_plan(
        work: Callable[[Any], Any], tasks: Sequence[Any], advance: Callable[[int], None]
    ) -> Iterator[tuple[int, Any]]:
        for place, (node, result) in plan.stream_plan(
            partial(noting_the_node, work), tasks, advance
        ):
            nodes.append(node)
            yield place, result

    def failed(work: Callable[[Any], Any], tasks: Sequence[Any]) -> None:
        try:
            plan.run_plan(work, tasks)
        except InputError as error:
            told.append(str(error))

    scan.stream_plan = stream_plan
    with plan.engine("ray", address):
        build_quietly(pickle.loads(options.read_bytes()))
        failed(partial(failing, {2: InputError("file.csv, row 3: is wrong.")}), range(4))
        failed(digest, ["/no/such/file.csv"])
        failed(known_here_only(), range(4))
        ray_cluster.__version__ = "0.0.1"
        failed(partial(failing, {}), range(4))
        alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    return {"nodes": nodes, "alive": alive, "told": told}


if __name__ == "__main__":
    found = main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(found), flush=True)
    os._exit(0)  # as the command line ends
