"""Manifests that differ from a small one in ways that are known."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from lvis_merge import manifest
from lvis_merge.diff.compare import compare
from lvis_merge.diff.result import Diff
from lvis_merge.manifest.schema import ANNOTATIONS, CATEGORIES, IMAGES, TableSpec
from lvis_merge.progress import Stages
from tests.manifest.small import Small, small, table

Rows = list[dict[str, Any]]
SPECS: dict[str, TableSpec] = {
    "images": IMAGES, "annotations": ANNOTATIONS, "categories": CATEGORIES,
}  # fmt: skip


def changed(name: str, change: Callable[[Rows], object], made: Small | None = None) -> Small:
    """The small manifest with the rows of one table changed in place; ids are numbered anew."""
    made = made or small()
    rows: Rows = getattr(made.tables, name).to_pylist()
    change(rows)
    if name == "annotations":
        for number, row in enumerate(rows, start=1):
            row["annotation_id"] = number
    return Small(replace(made.tables, **{name: table(SPECS[name], rows)}), made.record, made.maps)


def diff_of(before: Small, after: Small, folder: Path) -> Diff:
    """The difference of two small manifests."""
    return compare(
        manifest.open(before.write(folder / "before")),
        manifest.open(after.write(folder / "after")),
        Stages(Console(file=io.StringIO())),
    )
