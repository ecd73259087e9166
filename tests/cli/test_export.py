"""`lvis-merge export`: what it says and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.manifest.small import small


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(small().write(tmp_path / "m"))


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("lvis", ["lvis_train.json", "lvis_val.json"]),
        ("coco", ["instances_train.json", "instances_val.json"]),
        ("yolo", ["classes.csv", "detect", "segment"]),
        ("fiftyone", ["metadata.json", "samples.json"]),
        ("huggingface", ["README.md", "categories.parquet", "data"]),
    ],
)
def test_every_format(form: str, written: list[str], run: Run, folder: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = run("export", folder, "--format", form, "--out", str(out), "--json")
    assert outcome.code == 0
    assert sorted(path.name for path in out.iterdir()) == written
    plain = json.loads(outcome.stdout)  # nothing else on stdout
    assert (plain["format"], plain["out"]) == (form, str(out))
    assert [(one["split"], one["images"]) for one in plain["splits"]] == [("train", 4), ("val", 1)]
    again = run("export", folder, "--format", form, "--out", str(out))
    assert (again.code, again.error) == (
        3,
        f"{out}: is there already, and is left alone. Give another --out.",
    )


def test_the_table_and_the_notes(run: Run, folder: str, tmp_path: Path) -> None:
    outcome = run("export", folder, "--format", "lvis", "--out", str(tmp_path / "out"))
    rows = [line.split() for line in outcome.stdout.splitlines()]
    assert ["train", "lvis_train.json", "4", "6", "-"] in rows
    assert outcome.notes == [
        "3 objects have a box and no mask: their segmentation is [], which detectron2's LVIS loader"
        " refuses. Give --box-only rectangle or drop for it",
        "2 masks are run lengths: lvis-api reads them, detectron2's LVIS loader takes polygons"
        " only",
    ]


def test_yolo_says_what_it_cannot(run: Run, folder: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = run("export", folder, "--format", "yolo", "--split", "train", "--out", str(out))
    assert outcome.notes == [
        "7 ignore regions were left out: the format has none",
        "3 images are in detect/ only: an object has no polygon",
        f"no image was linked: put your images, or links to them, in {out}/images",
        "Ultralytics asks for train and val; there is no val",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--format", "pascal"), 2, "'pascal' is not one of"),
        (("--format", "lvis", "--split", "dev"), 2, "'dev' is not one of"),
        (
            ("--format", "lvis", "--split", "test"),
            3,
            "has no image of split test. It has train, val.",
        ),
        (("--format", "lvis", "--image-root", "."), 2, "--image-root: lvis names images"),
        (("--format", "fiftyone", "--box-only", "drop"), 2, "--box-only: fiftyone says itself"),
        (("--format", "yolo", "--copy-images"), 2, "--copy-images goes with --format yolo and"),
        (("--format", "yolo", "--image-root", "/none/here"), 2, "no such folder"),
        ((), 2, "Missing option '--format'"),
    ],
)
def test_wrong_usage(
    arguments: tuple[str, ...], code: int, message: str, run: Run, folder: str, tmp_path: Path
) -> None:
    outcome = run("export", folder, *arguments, "--out", str(tmp_path / "out"))
    assert outcome.code == code
    assert message in " ".join(outcome.stderr.split())
    assert not (tmp_path / "out").exists()


def test_one_file_and_two_splits(run: Run, folder: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    outcome = run("export", folder, "--format", "coco", "--out", str(out))
    assert outcome.code == 2
    assert outcome.error == (
        f"--out {out} is one file, and there are splits train, val. Give --split, or a folder as"
        " --out."
    )


def test_no_manifest(run: Run, tmp_path: Path) -> None:
    outcome = run("export", str(tmp_path), "--format", "coco", "--out", str(tmp_path / "out"))
    assert outcome.code == 3
    assert "not a manifest (no manifest.json)" in outcome.error
