"""Archives, and fetches of published files from the loopback server."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.fetch.annotation_table import AnnotationFile
from lvis_merge.fetch.annotations import FetchedFiles, fetch_annotations
from lvis_merge.fetch.lock import STATE_FOLDER
from lvis_merge.progress import Stages
from tests.fetch.fetching import QUICK
from tests.fetch.server import Server


def packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def fetch(files: Sequence[AnnotationFile], to: Path, stages: Stages) -> FetchedFiles:
    return fetch_annotations(files, to, stages, QUICK)


def left(root: Path) -> list[str]:
    """All files below a root, those of `fetch` itself too, but its lock."""
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in found if name != f"{STATE_FOLDER}/lock")


def stop_half_way(file: AnnotationFile, to: Path, server: Server, stages: Stages) -> int:
    """Leaves half a file, as a killed run does; gives its length."""
    name = file.url.removeprefix(f"{server.address}/")
    server.plans[name] = ["cut", *["404"] * 9]
    with pytest.raises(InputError, match="not there"):
        fetch([file], to, stages)
    server.plans.clear()
    server.ranged.clear()
    [part] = (to / STATE_FOLDER).glob("*.part")
    half, size = len(server.files[name]) // 2, part.stat().st_size
    assert half - 200_000 < size <= half  # the client keeps what it had not handed out yet
    return size
