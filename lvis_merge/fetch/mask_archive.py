"""Unpacks an archive of masks: many small PNG files, none of which may lead out of its folder."""

from __future__ import annotations

import errno
import lzma
import re
import shutil
import stat
import struct
import threading
import zipfile
import zlib
from pathlib import Path

from lvis_merge.fetch.place import writing
from lvis_merge.fetch.trouble import Reason, Trouble
from lvis_merge.sources.bounded import most_unpacked

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}\.png")
"""As `677c122b0eaa5d16_m04yx4_9a041d52.png`; nothing that a file system reads a path into."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FILE_KINDS = (0, stat.S_IFREG)  # an archive need not say
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError,
    ValueError, OverflowError,
)  # fmt: skip
"""What a damaged archive raises, wherever the damage is."""


class UnpackingStoppedError(Exception):
    """The run has ended meanwhile; nobody waits for the archive."""


def unpack_masks(archive: Path, folder: Path, stop: threading.Event) -> None:
    """Unpacks all masks of an archive; their own checksums are checked on the way.

    Args:
        archive: a zip.
        folder: to be made; nothing is written elsewhere. It is left as it is where this fails.
        stop: set by another thread, ends this between two masks.

    Raises:
        Trouble: the archive is damaged, or holds what no archive of masks does.
        UnpackingStoppedError: it was stopped.
        OSError: the disk does not take it.
    """
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as packed:
            masks = packed.infolist()
            _check(masks, most_unpacked(archive))
            for mask in masks:
                if stop.is_set():
                    raise UnpackingStoppedError
                _unpack(packed, mask, folder / mask.filename)
    except _UNREADABLE as error:
        raise Trouble(Reason.damaged, f"the archive cannot be unpacked ({error})") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # of the disk
            raise
        raise Trouble(Reason.damaged, "the archive points out of itself") from error


def _check(masks: list[zipfile.ZipInfo], most: int) -> None:
    """Looks at all that an archive says of its files, before anything is written."""
    if not masks:
        raise Trouble(Reason.damaged, "the archive is empty")
    for mask in masks:
        if not _NAME.fullmatch(mask.filename):
            raise Trouble(
                Reason.damaged,
                f"the archive holds {mask.filename[:80]!r}; masks are PNG files without folders",
            )
        if stat.S_IFMT(mask.external_attr >> 16) not in _FILE_KINDS:
            raise Trouble(Reason.damaged, f"{mask.filename} in the archive is a link, no file")
        if mask.compress_type not in _METHODS:
            raise Trouble(
                Reason.damaged,
                f"{mask.filename} in the archive is packed by method {mask.compress_type}",
            )
    if len({mask.filename for mask in masks}) < len(masks):
        raise Trouble(Reason.damaged, "the archive holds two files of one name")
    # no more than what is said here can come out of it: `zipfile` cuts off the rest
    if (length := sum(mask.file_size for mask in masks)) > most:
        raise Trouble(
            Reason.too_large, f"it unpacks to {length:,} bytes, {most:,} are the most for its size"
        )


def _unpack(packed: zipfile.ZipFile, mask: zipfile.ZipInfo, target: Path) -> None:
    with packed.open(mask) as source, writing(target), target.open("xb") as out:
        shutil.copyfileobj(source, out)
