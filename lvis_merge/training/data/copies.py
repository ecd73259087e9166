"""Where the Arrow copies of manifests are kept: one per manifest and node.

A copy is a folder named by a hash of the manifest's files, so a changed manifest has another one.
Whoever is first makes it, beside its place, and renames it into it: one that is there is complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
import pyarrow as pa

from lvis_merge.cache import CACHE_VARIABLE, cache_folder
from lvis_merge.errors import InputError
from lvis_merge.manifest import open as open_manifest
from lvis_merge.manifest.record import RECORD_FILE
from lvis_merge.training.data.copy_tables import HEAD_FILE, LAYOUT, CopyHead, write_copy
from lvis_merge.unfinished import unfinished

_TABLES = ("images.parquet", "annotations.parquet", "categories.parquet")
_IN_USE = "in_use"
_PARTIAL = ".partial-"


@dataclass(frozen=True)
class HeldCopy:
    """A copy that is not removed while this process, or one forked from it, has it.

    Attributes:
        folder: the copy.
        hold: the open file whose shared lock says so.
    """

    folder: Path
    hold: IO[bytes]


def copies_folder(cache_dir: str | Path | None = None) -> Path:
    """Where copies are kept.

    Args:
        cache_dir: the cache to use; None: what LVIS_MERGE_CACHE names, or the user's cache folder.
    """
    return Path(cache_dir) / "manifests" if cache_dir else cache_folder("manifests")


def manifest_key(manifest: Path) -> str:
    """Names a manifest's contents.

    `manifest.json` holds the hashes of the tables as they were built; their sizes and times tell
    one that was changed by hand since.

    Raises:
        InputError: no manifest is there, or a table is missing.
    """
    open_manifest(manifest)  # says what is wrong if it is none
    digest = hashlib.sha256(f"{LAYOUT}\n".encode())
    try:
        digest.update((manifest / RECORD_FILE).read_bytes())
        for name in _TABLES:
            stat = (manifest / name).stat()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: missing. Build the manifest again.") from error
    return digest.hexdigest()[:40]


def held_copy(manifest: Path, folder: Path, key: str) -> HeldCopy:
    """The copy of a manifest, made if there is none.

    Args:
        manifest: its folder; read only if the copy has to be made.
        folder: of all copies, see `copies_folder`.
        key: of the manifest, see `manifest_key`.

    Raises:
        InputError: the manifest is damaged or no longer the one with this key, or the folder
            cannot be written.
    """
    try:
        while not (held := _hold(folder / key)):
            _make(manifest, folder, key)
    except OSError as error:
        raise InputError(
            f"{folder}: the Arrow copy of {manifest} cannot be kept there ({error}). Set"
            f" {CACHE_VARIABLE} to a folder on a local disk with space for it."
        ) from error
    return held


def _hold(place: Path) -> HeldCopy | None:
    try:
        file = (place / _IN_USE).open("rb")
        fcntl.flock(file, fcntl.LOCK_SH)
        # between the two it may have been removed, and even made again
        if os.path.samestat(os.fstat(file.fileno()), (place / _IN_USE).stat()):
            return HeldCopy(place, file)
    except FileNotFoundError:
        return None
    return None


def _make(manifest: Path, folder: Path, key: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / key / _IN_USE).exists():
            return
        # nobody writes but who has the lock, so these are left over
        for left in (*folder.glob(f"*{_PARTIAL}*"), folder / key):
            shutil.rmtree(left, ignore_errors=True)
        with unfinished(folder / f"{key}{_PARTIAL}{os.getpid()}", 0o700) as partial:
            write_copy(open_manifest(manifest), partial)
            pa.default_memory_pool().release_unused()  # this process goes on to train
            (partial / _IN_USE).touch()
            if manifest_key(manifest) != key:
                raise InputError(
                    f"{manifest}: was replaced by another manifest meanwhile. Start again."
                )
            for file in partial.iterdir():
                _sync(file)
            partial.rename(folder / key)
        _prune(folder, manifest, key)


def _sync(file: Path) -> None:
    """Has a file reach the disk before its folder's name can say that it is complete."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _prune(folder: Path, manifest: Path, key: str) -> None:
    """Removes copies that nobody uses: earlier ones of this manifest, those of manifests gone."""
    for other in folder.iterdir():
        if other.name == key or not (other / HEAD_FILE).is_file():
            continue
        with suppress(OSError, msgspec.DecodeError):
            head = msgspec.json.decode((other / HEAD_FILE).read_bytes(), type=CopyHead)
            if head.manifest != str(manifest.resolve()) and Path(head.manifest).exists():
                continue
            with (other / _IN_USE).open("rb") as hold:
                fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # half removed, it must not look complete
                shutil.rmtree(other.rename(folder / f"{other.name}{_PARTIAL}{os.getpid()}"))
