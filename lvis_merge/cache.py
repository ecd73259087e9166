"""Where files are kept that can be made again."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "LVIS_MERGE_CACHE"
"""Environment variable: the cache folder, instead of the user's own."""


def cache_folder(name: str) -> Path:
    """The folder for one kind of files; it need not exist.

    Args:
        name: of the kind: `wheels`, `manifests`.
    """
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own) / name
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lvis-merge" / name
