"""The App: its server on this machine, until the user stops it."""

from __future__ import annotations

import contextlib
import io
import socket
import time
from typing import TYPE_CHECKING

from lvis_merge.errors import InputError

if TYPE_CHECKING:
    import fiftyone as fo

ADDRESS = "127.0.0.1"
_LOOK_SECONDS = 2.0
_MISSES = 3


def check_port(port: int) -> None:
    """Refuses a port that is in use, before any long work.

    Raises:
        InputError: another program listens there.
    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"--port {port}: {reason}. Give another one, such as --port {_free_port()}."
            ) from error


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        return int(free.getsockname()[1])


def address(dataset: fo.Dataset, port: int, view: str | None = None) -> str:
    """Where a browser finds a data set, or one of its saved views by its slug."""
    place = f"http://{ADDRESS}:{port}/datasets/{dataset.slug}"
    return f"{place}?view={view}" if view else place


def start_app(dataset: fo.Dataset, port: int) -> None:
    """Starts the App's server; nothing is opened, so that no display is needed.

    The server ends with this process.

    Raises:
        InputError: it does not come up.
    """
    import fiftyone as fo
    from fiftyone.core.service import ServiceException

    try:
        # results alone go to stdout, and FiftyOne greets there
        with contextlib.redirect_stdout(io.StringIO()):
            fo.launch_app(dataset, port=port, address=ADDRESS, remote=True, auto=False)
    except ServiceException as error:
        raise InputError(f"--port {port}: the App did not come up ({error}).") from error


def wait_for_ever(port: int) -> None:
    """Waits while the App's server is there; a signal ends it earlier, by an exception.

    Raises:
        InputError: the server has ended.
    """
    misses = 0
    while misses < _MISSES:
        time.sleep(_LOOK_SECONDS)
        with socket.socket() as trial:
            misses = 0 if trial.connect_ex((ADDRESS, port)) == 0 else misses + 1
    raise InputError("The App's server has ended. Start `lvis-merge inspect` again.")
