"""Ray nodes for tests: processes of this machine on loopback, gone when the test is."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.running import ROOT

START_SECONDS = 60.0
_OPTIONS = (
    "--node-ip-address=127.0.0.1",
    "--num-cpus=1",
    "--object-store-memory=100000000",
    # nodes of one machine would take the same ports for their workers
    "--min-worker-port=0",
    "--max-worker-port=0",
    "--disable-usage-stats",
    "--block",
)


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        address: of its head.
        environment: what a process needs to join it.
    """

    address: str
    environment: dict[str, str]


@contextmanager
def ray_nodes(number: int, variables: Mapping[str, str]) -> Iterator[Cluster]:
    """Starts a head and `number - 1` other nodes, each with one CPU, as separate processes.

    Args:
        number: of nodes.
        variables: of their environment, besides this process's.
    """
    # not below pytest's folder: the paths of Ray's sockets would be too long
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    # a token of their own: no other Ray of this machine is joined, and none is left at home
    environment = {
        **os.environ,
        **variables,
        "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(),
    }
    port, client_port = _free_ports(2)
    address = f"127.0.0.1:{port}"
    head = (
        "--head",
        f"--port={port}",
        f"--ray-client-server-port={client_port}",
        f"--temp-dir={folder}",
        "--include-dashboard=false",
    )
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for place in range(number):
            where = head if place == 0 else (f"--address={address}",)
            log = folder.with_suffix(f".{place}.log")
            stack.callback(log.unlink, missing_ok=True)
            stack.enter_context(_node(where, environment, log))
        yield Cluster(address, environment)


@contextmanager
def _node(where: tuple[str, ...], environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *where, *_OPTIONS]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while b"will now block" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        # all of its processes are in its group, but for workers: those go with their raylet
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)
        ]
        return [one.getsockname()[1] for one in sockets]


def ray_processes(text: str) -> list[str]:
    """Command lines of the running processes that have a text in them or in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if text in line or text.encode() in (folder / "environ").read_bytes():
                found.append(line)
        except OSError:  # it has ended
            continue
    return found


def wait_until_gone(text: str, seconds: float = 15.0) -> None:
    """Fails if a process with this text is still there after a while."""
    deadline = time.monotonic() + seconds
    while left := ray_processes(text):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
