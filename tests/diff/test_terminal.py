"""The diff in a terminal of 80 columns."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from lvis_merge.diff.terminal import print_diff
from tests.diff.changing import Rows, changed, diff_of
from tests.manifest.small import small


def shown(tmp_path: Path, change: object = None) -> str:
    def area(rows: Rows) -> None:
        rows[0]["area"] = 1.0
        del rows[5]

    found = diff_of(small(), changed("annotations", area) if change is None else small(), tmp_path)
    console = Console(file=io.StringIO(), width=80)
    print_diff(found, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_tables_fit_and_say_what_changed(tmp_path: Path) -> None:
    text = shown(tmp_path)
    rows = [line.split() for line in text.splitlines()]
    assert text.startswith("Boxes: 1 removed, 1 changed\n")
    assert ["LVIS", "4", "3", "-", "-", "-", "1", "1"] in rows
    assert ["area", "annotations", "1"] in rows
    assert max(map(len, text.splitlines()[3:])) <= 80


def test_nothing_differs(tmp_path: Path) -> None:
    text = shown(tmp_path, "same")
    assert text.startswith("Nothing differs\n")
    assert "Boxes by source" not in text
