"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvis_merge.unfinished import partial_folder


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file that gets its name once the block has ended without an error.

    Args:
        path: the file to be; one of that name is replaced. A pipe or a device is written to.

    Yields:
        Where to write it meanwhile: a file of the same name in a folder beside it.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    with partial_folder(path) as folder:
        partial = folder / path.name
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
