"""Builds in this process and in one of their own, and what they leave on disk."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lvis_merge.manifest import ManifestRecord
from lvis_merge.merge import shortlist
from lvis_merge.pipeline import open_images_scan
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages

ROOT = Path(__file__).parents[2]
TABLES = ("images", "annotations", "categories", "rejects")

_COMMAND = """
import sys
from lvis_merge.sources import apart, csv_chunks, json_blocks
csv_chunks.open_csv.__kwdefaults__["chunk_bytes"] = {chunk_bytes}
csv_chunks.recut.__defaults__ = ({chunk_bytes},)
json_blocks.BLOCK_BYTES = {chunk_bytes}
apart.LARGE_BYTES = {chunk_bytes}
from lvis_merge.cli import main
sys.argv[0] = "lvis-merge"
main()
"""


def hold_little(patch: pytest.MonkeyPatch, buckets: int, waiting: int) -> None:
    """Has builds of this process treat small files as ones that memory does not hold.

    Args:
        patch: undoes it.
        buckets: that images fall into.
        waiting: candidates that are looked at together; of each category one is enough at first.
    """
    patch.setattr(open_images_scan, "bucket_number", lambda ranges: buckets)
    patch.setattr(shortlist, "_TOGETHER", waiting)
    patch.setattr(shortlist, "_LEAST_DEPTH", 1)
    patch.setattr(shortlist, "_SHARES", 0)


def build_quietly(options: BuildOptions) -> ManifestRecord:
    """Builds in this process; progress goes nowhere."""
    return build_manifest(options, Stages(Console(file=io.StringIO())))


def build_to(options: BuildOptions, out: Path) -> dict[str, bytes]:
    """The files of what these options build at `out`."""
    build_quietly(replace(options, out=out))
    return contents(out)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table_bytes(folder: Path, names: Sequence[str] = TABLES) -> dict[str, bytes]:
    """The Parquet files of some tables."""
    return {name: (folder / f"{name}.parquet").read_bytes() for name in names}


def command(*arguments: str, chunk_bytes: int | None = None) -> list[str]:
    """`lvis-merge ARGUMENTS` as a command of its own process.

    With `chunk_bytes`, files are cut into ranges of that size, and JSON files above it are read in
    a process of their own: small files are treated as large ones.
    """
    if chunk_bytes is None:
        return [sys.executable, "-m", "lvis_merge", *arguments]
    return [sys.executable, "-c", _COMMAND.format(chunk_bytes=chunk_bytes), *arguments]


def environment(**more: str) -> dict[str, str]:
    """This process's, with the package importable from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def run_command(
    *arguments: str, chunk_bytes: int | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs `lvis-merge ARGUMENTS` and waits for it."""
    return subprocess.run(
        command(*arguments, chunk_bytes=chunk_bytes),
        env=environment(),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
