"""`inspect` killed at any moment: its data set is absent or complete, and the next run loads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lvis_merge.inspect.database import CACHE_VARIABLE, URI_VARIABLE
from lvis_merge.manifest import Manifest
from tests.inspect.conftest import has_fiftyone

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_fiftyone(), reason="FiftyOne is not installed"),
]

KILLS = int(os.environ.get("KILLS", "2"))
"""More of them in `make soak`."""

# tells what the last one left, takes it away, loads; as the command does it
LOAD = """
import json, sys
from rich.console import Console
from lvis_merge import manifest as manifests
from lvis_merge.image_roots import image_roots
from lvis_merge.inspect.database import database
from lvis_merge.progress import Stages

folder, *roots = sys.argv[1:]
with database():
    import fiftyone as fo
    from lvis_merge.inspect.load import Wanted, opened

    def state():
        return {name: [dataset.count(), dataset.count("objects.detections"),
                       len(dataset.list_saved_views())]
                for name in fo.list_datasets() if "-partial-" not in name
                for dataset in [fo.load_dataset(name)]}

    print(json.dumps(state()), flush=True)
    for name in state():
        fo.delete_dataset(name)
    sys.stdin.readline()
    wanted = Wanted(manifests.open(folder), image_roots(roots))
    opened(wanted, Stages(Console(quiet=True)))
    print(json.dumps({"state": state(), "all": fo.list_datasets()}), flush=True)
    import fiftyone.core.odm.database as connection
    connection._disconnect()
"""


class Loading:
    """A process that loads a manifest once it is let go."""

    def __init__(self, cache: Path, arguments: list[str]) -> None:
        environment = {**os.environ, CACHE_VARIABLE: str(cache)}
        environment.pop(URI_VARIABLE, None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOAD, *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def test_a_load_killed_at_any_moment_leaves_no_half_data_set(
    tmp_path: Path, manifest: Manifest, roots: list[str]
) -> None:
    arguments = [str(manifest.path), *roots]
    first = Loading(tmp_path, arguments)
    with first.process:
        assert first.line() == {}
        first.go()
        start = time.monotonic()
        done = first.line()
        seconds = time.monotonic() - start
    assert first.process.returncode == 0
    complete = done["state"]
    (name,) = complete
    assert done["all"] == [name]
    assert complete[name][0] == manifest.images.num_rows

    rng = Random(3)
    for place in range(KILLS):
        loading = Loading(tmp_path, arguments)
        with loading.process:
            assert loading.line() in ({}, complete)
            loading.go()
            time.sleep(seconds * (place + rng.random()) / KILLS)
            loading.process.kill()
    last = Loading(tmp_path, arguments)
    with last.process:
        assert last.line() in ({}, complete)
        last.go()
        assert last.line() == {"state": complete, "all": [name]}
    assert last.process.returncode == 0
