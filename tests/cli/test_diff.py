"""`lvis-merge diff`: what it says and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.diff.changing import Rows, changed
from tests.manifest.small import small


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    def change(rows: Rows) -> None:
        rows[0]["area"] = 1.0
        del rows[5]

    return (
        str(small().write(tmp_path / "before")),
        str(changed("annotations", change).write(tmp_path / "after")),
    )


def test_a_table_json_and_a_page(run: Run, folders: tuple[str, str], tmp_path: Path) -> None:
    outcome = run("diff", *folders)
    assert outcome.code == 0
    assert outcome.stdout.startswith("Boxes: 1 removed, 1 changed\n")
    assert f"- {folders[0]}\n+ {folders[1]}\n" in outcome.stdout
    page = tmp_path / "diff.html"
    plain = run("diff", *folders, "--json", "--report", str(page))
    assert plain.code == 0
    found = json.loads(plain.stdout)  # nothing else on stdout
    assert found["equal"] is False
    assert [one["removed"] for one in found["sources"]] == [1, 0, 0]
    assert "<h1>Boxes: 1 removed, 1 changed</h1>" in page.read_text(encoding="utf-8")


def test_equal_manifests_end_with_0_too(run: Run, folders: tuple[str, str]) -> None:
    outcome = run("diff", folders[0], folders[0], "--json")
    assert (outcome.code, json.loads(outcome.stdout)["equal"]) == (0, True)


def test_bad_places(run: Run, folders: tuple[str, str], tmp_path: Path) -> None:
    outcome = run("diff", folders[0], str(tmp_path))
    assert outcome.code == 3
    assert "not a manifest (no manifest.json)" in outcome.error
    missing = tmp_path / "none" / "diff.html"
    outcome = run("diff", *folders, "--report", str(missing))
    assert (outcome.code, outcome.error) == (
        3,
        f"{missing}: there is no folder {missing.parent}. Make it first.",
    )
    (Path(folders[1]) / "annotations.parquet").unlink()
    outcome = run("diff", *folders)
    assert outcome.code == 3
    assert "annotations.parquet: missing" in outcome.error
