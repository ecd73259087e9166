"""Where a manifest goes: written beside its place, then renamed into it.

A reader sees no manifest, the old one or the new one, never half of one. Only while an old one is
replaced there is, for a moment, none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.manifest.record import RECORD_FILE, record_head
from lvis_merge.unfinished import partial_folder, remove_leftovers

_NAME_BYTES = 255 - len("..partial-4194304")
"""Of the 255 that file systems allow; the temporary sibling's name is the longest."""


def is_manifest(folder: Path) -> bool:
    """Whether a folder holds a manifest of any schema version."""
    try:
        data = (folder / RECORD_FILE).read_bytes()
    except OSError:
        return False
    return record_head(data) is not None


def check_out(out: Path, overwrite: bool) -> None:
    """Refuses a place that a manifest cannot go to, before any long work.

    Args:
        out: the folder to be.
        overwrite: whether a manifest there may be replaced.

    Raises:
        InputError: something that is no manifest is there, or a manifest without `overwrite`, or
            the folder cannot be made.
    """
    place = _resolved(out)
    if place.is_symlink():
        raise InputError(f"{out}: is a symbolic link in a circle. Give another --out.")
    if len(os.fsencode(place.name)) > _NAME_BYTES:
        raise InputError(f"{out}: its name is longer than {_NAME_BYTES} bytes. Give another --out.")
    if place.exists():
        if not is_manifest(place):
            what = "a folder that is not a manifest" if place.is_dir() else "a file"
            raise InputError(f"{out}: there is {what}, and it is left alone. Give another --out.")
        if not overwrite:
            raise InputError(
                f"{out}: there is a manifest already. Add --overwrite to replace it, or give"
                " another --out."
            )
    above = next(folder for folder in place.parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{out}: cannot write in {above}. Give another --out.")


@contextmanager
def renamed_when_complete(out: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary sibling folder that becomes `out` when the block ends without an error.

    Siblings that killed processes left behind are removed first; on an error the own one is.

    Args:
        out: the folder to be.
        overwrite: whether a manifest there may be replaced.

    Yields:
        The empty temporary folder.

    Raises:
        InputError: as `check_out`.
    """
    check_out(out, overwrite)
    place = _resolved(out)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial_folder(place) as partial:
            yield partial
            _sync(partial)
            check_out(out, overwrite)
            _swap(partial, place)
    finally:
        if place.exists():
            remove_leftovers(place, "old")


def _resolved(out: Path) -> Path:
    """The place itself where `out` is a symbolic link, so that siblings are on its disk."""
    return Path(os.path.realpath(out))


def _swap(partial: Path, place: Path) -> None:
    aside = place.with_name(f".{place.name}.old-{os.getpid()}")
    try:
        if place.exists():
            place.rename(aside)
        partial.rename(place)
    except BaseException:  # Ctrl-C may come between any two steps
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise
    _sync_entry(place.parent)


def _sync(folder: Path) -> None:
    """Has every file and folder reach the disk before the rename can."""
    for path in (*folder.rglob("*"), folder):
        _sync_entry(path)


def _sync_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
