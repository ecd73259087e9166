"""The forest plot: every figure is in it, where its scale says, and marks can be told apart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from lvis_merge.report.svg import Drawing
from lvis_merge.testing.roadmap.experiment import read_experiment
from lvis_merge.testing.roadmap.forest_marks import legend_lines, run_mark
from lvis_merge.testing.roadmap.forest_plot import forest_plot
from tests.testing.experiments import evaluation, write, write_experiment


def drawn(folder: Path) -> ET.Element:
    return ET.fromstring(forest_plot(read_experiment(folder)))


def tips(root: ET.Element) -> dict[str, ET.Element]:
    marks = [node for node in root.iter() if node.tag.endswith(("circle", "rect"))]
    return {text: node for node in marks if (text := "".join(node.itertext()))}


def place(mark: ET.Element) -> float:
    """Middle of a disc or a rectangle, in pixels from the left."""
    if mark.get("cx"):
        return float(mark.get("cx", ""))
    return float(mark.get("x", "")) + float(mark.get("width", "")) / 2


def test_every_figure_is_shown(tmp_path: Path) -> None:
    found = tips(drawn(write_experiment(tmp_path)))
    name = "+ Open Images over BCE + RFS: AP_r"
    for tip in (
        f"{name} +2.00 (draw0_seed0)",
        f"{name} +0.00 (d1)",
        f"{name} +1.50 (mean, n = 4)",
        f"{name} +2.2 (published)",
        "+ Open Images over BCE + RFS: AP +1.3 (published)",
    ):
        assert tip in found
    assert len(found) == 2 * (4 + 1 + 1)  # two panels of runs, mean and published gain
    texts = [node.text for node in drawn(tmp_path).iter() if node.tag.endswith("text")]
    # the comparison without a run, once a panel
    assert texts.count("no run has both") == 2
    assert texts.count("points of mask AP") == 2
    assert "draw 1" in texts


def test_a_run_has_the_mark_of_its_group(tmp_path: Path) -> None:
    root = drawn(write_experiment(tmp_path))
    classes = [node.get("class", "") for node in root.iter()]
    for mark in ("run full group-0", "run full group-1"):
        assert classes.count(mark) == 2 * 2 + 1  # two runs in two panels, and the legend
    lanes = {
        tip.rpartition(" ")[2]: mark.get("cy") for tip, mark in tips(root).items() if ": AP " in tip
    }
    assert lanes["(draw0_seed0)"] == lanes["(draw0_seed1)"] != lanes["(draw1_seed0)"]


def test_a_point_is_as_wide_in_both_panels(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    write(tmp_path / "d1" / "oi.json", evaluation(0.30, 0.09, "draw 1"))
    root = drawn(tmp_path)
    found = tips(root)
    scales = []
    for figure, first, second, points in (
        ("AP_r", "+2.00 (draw0_seed0)", "+3.00 (draw1_seed0)", 1.0),
        ("AP", "+3.00 (draw0_seed0)", "+7.00 (d1)", 4.0),
    ):
        marks = [found[f"+ Open Images over BCE + RFS: {figure} {tip}"] for tip in (first, second)]
        scales.append((place(marks[1]) - place(marks[0])) / points)
    assert scales[0] == pytest.approx(scales[1], rel=0.01)  # places have a decimal
    assert all(0 < place(mark) < float(root.get("width", "0")) for mark in found.values())


def test_zero_is_a_line_in_both_panels(tmp_path: Path) -> None:
    root = drawn(write_experiment(tmp_path))
    zeros = [node for node in root.iter() if node.get("class") == "zero"]
    assert len(zeros) == 2
    at_zero = place(tips(root)["+ Open Images over BCE + RFS: AP_r +0.00 (d1)"])
    assert float(zeros[0].get("x1", "")) == pytest.approx(at_zero)


def test_no_run_and_no_comparison(tmp_path: Path) -> None:
    write_experiment(tmp_path, settings=())
    assert tips(drawn(tmp_path)).keys() == {
        "+ Open Images over BCE + RFS: AP_r +2.2 (published)",
        "+ Open Images over BCE + RFS: AP +1.3 (published)",
    }
    file = tmp_path / "experiment.toml"
    file.write_text(file.read_text().partition("[[comparison]]")[0])
    texts = [node.text for node in drawn(tmp_path).iter() if node.tag.endswith("text")]
    assert "no comparison" in texts


def test_names_are_escaped_and_cut(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    file = tmp_path / "experiment.toml"
    file.write_text(file.read_text().replace("+ Open Images", "<b> & " + "long " * 20))
    texts = [node.text or "" for node in drawn(tmp_path).iter() if node.tag.endswith("text")]
    assert "<b> & long long long long long …" in texts


def test_groups_differ_in_colour_and_in_shape() -> None:
    marks = []
    for group in range(8):
        drawing = Drawing(10, 10, "")
        run_mark(drawing, 5, 5, group)
        mark = next(iter(ET.fromstring(drawing.markup())))
        css = mark.get("class", "").split()
        marks.append((mark.tag + mark.get("d", ""), css[1], css[2]))
    assert len({colour for *_, colour in marks[:7]}) == 7
    assert len({(shape, filling) for shape, filling, _ in marks}) == 8


def test_a_long_legend_breaks() -> None:
    groups = [f"draw {place} of many" for place in range(20)]
    lines = legend_lines(groups, 600)
    assert [place for line in lines for place, _ in line] == list(range(20))
    assert len(lines) > 1
    assert all(line[0][1] == 0 for line in lines)
