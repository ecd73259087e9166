"""`lvis-merge ensemble`: fit, apply, and how it ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.testing.ensemble.files import pool_name
from tests.cli.command import Run
from tests.evaluation.world import image, thing
from tests.pipeline.running import build_quietly
from tests.testing.worlds import FREQUENT, crowded, expert_of


@dataclass(frozen=True)
class Files:
    lvis: str
    main: str
    expert: str
    out: Path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """An LVIS file and two pools, over 300 an image."""
    world = crowded(0, images=6)
    lvis, main = world.write(tmp_path)
    expert = tmp_path / "expert.json"
    expert.write_text(json.dumps(expert_of(world, FREQUENT, 0, 0.2)))
    return Files(lvis, main, str(expert), tmp_path / "merged.json")


def test_fit_then_apply(run: Run, files: Files) -> None:
    fit = run("ensemble", files.main, files.expert, "--fit-on", files.lvis, "--out", str(files.out))
    assert fit.code == 0, fit.error
    words = fit.stdout.split()
    for name in ("AP", "AP_r", "AP_f", "rare", "frequent", "b_r", "b_c", "expert.json"):
        assert name in words
    report = files.out.with_name("merged.fit.json")
    assert f"--params {report} applies it" in fit.stderr
    rows = json.loads(files.out.read_text())
    assert max(sum(row["image_id"] == n for row in rows) for n in range(1, 7)) == 300
    fitted = json.loads(report.read_text())["fitted"]
    assert fitted["fitted_on"] == "lvis_val.json"

    test = files.out.with_name("test.parquet")
    outcome = run(
        "ensemble", files.main, files.expert, "--params", str(report), "--out", str(test), "--json"
    )
    assert outcome.code == 0, outcome.error
    plain = json.loads(outcome.stdout)  # nothing else on stdout
    assert plain["fitted"] == fitted
    assert [row["figures"] for row in plain["rows"]] == [None, None]
    assert plain["halves"] == []
    assert sum(plain["rows"][-1]["through"].values()) == plain["detections"] == 6 * 300
    # evaluate takes the merged boxes, in either form
    scored = run("evaluate", str(test), "--annotations", files.lvis, "--json")
    assert json.loads(scored.stdout)["over_cap"] == 0
    assert not test.with_name("test.fit.json").exists()  # nothing was fitted


def test_a_split_of_a_manifest(run: Run, files: Files, tmp_path: Path) -> None:
    from lvis_merge.pipeline.options import BuildOptions

    content: dict[str, Any] = json.loads(Path(files.lvis).read_text())
    train = {"images": [image(9001)], "annotations": [thing(1, 9001, 3, [1, 1, 9, 9])]}
    (tmp_path / "train.json").write_text(json.dumps({**train, "categories": content["categories"]}))
    manifest = tmp_path / "manifest"
    options = BuildOptions(out=manifest, lvis=str(tmp_path / "train.json"), lvis_val=files.lvis)
    build_quietly(options)
    found = [
        json.loads(run("ensemble", files.main, "--out", str(files.out), "--json", *source).stdout)[
            "rows"
        ]
        for source in (("--fit-on", files.lvis), ("--fit-on", "val", "--manifest", str(manifest)))
    ]
    assert found[0] == found[1]


WRONG_USAGE = {
    (): "ensemble: give --fit-on LVIS.json or --params REPORT, one of them.",
    ("--fit-on", "a.json", "--params", "b.json"): (
        "ensemble: give --fit-on LVIS.json or --params REPORT, one of them."
    ),
    ("--fit-on", "val"): "--fit-on val is a split; give the --manifest DIR it is in too.",
    ("--fit-on", "a.json", "--manifest", "m"): (
        "--manifest DIR goes with --fit-on train, val or test: one of its splits."
    ),
}


@pytest.mark.parametrize("options", WRONG_USAGE)
def test_wrong_usage(run: Run, options: tuple[str, ...]) -> None:
    outcome = run("ensemble", "main.json", "--out", "out.json", *options)
    assert (outcome.code, outcome.error) == (2, WRONG_USAGE[options])


def params(folder: Path, **changes: Any) -> Path:
    fitted: dict[str, Any] = {
        "parameters": {"shift_r": 1.0, "shift_c": 0.0, "offsets": [0.5]},
        "fusion": "nms", "experts": ["coco.json"], "fitted_on": "lvis_val.json",
        "groups": {"r": [1], "c": [2], "f": [3]},
    }  # fmt: skip
    path = folder / "fit.json"
    path.write_text(json.dumps({"fitted": {**fitted, **changes}}))
    return path


BAD_PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown fusion": ({"fusion": "mean"}, "is not the report of a fit (Invalid enum value"),
    "a shift of 1e9": (
        {"parameters": {"shift_r": 1e9, "shift_c": 0.0, "offsets": [0.5]}},
        "is not the report of a fit (Expected `float` <= 100.0",
    ),
    "offsets missing": (
        {"parameters": {"shift_r": 1.0, "shift_c": 0.0, "offsets": []}},
        "0 offsets for 1 experts. Fit again with --fit-on.",
    ),
    "a category twice": ({"groups": {"r": [1], "f": [1]}}, "`groups` is empty or has a category"),
    "no category": ({"groups": {}}, "`groups` is empty or has a category twice."),
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_bad_parameters(case: str, run: Run, tmp_path: Path) -> None:
    change, message = BAD_PARAMETERS[case]
    path = params(tmp_path, **change)
    outcome = run("ensemble", "a.json", "b.json", "--params", str(path), "--out", "o.json")
    assert outcome.code == 3
    assert outcome.error.startswith(f"{path}: {message}")


def test_other_experts_than_were_fitted(run: Run, tmp_path: Path) -> None:
    path = params(tmp_path)
    outcome = run("ensemble", "a.json", "--params", str(path), "--out", "o.json")
    assert (outcome.code, outcome.error) == (
        2,
        "ensemble: the parameters were fitted with 1 experts (coco.json), here are 0. Give the same"
        " experts' pools, in that order.",
    )
    two = {"shift_r": 0.0, "shift_c": 0.0, "offsets": [0.5, -2.0]}
    path = params(tmp_path, parameters=two, experts=["coco.json", "oi.json"])
    outcome = run("ensemble", "a.json", "oi.json", "coco.json", "--params", str(path), "--out", "o")
    assert (outcome.code, outcome.error) == (
        2,
        "ensemble: the parameters were fitted with the experts coco.json, oi.json, here they come"
        " as oi.json, coco.json. Give them in the order of the fit: each has its own offset.",
    )
    path = params(tmp_path)
    outcome = run(
        "ensemble", "a.json", "b.json", "--params", str(path), "--out", "o.json", "--fusion", "wbf"
    )
    assert (outcome.code, outcome.error) == (
        2,
        f"--fusion wbf: {path} was fitted with nms. Leave --fusion out, or fit again.",
    )
    outcome = run("ensemble", "a.json", "--params", str(tmp_path / "none.json"), "--out", "o.json")
    assert (outcome.code, outcome.error) == (
        3,
        f"{tmp_path / 'none.json'}: no such file. Give the report that --fit-on wrote.",
    )


def test_bad_entries(run: Run, files: Files) -> None:
    rows = json.loads(Path(files.expert).read_text())
    rows[3]["image_id"] = 99
    Path(files.expert).write_text(json.dumps(rows))
    arguments = ("ensemble", files.main, files.expert, "--fit-on", files.lvis)
    outcome = run(*arguments, "--out", str(files.out))
    assert outcome.code == 3
    assert outcome.error.startswith(f"{files.expert}: entry 4: image_id 99 is not in lvis_val.json")
    assert not files.out.exists()
    outcome = run(*arguments, "--out", str(files.out), "--lenient")
    assert outcome.code == 0
    assert outcome.notes == [
        f"{files.expert}: bad entries were dropped: image_id 1.",
        f"{files.expert}: has no list of the categories that the expert knows, so they are taken to"
        " be the 6 that occur. `lvis-merge experts` writes such a list.",
    ]
    Path(files.expert).with_name("expert.known.json").write_text("[11, 12, 13, 14, 15, 16]")
    again = run(*arguments, "--out", str(files.out), "--lenient")
    assert again.notes == outcome.notes[:1]
    assert again.stdout == outcome.stdout


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("main.parquet", "main.parquet"),
        ("a/b/coco.json.gz", "coco.json.gz"),
        ("runs/coco/pool.parquet", "coco/pool.parquet"),  # every run of `test` has one
    ],
)
def test_pools_are_told_apart(path: str, name: str) -> None:
    assert pool_name(path) == name
