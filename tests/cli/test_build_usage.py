"""`lvis-merge build`: options that are wrong, or do not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # of the option parser
        (("--nope",), "No such option: --nope"),
        (("--engine", "spark"), "'spark' is not one of 'native', 'ray'"),
        (("--selection", "best"), "'best' is not one of 'balanced', 'random'"),
        (("--candidates", "some"), "'some' is not one of 'all', 'sized'"),
        (("--coco-boxes", "most"), "'most' is not one of 'all', 'unmatched', 'off'"),
        (("--unmapped", "keep"), "'keep' is not one of 'ignore', 'drop'"),
        (("--label-space", "lvs"), "'lvs' is not one of 'lvis', 'coco', 'open_images'"),
        (("--seed", "one"), "Invalid value for '--seed'"),
        (("--threads", "0"), "Invalid value for '--threads'"),
        (("--threads", "1000000"), "Invalid value for '--threads'"),
        (("file.json",), "unexpected extra argument"),
        # our own: values
        (("--images", "some"), "--images some: give a number such as 20000, or all."),
        (("--images", "-1"), "--images -1: give a number such as 20000, or all."),
        (("--images", "20,000"), "--images 20,000: give a number such as 20000, or all."),
        (("--images", "9" * 5000), "9: give a number such as 20000, or all."),
        (("--lvis", "x", "--max-rejects", "few"), "--max-rejects few: give a count such as 25 or"),
        (("--lvis", "x", "--max-rejects", "-1"), "--max-rejects -1: give a count such as 25 or a"),
        (("--lvis", "x", "--max-rejects", "101%"), "--max-rejects 101%: give a count such as 25"),
        # an unset variable of a script
        (("--lvis", ""), "--lvis: the value is empty (an unset variable?)."),
        (("--lvis", "x", "--openimages", ""), "--openimages: the value is empty"),
        (("--lvis", "x", "--holdout", ""), "--holdout: the value is empty"),
        (("--lvis", "\udcff.json"), "'\\udcff.json': is no UTF-8 text. Rename the file, or"),
        # our own: extra sources
        (("--extra", "acme"), "--extra acme: is not NAME=coco-json:PATH:MAP.csv. Give NAME="),
        (("--extra", "acme=x.json"), "--extra acme=x.json: is not NAME=coco-json:PATH:MAP.csv."),
        (("--extra", "A-1=coco-json:x:m.csv"), "the name 'A-1' may have a-z, 0-9 and _ only"),
        (("--extra", "=coco-json:x:m.csv"), "the name '' may have a-z, 0-9 and _ only"),
        (("--extra", "lvis=coco-json:x:m.csv"), "lvis has an option of its own; choose another"),
        (("--extra", "a=voc:x:m.csv"), "the format 'voc' is not coco-json, the one that can be"),
        (("--extra", "a=coco-json:x.json"), "the label map, a .csv file, is to stand behind the"),
        (("--extra", "a=coco-json:s3://b/x.json"), "the label map, a .csv file, is to stand"),
        (("--extra", "a=coco-json::m.csv"), "the label map, a .csv file, is to stand behind the"),
        (("--extra", "a=coco-json:x:s3://b/m.csv"), "the label map must be a local file, not"),
        (
            ("--extra", "a=coco-json:x:m.csv", "--extra-exhaustive", "b"),
            "--extra-exhaustive b: no --extra has this name (there is a).",
        ),
        (("--extra-exhaustive", "b"), "no --extra has this name (there is none)."),
        (
            ("--lvis", "l", *("--extra", "a=coco-json:x:m.csv") * 2),
            "--extra a=…: given twice. Give each source its own name.",
        ),
        (
            ("--label-space", "coco", "--coco", "c", "--extra", "a=coco-json:x:m.csv"),
            "--label-space coco is built from --coco alone; leave out --extra",
        ),
        # our own: what does not go together
        ((), "Nothing to build: give --lvis FILE, the LVIS train annotations."),
        (("--lvis-val", "x"), "Nothing to build: give --lvis FILE, the LVIS train annotations."),
        (
            ("--lvis", "x", "--openimages", "y", "--mapping", "none"),
            "--mapping none: Open Images needs a label map to LVIS.",
        ),
        (("--label-space", "coco"), "--label-space coco needs --coco."),
        (("--label-space", "open_images"), "--label-space open_images needs --openimages."),
        (
            ("--label-space", "coco", "--coco", "x", "--lvis", "y", "--lvis-val", "z"),
            "--label-space coco is built from --coco alone; leave out --lvis, --lvis-val (give",
        ),
    ],
)
def test_wrong_usage_ends_with_2(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path
) -> None:
    found = run("build", *arguments, "--out", str(tmp_path / "out"))
    assert found.code == 2
    assert message in found.stderr
    assert found.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--coco", "x"),
            "--coco without --lvis: COCO boxes are ignore regions on LVIS images. Give --lvis, or"
            " --label-space coco for an expert on COCO's own 80 classes.",
        ),
        (
            ("--openimages", "x"),
            "--openimages without --lvis: its boxes are merged into LVIS. Give --lvis, or"
            " --label-space open_images for an expert on Open Images' own classes.",
        ),
    ],
)
def test_one_source_alone_ends_with_3_and_advice(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path
) -> None:
    found = run("build", *arguments, "--out", str(tmp_path / "out"))
    assert (found.code, found.error) == (3, message)
