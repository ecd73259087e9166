"""Where an export goes: written beside its place, then renamed into it; nothing is replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.unfinished import partial_folder

_NAME_BYTES = 255 - len("..partial-4194304")
"""Of the 255 that file systems allow; the temporary sibling's name is the longest."""


def check_new(out: Path) -> None:
    """Refuses a place that an export cannot go to, before any long work.

    Args:
        out: the file or folder to be.

    Raises:
        InputError: something is there, or its folder cannot be written.
    """
    if os.path.lexists(out):
        raise InputError(f"{out}: is there already, and is left alone. Give another --out.")
    if len(os.fsencode(out.name)) > _NAME_BYTES:
        raise InputError(f"{out}: its name is longer than {_NAME_BYTES} bytes. Give another --out.")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{out}: cannot write in {above}. Give another --out.")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that gets its name once the block has ended without an error.

    Args:
        out: the folder to be; folders above it are made.

    Yields:
        The empty folder beside it to write to meanwhile.

    Raises:
        InputError: as `check_new`.
    """
    check_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(out) as partial:
        yield partial
        check_new(out)
        partial.rename(out)


@contextmanager
def new_file(out: Path) -> Iterator[Path]:
    """A file that gets its name once the block has ended without an error.

    Args:
        out: the file to be; folders above it are made.

    Yields:
        Where to write it meanwhile: a file of the same name in a folder beside it.

    Raises:
        InputError: as `check_new`.
    """
    check_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(out) as folder:
        partial = folder / out.name
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        check_new(out)
        partial.rename(out)
