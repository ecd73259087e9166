"""Places that commands write to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lvis_merge.errors import InputError


def check_folder(file: Path | None) -> None:
    """Refuses a file that cannot be written, before any long work.

    Raises:
        InputError: there is no such folder, or the file is a folder.
    """
    if file is None:
        return
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}. Make it first.")
    if file.is_dir():
        raise InputError(f"{file}: is a folder. Give a file.")


def write_json(file: Path, value: Any) -> None:
    """Writes JSON, whole or not at all."""
    import json

    from lvis_merge.testing.whole_file import whole_file

    with whole_file(file) as partial:
        partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
