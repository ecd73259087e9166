"""`lvis-merge evaluate`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Run
from tests.evaluation.world import World, generate, image, thing
from tests.pipeline.running import build_quietly


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """An LVIS file and results."""
    return generate(0, images=5, crowded=320).write(tmp_path)


def test_table(run: Run, files: tuple[str, str]) -> None:
    outcome = run("evaluate", files[1], "--annotations", files[0])
    assert outcome.code == 0
    words = outcome.stdout.split()
    for name in ("AP", "AP50", "AP75", "AP_r", "AP_c", "AP_f", "boxes", "masks"):
        assert name in words
    assert "reading the results" in outcome.stderr


def scored(run: Run, *arguments: str) -> dict[str, Any]:
    outcome = run("evaluate", *arguments, "--json")
    assert outcome.code == 0, outcome.error
    plain: dict[str, Any] = json.loads(outcome.stdout)  # nothing else on stdout
    return plain


def test_backends_agree(run: Run, files: tuple[str, str]) -> None:
    ours = scored(run, files[1], "--annotations", files[0])
    reference = scored(run, files[1], "--annotations", files[0], "--backend", "lvis")
    assert (ours["backend"], reference["backend"]) == ("hotcoco", "lvis")
    assert reference["backend_version"] == "0.5.3"
    for kind in ("bbox", "segm"):
        figures = {name: value for name, value in reference[kind].items() if "AP" in name}
        assert {name: ours[kind][name] for name in figures} == pytest.approx(figures, abs=1e-4)


def test_manifest(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    from lvis_merge.pipeline.options import BuildOptions

    categories = json.loads(Path(files[0]).read_text())["categories"]
    train = {"images": [image(9001)], "annotations": [thing(1, 9001, 3, [1, 1, 9, 9])]}
    (tmp_path / "train").mkdir()
    lvis = World({**train, "categories": categories}, []).write(tmp_path / "train")[0]
    out = tmp_path / "manifest"
    build_quietly(BuildOptions(out=out, lvis=lvis, lvis_val=files[0]))
    by_file = scored(run, files[1], "--annotations", files[0])
    by_manifest = scored(run, files[1], "--manifest", str(out))
    for key in ("bbox", "segm", "images", "objects"):
        assert by_manifest[key] == by_file[key]
    # another split has other images
    outcome = run("evaluate", files[1], "--manifest", str(out), "--split", "train")
    assert outcome.code == 3
    assert "entry 1: image_id" in outcome.error
    assert "is not in" in outcome.error


def test_intervals_csv_and_plot(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    table, plot = tmp_path / "ap.csv", tmp_path / "ap.svg"
    plain = scored(
        run, files[1], "--annotations", files[0], "--bootstrap", "20", "--seed", "3",
        "--csv", str(table), "--plot", str(plot),
    )  # fmt: skip
    low, high = plain["bbox"]["intervals"]["AP"]
    assert low < plain["bbox"]["AP"] < high
    assert table.read_text().startswith(
        "category_id,name,frequency,training_images,objects,bbox_AP"
    )
    assert plot.read_text().startswith("<svg xmlns")


def test_lenient(run: Run, files: tuple[str, str]) -> None:
    rows = json.loads(Path(files[1]).read_text())
    rows[6]["score"] = 7
    Path(files[1]).write_text(json.dumps(rows))
    strict = run("evaluate", files[1], "--annotations", files[0])
    assert strict.code == 3
    assert strict.error == (
        f"{files[1]}: entry 7: score is 7, not in [0, 1]. Write probabilities. Or --lenient: such"
        " entries are dropped and counted."
    )
    assert scored(run, files[1], "--annotations", files[0], "--lenient")["dropped"] == {"score": 1}


WRONG_USAGE = {
    # nothing to compare with
    (): "evaluate: give --annotations LVIS.json or --manifest DIR, one of them.",
    # two things to compare with
    ("--annotations", "a.json", "--manifest", "m"): (
        "evaluate: give --annotations LVIS.json or --manifest DIR, one of them."
    ),
    ("--annotations", "a.json", "--split", "val"): (
        "--split val is for --manifest DIR; an LVIS file is one split."
    ),
    ("--annotations", "a.json", "--backend", "lvis", "--bootstrap", "5"): (
        "--bootstrap goes with --backend hotcoco; both give the same figures."
    ),
}


@pytest.mark.parametrize("options", WRONG_USAGE)
def test_wrong_usage(run: Run, options: tuple[str, ...]) -> None:
    outcome = run("evaluate", "results.json", *options)
    assert (outcome.code, outcome.error) == (2, WRONG_USAGE[options])


def test_bad_environment(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    annotations, results = files
    outcome = run("evaluate", str(tmp_path / "no.json"), "--annotations", annotations)
    assert (outcome.code, outcome.error) == (
        3,
        f"{tmp_path / 'no.json'}: no such file. Check the path.",
    )
    outcome = run("evaluate", results, "--annotations", results)
    assert outcome.code == 3
    assert "is no JSON object" in outcome.error
    outcome = run("evaluate", annotations, "--annotations", annotations)
    assert outcome.code == 3
    assert "is a JSON object, not an array" in outcome.error
    outcome = run("evaluate", results, "--manifest", str(tmp_path))
    assert outcome.code == 3
    assert "not a manifest" in outcome.error
    missing = str(tmp_path / "none" / "ap.csv")
    outcome = run("evaluate", results, "--annotations", annotations, "--csv", missing)
    assert outcome.code == 3
    assert outcome.error == (f"{missing}: there is no folder {tmp_path / 'none'}. Make it first.")


def test_nothing_to_plot_against(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    content = json.loads(Path(files[0]).read_text())
    for category in content["categories"]:
        del category["image_count"]
    Path(files[0]).write_text(json.dumps(content))
    plot = str(tmp_path / "ap.svg")
    outcome = run("evaluate", files[1], "--annotations", files[0], "--plot", plot)
    assert outcome.code == 3
    assert outcome.error == (
        "lvis_val.json: no category has an image_count, so there is nothing to plot against."
        " Leave --plot out, or give the --manifest that was trained on."
    )
