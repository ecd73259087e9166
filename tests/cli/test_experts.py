"""`lvis-merge experts`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.evaluation.world import World, category, found, image, thing
from tests.manifest.other_spaces import coco_small
from tests.manifest.small import COCO_MAP, small

BOX = [10.0, 10.0, 20.0, 20.0]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A map, an LVIS file with the category of COCO's cup, and an expert's results."""
    synsets = {**category(4), "synset": "cup.n.01", "name": "cup"}
    truth = {"images": [image(1)], "annotations": [thing(1, 1, 4, BOX)], "categories": [synsets]}
    results = [found(1, 47, BOX, 0.5), found(1, 67, BOX, 0.5), found(1, 88, BOX, 0.5)]
    annotations, path = World(truth, results).write(tmp_path)
    (tmp_path / "map.csv").write_text(COCO_MAP)
    out = str(tmp_path / "out.json")
    return {"results": path, "lvis": annotations, "map": str(tmp_path / "map.csv"), "out": out}


def test_an_lvis_file_names_the_version(run: Run, files: dict[str, str]) -> None:
    common = ("experts", files["results"], "--map", files["map"], "--out", files["out"])
    outcome = run(*common, "--annotations", files["lvis"])
    assert outcome.code == 0
    assert outcome.stdout.splitlines()[0] == "results.json: 3 detections = 1 kept + 2 dropped"
    written = json.loads(Path(files["out"]).read_text())
    assert written == [found(1, 4, BOX, 0.5)]
    assert json.loads(Path(files["out"]).with_name("out.known.json").read_text()) == [4]
    plain = json.loads(run(*common, "--annotations", files["lvis"], "--json").stdout)
    assert plain["dropped"] == {"no_partner": 1, "not_in_map": 0, "not_in_lvis": 1, "bad": 0}


def test_a_manifest_names_the_version_and_another_one_the_ids(
    run: Run, files: dict[str, str], tmp_path: Path
) -> None:
    target = small().write(tmp_path / "lvis_manifest")
    common = ("experts", files["results"], "--map", files["map"], "--out", files["out"])
    plain = json.loads(run(*common, "--target-manifest", str(target), "--json").stdout)
    assert (plain["entries"], plain["kept"]) == (3, 2)
    # ids of a manifest in label space coco: 47 is no class of it
    expert = coco_small().write(tmp_path / "coco_manifest")
    outcome = run(*common, "--target-manifest", str(target), "--manifest", str(expert))
    assert outcome.code == 3
    assert f"entry 1: category_id 47 is not in {expert}." in outcome.error
    outcome = run(*common, "--target-manifest", str(expert))
    assert outcome.code == 3
    assert outcome.error == (
        f"{expert}: is a manifest in label space coco. Give one in the LVIS label space."
    )


def test_wrong_usage_and_bad_places(run: Run, files: dict[str, str], tmp_path: Path) -> None:
    common = ("experts", files["results"], "--map", files["map"], "--out", files["out"])
    outcome = run(*common)
    assert outcome.code == 2
    assert outcome.error.endswith(
        "Give --annotations LVIS.json or --target-manifest DIR, one of them."
    )
    missing = str(tmp_path / "none" / "out.json")
    outcome = run(*common[:-1], missing, "--annotations", files["lvis"])
    assert (outcome.code, outcome.error) == (
        3,
        f"{missing}: there is no folder {tmp_path / 'none'}. Make it first.",
    )
