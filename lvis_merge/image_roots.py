"""Where images are: folders tried in turn, each of any source or bound to one (`[SOURCE=]DIR`)."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError, UsageError

OUTSIDE = r"(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[A-Za-z]:|\x00"
"""A file name that leads out of its root: a part `..`, a leading slash or backslash, a drive. One
with a NUL, which no file can have, counts too."""

_outside = re.compile(OUTSIDE)


@dataclass(frozen=True)
class ImageRoot:
    """A folder with images.

    Attributes:
        folder: `file_name` is looked for below it.
        source: the only source whose images are there; None: of any.
    """

    folder: Path
    source: str | None = None


def image_roots(values: Iterable[str]) -> list[ImageRoot]:
    """Reads `[SOURCE=]DIR` values.

    Args:
        values: as given on the command line or in a recipe.

    Returns:
        The roots, in order.

    Raises:
        UsageError: a folder is not there.
    """
    roots = []
    for value in values:
        source, equals, folder = value.rpartition("=")
        root = ImageRoot(Path(folder), source) if equals else ImageRoot(Path(value))
        if not root.folder.is_dir():
            raise UsageError(f"--image-root {value}: no such folder.")
        roots.append(root)
    return roots


def find_image(file_name: str, source: str, roots: Sequence[ImageRoot]) -> Path | None:
    """Looks for an image.

    Args:
        file_name: of the manifest's `images`, relative.
        source: of the image.
        roots: tried in turn.

    Returns:
        The first file there is; None where no root has it. Links that stand in a root are followed:
        who gave the root made them.

    Raises:
        InputError: the name leads out of the roots.
    """
    check_name(file_name)
    candidates = (root.folder / file_name for root in roots if root.source in (None, source))
    return next((path for path in candidates if _is_file(path)), None)


def check_name(file_name: str) -> None:
    """Refuses names that lead elsewhere: a build lets none through, an edited manifest may.

    Args:
        file_name: of the manifest's `images`.

    Raises:
        InputError: it leads out of the image roots.
    """
    if _outside.search(file_name):
        raise InputError(
            f"images.parquet: the file name {file_name!r} leads out of the image folder. Build the"
            " manifest again; `lvis-merge validate` tells what else was changed in it."
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise
