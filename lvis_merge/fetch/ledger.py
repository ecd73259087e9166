"""Which files have passed their check, so that the next run need not decode them again.

A file counts as checked while its length and its time of change are those noted when it was. Any
other file, one that another tool left there, say, is decoded once. So a root with 20,000 images is
looked through in the time of 20,000 looks at the folder.
"""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lvis_merge.fetch.place import writing
from lvis_merge.sources.sizes import StoredSize

_FILE = "checked.csv"
_FIELDS = 6


@dataclass(frozen=True)
class _Entry:
    length: int
    changed: int
    size: StoredSize


class Ledger:
    """The notes of one root; files elsewhere are noted by their full path. Safe in threads."""

    def __init__(self, root: Path, entries: dict[str, _Entry], out: TextIO) -> None:
        self._root = root
        self._entries = entries
        self._out = out
        self._lock = threading.Lock()

    def size_of(self, path: Path) -> StoredSize | None:
        """The size of an image file that is as it was when it was checked; else None."""
        with self._lock:
            entry = self._entries.get(self._name(path))
        if entry is None:
            return None
        try:
            state = path.stat()
        except OSError:
            return None
        same = (state.st_size, state.st_mtime_ns) == (entry.length, entry.changed)
        return entry.size if same else None

    def note(self, path: Path, state: os.stat_result, size: StoredSize) -> None:
        """Notes that a file has passed its check.

        Args:
            path: the file.
            state: taken before it was checked.
            size: as stored.
        """
        name = self._name(path)
        entry = _Entry(state.st_size, state.st_mtime_ns, size)
        line = io.StringIO()
        row = (name, entry.length, entry.changed, size.width, size.height, int(size.lying))
        csv.writer(line, lineterminator="\n").writerow(row)
        with self._lock:
            if self._out.closed:  # a thread that nobody waits for any more
                return
            self._entries[name] = entry
            with writing(Path(self._out.name)):
                self._out.write(line.getvalue())
                self._out.flush()

    def names(self) -> list[str]:
        """File names below the root, sorted."""
        with self._lock:
            return sorted(name for name in self._entries if not name.startswith("/"))

    def _name(self, path: Path) -> str:
        inside = path.is_relative_to(self._root)
        return path.relative_to(self._root).as_posix() if inside else str(path.absolute())


@contextmanager
def open_ledger(root: Path, state: Path) -> Iterator[Ledger]:
    """Opens the notes of a root.

    Args:
        root: the folder of the images.
        state: the folder of the notes; no other process writes to it.

    Yields:
        The notes. New ones are on disk at once; one that a kill cuts in two is forgotten.
    """
    path = state / _FILE
    content = path.read_bytes() if path.is_file() else b""
    entries, readable = _parsed(content.decode("utf-8", "replace"))
    whole = content[: content.rfind(b"\n") + 1] if readable else b""
    file = path.open("a", encoding="utf-8", newline="")
    try:
        file.truncate(len(whole))
        yield Ledger(root, entries, file)
    finally:
        with writing(path):  # what is still to be written may find the disk full once more
            file.close()


def _parsed(text: str) -> tuple[dict[str, _Entry], bool]:
    """Entries, and whether the text is CSV to its last line.

    Someone may have edited it, a power cut may have spoilt it: what cannot be read is checked anew.
    """
    entries = {}
    lines = text[: text.rfind("\n") + 1]
    try:
        for row in csv.reader(io.StringIO(lines, newline="")):
            with suppress(ValueError):
                if len(row) == _FIELDS:
                    length, changed, width, height, lying = map(int, row[1:])
                    size = StoredSize(width, height, bool(lying))
                    entries[row[0]] = _Entry(length, changed, size)
    except csv.Error:
        return {}, False
    return entries, True
