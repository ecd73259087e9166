"""`lvis-merge curate` as a command: options and an earlier file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.manifest import Manifest
from tests.cli.command import Run
from tests.inspect.conftest import drawn, manifest

__all__ = ["drawn", "manifest"]


def test_it_must_be_said_where_the_tags_are(manifest: Manifest, run: Run) -> None:
    found = run("curate", str(manifest.path))
    assert (found.code, found.error) == (2, "curate: say where the tags are: --from-fiftyone.")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("none/c.csv", "{}/none/c.csv: there is no folder {}/none. Make it first."),
        ("", "{}: is a folder. Give a file."),
    ],
)
def test_a_place_that_cannot_be_written_is_told(
    place: str, message: str, manifest: Manifest, tmp_path: Path, run: Run
) -> None:
    out = tmp_path / place
    found = run("curate", str(manifest.path), "--from-fiftyone", "--out", str(out))
    assert (found.code, found.error) == (3, message.replace("{}", str(tmp_path)))


def test_an_earlier_file_that_is_none_is_left_alone(
    manifest: Manifest, tmp_path: Path, run: Run
) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("what,why\n")
    found = run("curate", str(manifest.path), "--from-fiftyone", "--out", str(file))
    assert found.code == 3
    assert found.error.startswith("notes.csv: has no column source, source_image_id")
    assert file.read_text() == "what,why\n"
