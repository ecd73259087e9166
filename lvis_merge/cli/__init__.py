"""The `lvis-merge` command: one file per group of commands, errors and exit codes here."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from lvis_merge import __version__
from lvis_merge.cli.broken_manifest import broken_manifest
from lvis_merge.cli.build import build
from lvis_merge.cli.curate import curate
from lvis_merge.cli.demo import demo
from lvis_merge.cli.diff import diff
from lvis_merge.cli.ensemble import ensemble
from lvis_merge.cli.evaluate import evaluate
from lvis_merge.cli.experts import experts
from lvis_merge.cli.export import export
from lvis_merge.cli.fetch import fetch_app
from lvis_merge.cli.inspect import inspect
from lvis_merge.cli.manifest import stats, validate
from lvis_merge.cli.map import map_app
from lvis_merge.cli.roadmap import roadmap
from lvis_merge.cli.setup_training import setup_training
from lvis_merge.cli.stopping import STOPPED, StoppedError, stop_code, stop_on_signals
from lvis_merge.cli.submit import submit
from lvis_merge.cli.test import detect
from lvis_merge.cli.train import train
from lvis_merge.errors import LvisMergeError, UsageError

app = typer.Typer(
    name="lvis-merge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LVIS + COCO + Open Images in one reviewed, validated Parquet manifest.",
)
app.command()(build)
app.add_typer(fetch_app, name="fetch")
app.command()(demo)
app.command()(evaluate)
app.command()(experts)
app.command()(ensemble)
app.command()(submit)
app.command()(roadmap)
app.command()(validate)
app.command()(stats)
app.command()(inspect)
app.command()(curate)
app.command()(diff)
app.command()(export)
app.command()(setup_training)
app.command()(train)
app.command("test")(detect)
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


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    stop_on_signals()
    # closed streams (`>&-`) are None
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, TextIOWrapper)]
    for stream in streams:
        stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 gets question marks
    code = run()
    if stop_code() is not None:
        # a folder made in the instant before its `with` began is removed with its object
        gc.collect()
    for stream in streams:
        with suppress(OSError):  # whoever read it has left
            stream.flush()
    # Worker threads may still be in the middle of a range whose result nobody wants, and native
    # threads that let go of Arrow buffers after the interpreter is gone can crash the process
    # (apache/arrow#38352). Everything that matters is on disk and flushed.
    os._exit(code)


def run() -> int:
    """Runs the command line in this process and returns its exit code.

    A user's mistake ends with one message on stderr, never with a traceback.
    """
    try:
        _check_encoding(sys.argv[1:])
        app(standalone_mode=True)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except LvisMergeError as error:
        return _told(str(error), error.exit_code)
    except BrokenPipeError:
        # whoever read our stdout has left (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # a full disk, a name that is too long, a folder that another program took away
        where = f"{error.filename}: " if error.filename else ""
        advice = "Check the path, who may write there, and the space left on the disk."
        return _told(f"{where}{error.strerror or error}. {advice}", LvisMergeError.exit_code)
    except StoppedError as stop:
        return _told(STOPPED, stop.code)
    except Exception:
        if (code := stop_code()) is not None:  # what a library made of the signal
            return _told(STOPPED, code)
        if (message := broken_manifest()) is not None:
            return _told(message, LvisMergeError.exit_code)
        traceback.print_exc()
        return _told("this is a fault of lvis-merge, not yours; please report the lines above.", 70)
    return 0


def _check_encoding(arguments: Sequence[str]) -> None:
    """Refuses names that no JSON, Parquet or UTF-8 text could hold."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{argument!r}: is no UTF-8 text. Rename the file, or use a UTF-8 locale."
            ) from error


def _told(message: str, code: int) -> int:
    """Prints a message; what would steer the terminal (of a binary file, say) is escaped.

    After a signal the message is that one: the error is what a library made of it.
    """
    if (stopped := stop_code()) is not None:
        message, code = STOPPED, stopped
    shown = (
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in message
    )
    print(f"lvis-merge: {''.join(shown)}", file=sys.stderr)
    return code
