"""Input files: plain, `.gz` or `.zip`, local or behind a URL, hashed as they are read.

The hash and the size in the manifest are those of the file as given (still compressed).
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import lzma
import os
import secrets
import shutil
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from lvis_merge.errors import InputError
from lvis_merge.sources.bounded import bounded
from lvis_merge.unfinished import unfinished

T = TypeVar("T")

_WAIT_SECONDS = 0.2
_PIECE_BYTES = 16 << 20
TABLE_FOLDERS = (".csv", ".parquet")
"""What the names of folders end with that hold one table in parts."""
ARCHIVES = (".gz", ".zip")
_REMOTE = ("s3://", "http://", "https://", "gs://", "az://", "abfs://")


@dataclass(frozen=True)
class InputRecord:
    """What the manifest keeps of an input file.

    Attributes:
        role: which option it was given by, such as `lvis` or `openimages/boxes/train`.
        name: base name as given.
        bytes: size as given.
        sha256: hex digest of the file as given.
    """

    role: str
    name: str
    bytes: int
    sha256: str


def base_name(path: str | Path) -> str:
    """Base name of a path or URL; a URL's query (it may hold a key) is not part of it.

    A part of a table in a folder of its own is named with it: `boxes.csv/part-0.csv`.
    """
    text = str(path)
    if is_remote(text):
        text = text.split("?", 1)[0].split("#", 1)[0]
    *folders, name = text.rstrip("/").rsplit("/", 2)
    parent = folders[-1] if folders else ""
    return f"{parent}/{name}" if parent.endswith(TABLE_FOLDERS) else name


def is_remote(path: str | Path) -> bool:
    """Whether a path is a URL that has to be fetched first."""
    return str(path).startswith(_REMOTE)


def temporary_folder() -> AbstractContextManager[Path]:
    """A folder that is gone when the block ends."""
    name = f"lvis-merge-{secrets.token_hex(8)}"
    return unfinished(Path(tempfile.gettempdir()) / name, mode=0o700, threads=True)


@contextmanager
def local_files(paths: list[str]) -> Iterator[dict[str, Path]]:
    """Local paths for paths and URLs; remote files are copied to a temporary folder meanwhile.

    Args:
        paths: local paths or `s3://`, `https://`, … URLs.

    Yields:
        For each path as given, the local file.

    Raises:
        InputError: a file that does not exist or cannot be fetched; one raised in the block names
            URLs as given.
    """
    with temporary_folder() as folder:
        found = {}
        for number, path in enumerate(paths):
            if is_remote(path):
                found[path] = _fetch(path, folder / str(number) / base_name(path))
            elif Path(path).is_dir():
                raise InputError(f"{path}: is a folder. Give the file in it.")
            elif not Path(path).is_file():
                raise InputError(f"{path}: no such file. Check the path.")
            else:
                found[path] = Path(path)
        try:
            yield found
        except InputError as error:
            error.args = (_with_urls(str(error), found),)
            raise


def _with_urls(message: str, found: dict[str, Path]) -> str:
    """Names URLs rather than their copies, which are gone when the message is read."""
    for path, local in found.items():
        if is_remote(path):
            message = message.replace(str(local), path)
    return message


def _fetch(url: str, target: Path) -> Path:
    import daft

    def copy() -> None:
        with daft.File(url).open() as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 24)

    target.parent.mkdir(parents=True)
    try:
        in_thread(copy)
    except Exception as error:  # daft wraps what the object store says in types of its own
        raise InputError(
            f"{url}: cannot be fetched ({first_line(error)}). Check the URL."
        ) from error
    return target


def in_thread(work: Callable[[], T]) -> T:
    """Calls a function in a thread of its own and waits for it.

    Ctrl-C and SIGTERM get through while it waits for a server; in the main thread they would have
    to wait for native code to return.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # raised again where the result is asked for
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    while not done.done():
        # a signal that comes in the instant before the wait begins does not end it
        wait([done], timeout=_WAIT_SECONDS)
    return done.result()


def first_line(error: BaseException) -> str:
    """What an error says, as one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def hash_file(path: Path, role: str, name: str) -> InputRecord:
    """Size and sha256 of a local file as given; releases the GIL while it hashes.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return InputRecord(role, name, file.tell(), digest)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from error


@contextmanager
def open_plain(path: Path, member_suffix: str) -> Iterator[IO[bytes]]:
    """Opens a file for reading, unpacked if it is a `.gz` or a `.zip`.

    Args:
        path: a local file.
        member_suffix: what the one file in a zip ends with, such as `.json`.

    Yields:
        A binary stream of the unpacked content.

    Raises:
        InputError: an archive that is damaged, holds no or several such files, or unpacks to far
            more than annotations do.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                yield bounded(stream, path)
        elif path.suffix == ".zip":
            with (
                zipfile.ZipFile(path) as archive,
                _open_member(archive, path, member_suffix) as member,
            ):
                yield bounded(member, path)
        else:
            with path.open("rb") as plain:
                yield plain
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: the archive is damaged or cut short ({first_line(error)}). Download it again."
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # what the block wrote
            raise
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _only_member(archive: zipfile.ZipFile, path: Path, suffix: str) -> str:
    names = [
        name
        for name in archive.namelist()
        if name.endswith(suffix) and not name.startswith("__MACOSX/")
    ]
    if len(names) != 1:
        raise InputError(
            f"{path}: holds {len(names)} files that end in {suffix}, expected one."
            " Unpack it and give the file."
        )
    return names[0]


def _open_member(archive: zipfile.ZipFile, path: Path, suffix: str) -> IO[bytes]:
    name = _only_member(archive, path, suffix)
    try:
        return archive.open(name)
    except RuntimeError as error:  # encrypted, or compressed in a way that Python cannot read
        raise InputError(
            f"{path}: {name} cannot be unpacked ({first_line(error)}). Unpack it and give the file."
        ) from error


def read_all(path: Path, member_suffix: str) -> bytes:
    """The whole unpacked content of a file.

    Raises:
        InputError: as `open_plain`.
    """
    with open_plain(path, member_suffix) as stream:
        data: Any = stream.read()
    return bytes(data)


def unpacked(path: Path, member_suffix: str, folder: Path) -> Path:
    """A plain file to read ranges of: the file itself, or a copy unpacked into a folder.

    Raises:
        InputError: as `open_plain`, or the folder's disk is full.
    """
    if path.suffix not in ARCHIVES:
        return path
    handle, name = tempfile.mkstemp(dir=folder, suffix=member_suffix)
    try:
        with os.fdopen(handle, "wb") as out, open_plain(path, member_suffix) as source:
            shutil.copyfileobj(source, out, _PIECE_BYTES)
    except OSError as error:  # reading raises no such
        raise no_room(path, folder, error) from error
    return Path(name)


def no_room(path: Path, folder: Path, error: OSError) -> InputError:
    """About a file that is kept on disk while it is read, and a disk that does not take it."""
    return InputError(
        f"{path}: {folder} does not hold what it unpacks to ({error.strerror or error}). Make room"
        " there, or name a folder on a larger disk in TMPDIR."
    )
