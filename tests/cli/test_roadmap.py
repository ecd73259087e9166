"""`lvis-merge roadmap`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Run
from tests.evaluation.world import generate


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
