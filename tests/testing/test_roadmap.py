"""The road map: where runs are found, what is printed, and what cannot be read."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lvis_merge.errors import InputError
from lvis_merge.testing.roadmap import tables
from lvis_merge.testing.roadmap.plot import roadmap_plot
from lvis_merge.testing.roadmap.published import STEPS
from lvis_merge.testing.roadmap.runs import read_roadmap


def evaluation(ap: float, **changes: Any) -> dict[str, Any]:
    scores = {"AP": ap, "AP50": 0.5, "AP_r": ap - 0.1, "AP_c": ap, "AP_f": ap + 0.01}
    plain = {"results": "r.json", "ground_truth": "lvis_v0.5_val.json", "images": 5000,
             "bbox": scores, "segm": {**scores, "intervals": {}}}  # fmt: skip
    return {**plain, **changes}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of each form, one of boxes only, and steps without a run."""
    write(tmp_path / "challenge_baseline.json", evaluation(0.295))
    write(tmp_path / "challenge_open_images" / "evaluation.json", evaluation(0.309))
    write(tmp_path / "ensemble.json", evaluation(0.34, segm=None))
    write(tmp_path / "elsewhere" / "ms.json", evaluation(0.351))
    (tmp_path / "roadmap.toml").write_text(
        '[runs]\nmulti_scale_masks = "elsewhere/ms.json"\n[[test]]\nname = "ours"\nAP = 28.1\n'
    )
    return tmp_path


def test_the_published_figures() -> None:
    """Table 1 of the paper's appendix."""
    assert [(step.key, step.published["AP"]) for step in STEPS] == [
        ("challenge_baseline", 30.1),
        ("challenge_senet154", 30.8),
        ("challenge_open_images", 31.4),
        ("multi_scale_boxes", 32.3),
        ("ensemble", 35.1),
        ("multi_scale_masks", 36.4),
    ]
    assert STEPS[0].published == {"AP": 30.1, "AP_r": 19.3, "AP_c": 31.8, "AP_f": 32.3}
    assert (STEPS[2].published["AP_r"], STEPS[4].published["AP_r"]) == (21.5, 24.8)


def test_runs_are_found_and_the_others_say_so(folder: Path) -> None:
    rows = {row.step.key: row for row in read_roadmap(folder).rows}
    assert {key: row.missing for key, row in rows.items()} == {
        "challenge_baseline": "",
        "challenge_senet154": "no run",
        "challenge_open_images": "",
        "multi_scale_boxes": "no run",
        "ensemble": "boxes only",
        "multi_scale_masks": "",
    }
    found = rows["challenge_baseline"].figures
    assert found == pytest.approx({"AP": 29.5, "AP_r": 19.5, "AP_c": 29.5, "AP_f": 30.5})
    assert rows["multi_scale_masks"].figures["AP"] == pytest.approx(35.1)
    assert rows["ensemble"].figures == {}


def test_an_undefined_figure_is_left_out(tmp_path: Path) -> None:
    plain = evaluation(0.3)
    plain["segm"]["AP_r"] = -1.0
    write(tmp_path / "ensemble.json", plain)
    row = next(row for row in read_roadmap(tmp_path).rows if row.step.key == "ensemble")
    assert set(row.figures) == {"AP", "AP_c", "AP_f"}


def test_the_tables_fit_80_columns(folder: Path) -> None:
    console = Console(width=80, file=io.StringIO())
    with console.capture() as capture:
        tables.print_roadmap(read_roadmap(folder), console)
    lines = {" ".join(line.split()) for line in capture.get().splitlines()}
    for line in (
        "challenge baseline 29.5 (30.1) 19.5 (19.3) 29.5 (31.8) 30.5 (32.3)",
        "+ SENet-154 no run (30.8)",
        "+ experts, re-scoring boxes only (35.1) (24.8)",
        "+ multi-scale masks 35.1 (36.4) 25.1 35.1 36.1",
        "winner (published) 28.9",
        "ours 28.1",
    ):
        assert line in lines


def test_markdown_and_csv(folder: Path) -> None:
    found = read_roadmap(folder)
    markdown = tables.markdown(found)
    assert (
        "| challenge baseline | 29.5 | 19.5 | 29.5 | 30.5 | 30.1 | 19.3 | 31.8 | 32.3 |\n"
        "| + SENet-154 | no run |  |  |  | 30.8 |  |  |  |\n"
    ) in markdown
    assert "| second (published) | 26.7 |  |  |  |\n| ours | 28.1 |  |  |  |\n" in markdown
    lines = tables.as_csv(found).splitlines()
    assert lines[1] == (
        "val,challenge_baseline,30.1,19.3,31.8,32.3,29.5,19.5,29.5,30.5,,lvis_v0.5_val.json,5000"
    )
    assert lines[2] == "val,challenge_senet154,30.8,,,,,,,,no run,,"
    assert lines[-1] == "test,ours,,,,,28.1,,,,,,"
    assert {line.count(",") for line in lines} == {lines[0].count(",")}


