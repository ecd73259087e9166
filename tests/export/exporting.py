"""Exports in this process, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lvis_merge.export.options import Exported, ExportOptions, Format
from lvis_merge.export.run import export
from lvis_merge.manifest import Manifest
from tests.export.conftest import quiet


def export_to(manifest: Manifest, out: Path, form: Format, **options: Any) -> list[Exported]:
    """Exports a manifest."""
    return export(manifest, ExportOptions(out=out, format=form, **options), quiet())


def read_json(path: Path) -> dict[str, Any]:
    """A file's content."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder by relative path: its bytes, or where a link points to."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found
