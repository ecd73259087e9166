"""A large JSON file is read in a process of its own.

Decoding JSON holds Python's interpreter lock nearly all the time; in a thread it would starve the
threads that scan the CSV files beside it. The child leaves its tables as Arrow files, which the
parent maps into memory.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from lvis_merge.errors import InputError, LvisMergeError
from lvis_merge.sources.files import no_room
from lvis_merge.sources.tables import JsonSource

LARGE_BYTES = 32 << 20
"""Smaller files are read sooner than a process is started."""

_TABLES = ("images", "annotations", "categories", "rejects", "bad_annotations")
_PARENT_DIED = 1  # PR_SET_PDEATHSIG


def read_source(
    read: Callable[..., JsonSource], path: Path, scratch: Path, **options: Any
) -> JsonSource:
    """Reads a file with `read(path, **options)`, apart if it is large.

    Args:
        read: a reader; a function of a module.
        path: a local file.
        scratch: an existing folder for the tables; it may be removed while they are in use.
        options: of the reader; they must pickle.

    Raises:
        LvisMergeError: what the reader raises.
    """
    if path.stat().st_size < LARGE_BYTES:
        return read(path, **options)
    return read_apart(read, path, scratch, **options)


def read_apart(
    read: Callable[..., JsonSource], path: Path, scratch: Path, **options: Any
) -> JsonSource:
    """Reads a file with `read(path, **options)` in a process of its own; as `read_source`."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    (folder / "task").write_bytes(pickle.dumps((read, path, options)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        [sys.executable, "-m", "lvis_merge.sources.apart", str(folder)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        process_group=0,  # a terminal sends Ctrl-C to the whole group; the parent ends the child
    )
    try:
        code = child.wait()
    finally:
        child.kill()
        child.wait()
    if code < 0:
        raise InputError(
            f"{path}: the process that read it was ended by signal {-code}. The machine may be out"
            " of memory: close what else runs on it, or use a larger one."
        )
    if code != 0:
        raise RuntimeError(f"the process that read {path} ended with {code}")
    found = pickle.loads((folder / "found").read_bytes())
    if isinstance(found, LvisMergeError):
        raise found
    source: JsonSource = replace(found, **{name: _mapped(folder / name) for name in _TABLES})
    return source


def _mapped(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _main(folder: Path) -> None:
    """The child's part: reads what `task` says, leaves `found` and the tables."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGKILL)
    read, path, options = pickle.loads((folder / "task").read_bytes())
    try:
        source: JsonSource = read(path, **options)
    except LvisMergeError as error:
        (folder / "found").write_bytes(pickle.dumps(error))
        return
    empty = {}
    try:
        for name in _TABLES:
            table = getattr(source, name)
            with pa.ipc.new_file(folder / name, table.schema) as out:
                out.write_table(table)
            empty[name] = table.schema.empty_table()
        (folder / "found").write_bytes(pickle.dumps(replace(source, **empty)))
    except OSError as problem:
        for name in _TABLES:  # makes the room that the message needs
            (folder / name).unlink(missing_ok=True)
        (folder / "found").write_bytes(pickle.dumps(no_room(path, folder.parent, problem)))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # nothing is left to tidy up, and the tables are large
