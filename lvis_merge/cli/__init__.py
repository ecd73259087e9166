"""The `lvis-merge` command: one file per group of commands, errors and exit codes here."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from lvis_merge import __version__
from lvis_merge.cli.build import build
from lvis_merge.cli.demo import demo
from lvis_merge.cli.manifest import stats, validate
from lvis_merge.cli.map import map_app
from lvis_merge.errors import LvisMergeError

app = typer.Typer(
    name="lvis-merge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LVIS + COCO + Open Images in one reviewed, validated Parquet manifest.",
)
app.command()(build)
app.command()(demo)
app.command()(validate)
app.command()(stats)
app.add_typer(map_app, name="map")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


class _TerminatedError(BaseException):
    """SIGTERM: unwinds like Ctrl-C, so that temporary folders are removed."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _TerminatedError


def main() -> None:
    """Runs the command line.

    A user's mistake ends with one message on stderr and its exit code, never with a traceback.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(standalone_mode=True)
    except LvisMergeError as error:
        print(f"lvis-merge: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # whoever read our stdout has left (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _stop(130)
    except _TerminatedError:
        _stop(143)


def _stop(code: int) -> None:
    print("lvis-merge: stopped; nothing half-done was left. Run it again.", file=sys.stderr)
    # worker threads may still be in the middle of a range; nothing they do is kept
    sys.stderr.flush()
    os._exit(code)