def test_figures_that_do_not_compare_are_told(folder: Path) -> None:
    assert len(tables.notes(read_roadmap(folder))) == 1
    write(
        folder / "challenge_baseline.json", evaluation(0.29, ground_truth="v1.json", images=19809)
    )
    assert tables.notes(read_roadmap(folder))[1] == (
        "Runs were scored on lvis_v0.5_val.json (5,000 images) and v1.json (19,809 images): their"
        " figures do not compare."
    )


def test_the_plot_shows_every_figure(folder: Path) -> None:
    root = ET.fromstring(roadmap_plot(read_roadmap(folder)))
    tips = [node.text for node in root.iter() if node.tag.endswith("title")]
    assert "challenge baseline: AP 30.1 (published)" in tips
    assert "challenge baseline: AP_f 30.5 (run)" in tips
    assert len(tips) == 11 + 3 * 4  # published ones, and four of each run with masks
    texts = [node.text for node in root.iter() if node.tag.endswith("text")]
    assert texts.count("no run") == 2
    assert "boxes only" in texts


@pytest.mark.parametrize("rare", [0.0, 0.15, 0.99])
def test_a_point_is_as_wide_in_every_panel(folder: Path, rare: float) -> None:
    row = evaluation(0.38)
    row["segm"]["AP_r"] = rare
    write(folder / "challenge_senet154.json", row)
    root = ET.fromstring(roadmap_plot(read_roadmap(folder)))
    places: dict[str, dict[float, float]] = {}
    for dot in root.iter():
        tip = "".join(dot.itertext())
        if dot.tag.endswith("circle") and tip:
            name, value = tip.rsplit(": ", 1)[1].split()[:2]
            places.setdefault(name, {})[float(value)] = float(dot.get("cx", "nan"))
    scales = []
    for figures in places.values():
        low, high = min(figures), max(figures)
        scales.append((figures[high] - figures[low]) / (high - low))
    assert len(scales) == 4
    # figures are written to one decimal, and places to a pixel's fraction
    assert scales == pytest.approx([scales[0]] * 4, rel=0.05)
    rows = [float(dot.get("cx", "nan")) for dot in root.iter() if dot.tag.endswith("circle")]
    assert 0 < min(rows) < max(rows) < float(root.get("width", "0"))


def test_a_folder_without_runs_is_a_road_map_too(tmp_path: Path) -> None:
    found = read_roadmap(tmp_path)
    assert {row.missing for row in found.rows} == {"no run"}
    assert ET.fromstring(roadmap_plot(found)) is not None


BAD_FILES = {
    "not JSON": ("ensemble.json", "{", "is no evaluation ("),
    "results": ("ensemble.json", "[]", "is no evaluation ("),
    "another JSON": ("ensemble.json", "{}", "is no evaluation ("),
    "points": (
        "ensemble.json",
        json.dumps(evaluation(29.5)),
        "AP is 29.5, not in [0, 1] nor -1.0. Write it with `lvis-merge evaluate --json`.",
    ),
    "not TOML": ("roadmap.toml", "[runs", "Expected ']'"),
    "unknown step": (
        "roadmap.toml",
        '[runs]\nse154 = "a.json"',
        "[runs] has no step se154. Steps are challenge_baseline, challenge_senet154,",
    ),
    "unknown table": ("roadmap.toml", "[tests]", "Object contains unknown field `tests`"),
    "percent of one": ("roadmap.toml", '[[test]]\nname = "a"\nAP = "28"', "Expected `float`"),
    "over 100": ("roadmap.toml", '[[test]]\nname = "a"\nAP = 281.0', "Expected `float` <= 100"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_files_that_cannot_be_used(case: str, tmp_path: Path) -> None:
    name, text, message = BAD_FILES[case]
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        read_roadmap(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / name}: {message}")


def test_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such folder. Give the one with the runs' evaluati"):
        read_roadmap(tmp_path / "none")
    (tmp_path / "roadmap.toml").write_text('[runs]\nensemble = "gone.json"')
    with pytest.raises(InputError, match=r"gone.json: cannot be read \(No such file"):
        read_roadmap(tmp_path)
