"""`lvis-merge roadmap`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Run
from tests.evaluation.world import generate
from tests.testing.experiments import write_experiment


def test_what_evaluate_prints_is_what_it_reads(run: Run, tmp_path: Path) -> None:
    annotations, results = generate(0, images=4, crowded=10).write(tmp_path)
    scored = run("evaluate", results, "--annotations", annotations, "--json").stdout
    runs = tmp_path / "runs"
    (runs / "ensemble").mkdir(parents=True)
    (runs / "ensemble" / "evaluation.json").write_text(scored)
    files = {name: tmp_path / f"roadmap.{name}" for name in ("md", "csv", "svg")}
    written = ("--markdown", str(files["md"]), "--csv", str(files["csv"]), "--plot")
    outcome = run("roadmap", str(runs), *written, str(files["svg"]))
    assert outcome.code == 0, outcome.error
    ap = f"{100 * json.loads(scored)['segm']['AP']:.1f}"
    assert f"{ap} (35.1)" in outcome.stdout
    assert "no run (30.1)" in outcome.stdout
    assert f"| + experts, re-scoring | {ap} |" in files["md"].read_text()
    assert f"val,ensemble,35.1,24.8,,,{ap}," in files["csv"].read_text()
    assert files["svg"].read_text().startswith("<svg xmlns")
    plain = json.loads(run("roadmap", str(runs), "--json").stdout)
    assert [row["missing"] for row in plain["val"]] == ["no run"] * 4 + [None, "no run"]
    assert plain["test"][0] == {"name": "winner (published)", "figures": {"AP": 28.9}}


def test_how_it_ends(run: Run, tmp_path: Path) -> None:
    outcome = run("roadmap", str(tmp_path / "none"))
    assert (outcome.code, outcome.error) == (
        3,
        f"{tmp_path / 'none'}: no such folder. Give the one with the runs' evaluations.",
    )
    plot = str(tmp_path / "none" / "r.svg")
    outcome = run("roadmap", str(tmp_path), "--plot", plot)
    assert (outcome.code, outcome.error) == (
        3,
        f"{plot}: there is no folder {tmp_path / 'none'}. Make it first.",
    )


def test_an_experiment_in_all_forms(run: Run, tmp_path: Path) -> None:
    write_experiment(tmp_path)
    files = {name: tmp_path / f"roadmap.{name}" for name in ("md", "csv", "svg")}
    written = ("--markdown", str(files["md"]), "--csv", str(files["csv"]), "--plot")
    outcome = run("roadmap", str(tmp_path), *written, str(files["svg"]))
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "+1.5 [-0.6, +3.6]" in outcome.stdout
    assert "| +1.5 [-0.6, +3.6] | -0.0 | +++0 |" in files["md"].read_text()
    assert files["csv"].read_text().startswith("table,setting,over,run,group,annotation,kind,")
    assert files["svg"].read_text().startswith("<svg xmlns")
    plain = json.loads(run("roadmap", str(tmp_path), "--json").stdout)
    assert plain["comparisons"][0]["federated"]["AP_r"]["signs"] == "+++0"
    boxes = json.loads(run("roadmap", str(tmp_path), "--json", "--boxes").stdout)
    assert (plain["kind"], boxes["kind"]) == ("segm", "bbox")


def test_what_evaluate_prints_makes_an_experiment(run: Run, tmp_path: Path) -> None:
    annotations, results = generate(0, images=4, crowded=10).write(tmp_path)
    scored = run("evaluate", results, "--annotations", annotations, "--json").stdout
    write_experiment(tmp_path, settings=())
    for seed in ("draw0_seed0", "draw0_seed1"):
        for key in ("rfs", "oi"):
            (tmp_path / seed / f"{key}.json").write_text(scored)
    found = json.loads(run("roadmap", str(tmp_path), "--json").stdout)
    difference = found["comparisons"][0]["federated"]["AP"]
    assert (difference["signs"], difference["interval"]) == ("00", [0.0, 0.0])
    mean = found["settings"][0]["federated"]["figures"]["AP"]["mean"]
    assert mean == 100 * json.loads(scored)["segm"]["AP"]


def test_how_an_experiment_ends(run: Run, tmp_path: Path) -> None:
    outcome = run("roadmap", str(tmp_path), "--boxes")
    assert (outcome.code, outcome.error) == (
        2,
        f"--boxes is for an experiment, and {tmp_path} has no experiment.toml.",
    )
    write_experiment(tmp_path)
    bad = tmp_path / "d1" / "oi.json"
    bad.write_text("{}")
    plot = tmp_path / "r.svg"
    outcome = run("roadmap", str(tmp_path), "--plot", str(plot))
    assert outcome.code == 3
    assert outcome.error.startswith(f"{bad}: is no evaluation (")
    assert not plot.exists()
