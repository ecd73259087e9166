"""`lvis-merge submit`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.evaluation.world import WIDTH, World, box_mask, category, found, image
from tests.manifest.small import small
from tests.manifest.small_rows import CUP, VAL

BOX = [10.0, 10.0, 20.0, 20.0]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A test file, without annotations, and results."""
    truth = {"images": [image(1), image(2)], "categories": [category(1)]}
    return World(truth, [found(1, 1, BOX, 0.5, mask=True)]).write(tmp_path)


def test_a_test_file(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "s.zip"
    arguments = ("submit", files[1], "--annotations", files[0], "--out", str(out))
    outcome = run(*arguments)
    assert outcome.code == 0, outcome.error
    assert outcome.stdout.splitlines() == [
        f"{out}: 1 detections on 1 images, {out.stat().st_size:,} bytes",
        "1 images have no detection.",
        "Boxes were left out: with them the server would measure sizes by boxes.",
    ]
    assert zipfile.ZipFile(out).testzip() is None
    assert json.loads(run(*arguments, "--json").stdout)["entries"] == 1


def test_a_split_of_a_manifest(run: Run, tmp_path: Path) -> None:
    manifest = small().write(tmp_path / "m")
    entry = {"image_id": VAL, "category_id": CUP, "score": 0.5,
             "segmentation": box_mask(BOX, 480, 640)}  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps([entry]))
    arguments = ("submit", str(tmp_path / "r.json"), "--manifest", str(manifest))
    out = ("--out", str(tmp_path / "s.zip"))
    assert run(*arguments, *out, "--split", "val").code == 0
    outcome = run(*arguments, *out)
    assert (outcome.code, outcome.error) == (
        3,
        f"{manifest}: has no images in split test. Give another --split.",
    )


def test_how_it_ends(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "s.zip"))
    for options in ((), ("--annotations", "a", "--manifest", "m")):
        outcome = run("submit", files[1], *out, *options)
        assert (outcome.code, outcome.error) == (
            2,
            "submit: give --annotations LVIS.json or --manifest DIR, one of them.",
        )
    outcome = run("submit", files[1], *out, "--annotations", "a.json", "--split", "val")
    assert outcome.code == 2
    Path(files[1]).write_text(
        json.dumps([found(1, 1, BOX, 0.5) | {"segmentation": box_mask(BOX, 5, WIDTH)}])
    )
    outcome = run("submit", files[1], *out, "--annotations", files[0])
    assert outcome.code == 3
    assert outcome.error.startswith(f"{files[1]}: entry 1: segmentation is 5 x {WIDTH}, the image")
    assert not (tmp_path / "s.zip").exists()
