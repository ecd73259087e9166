"""A Ray cluster for the plans of this process, by `--engine ray`."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from lvis_merge import __version__
from lvis_merge.errors import InputError
from lvis_merge.sources.files import first_line
from lvis_merge.sources.ranges import UnreadableError
from lvis_merge.unfinished import unfinished

_CONNECT_SECONDS = 10.0
_NOT_IMPORTED = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named '([\w.]+)'")
_HANDLED = (signal.SIGINT, signal.SIGTERM)

# as for daft: a library that is called by a tool reports no usage
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


@contextmanager
def ray_cluster(address: str | None, threads: int | None) -> Iterator[None]:
    """Has daft run its plans on Ray meanwhile; once per process, before its first plan.

    Args:
        address: of a running cluster, `HOST:PORT` or `auto`; None for what `RAY_ADDRESS` says, and
            without it for a Ray of this process alone, which ends with the block.
        threads: CPUs of that Ray; None for all. A running cluster has its own.

    Raises:
        InputError: ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "--engine ray: Ray is not installed here. Run pip install 'lvis-merge[ray]', on every"
            " node of the cluster."
        ) from error
    import daft

    address = address or os.environ.get("RAY_ADDRESS")
    with ExitStack() as stack:
        if address:
            _join(address)
        else:
            _start(threads, stack.enter_context(_short_folder()))
        stack.callback(ray.shutdown)
        daft.set_runner_ray()
        with cluster_errors():
            # daft starts its actors with the first plan, and would start them twice for two at once
            daft.from_pydict({"number": [0]}).select(daft.col("number") + 1).to_pydict()
        yield


def _join(address: str) -> None:
    if address.startswith("ray://"):
        raise InputError(
            f"--ray-address {address}: Ray Client addresses are not supported. Run the command on a"
            " node of the cluster, with --ray-address auto or HOST:PORT."
        )
    _check_listening(address)
    _init(f"--ray-address {address}", address=address)


def _check_listening(address: str) -> None:
    """Refuses an address where nothing listens; Ray itself would try for half a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return  # `auto`, say: for Ray to judge
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--ray-address {address}: nothing answers there ({error}). Give the address that"
            " `ray start --head` printed, or auto on a node of the cluster."
        ) from error


def _start(threads: int | None, folder: Path | None) -> None:
    # Ray would write its token below the home folder, which may be read-only
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex())
    _init(
        "--engine ray",
        address="local",
        num_cpus=threads,
        include_dashboard=False,
        _temp_dir=str(folder) if folder else None,
    )


def _init(what: str, **options: Any) -> None:
    import ray

    # Ray takes SIGTERM for itself
    handlers = {number: signal.getsignal(number) for number in _HANDLED}
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", **options)
    except Exception as error:  # Ray raises whatever its parts raise: RPC errors, RuntimeError, …
        raise InputError(
            f"{what}: Ray cannot be used ({first_line(error)}). Check that the cluster runs the"
            " same versions of Python and Ray as this command; a cluster started with a token needs"
            " RAY_AUTH_MODE=token here."
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)


@contextmanager
def _short_folder() -> Iterator[Path | None]:
    """A temporary folder for Ray; None where its path is too long for the sockets in it."""
    folder = Path(tempfile.gettempdir()) / f"lvis-merge-{secrets.token_hex(4)}"
    if len(str(folder)) > _SOCKET_PATH - _BELOW_SESSIONS:
        yield None
        return
    with unfinished(folder, mode=0o700):
        yield folder


_SOCKET_PATH = 107
_BELOW_SESSIONS = 75
"""What Ray adds: `/session_2026-11-29_00-43-55_345678_4194304/sockets/plasma_store` and more."""


@contextmanager
def cluster_errors() -> Iterator[None]:
    """Tells what is wrong with the cluster, while a plan runs; faults of the work pass through.

    Raises:
        InputError: a node lacks the package, or the cluster cannot go on.
    """
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except Exception as error:
        if missing := _NOT_IMPORTED.search(str(error)):
            raise InputError(
                f"A Ray node cannot import {missing[1]}. Run pip install 'lvis-merge[ray]' of this"
                f" version ({__version__}) on every node."
            ) from error
        if isinstance(error, RayError) and not isinstance(error, RayTaskError):
            raise InputError(
                f"The Ray cluster did not go on ({first_line(error)}). See `ray status` and the"
                " logs of its nodes, then run it again."
            ) from error
        raise


def on_workers(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function as one that carries no data with it: nodes fetch it from Ray's object store.

    The tables that some functions hold are megabytes, and daft sends a function with every task.
    """
    import ray

    # daft's own pickling would lose the reference's owner, and the workers would wait for ever
    return partial(_call, ray.cloudpickle.dumps(ray.put(work)), __version__)


def _call(reference: bytes, version: str, task: Any) -> Any:
    node = f"Ray node {socket.gethostname()}"
    if version != __version__:
        raise InputError(
            f"{node} has lvis-merge {__version__}, this one {version}. Install the same version on"
            " every node."
        )
    try:
        return _fetched(reference)(task)
    except UnreadableError as error:
        raise InputError(
            f"{node}: {error} Every node must see the same inputs under the same path: put them on"
            " storage that all share, or give s3:// URLs. Archives are unpacked into TMPDIR of this"
            " command: unpack them first, or have TMPDIR name a shared folder."
        ) from error


@lru_cache(maxsize=2)
def _fetched(reference: bytes) -> Callable[[Any], Any]:
    import ray

    work: Callable[[Any], Any] = ray.get(ray.cloudpickle.loads(reference))
    return work
