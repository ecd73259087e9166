"""What is printed and written: the table, its notes, JSON, CSV and the plot."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.console import Console

from lvis_merge.evaluation.plot import ap_plot
from lvis_merge.evaluation.scores import (
    FIGURES,
    PAPER_FIGURES,
    CategoryScore,
    Evaluation,
    Interval,
    Scores,
)
from lvis_merge.evaluation.table import notes, print_evaluation
from lvis_merge.evaluation.writing import as_json, category_csv

VALUES = dict(zip(FIGURES, (0.261, 0.4004, 0.27, 0.172, 0.2735, -1.0, 0.1, 0.3, 0.4), strict=True))
CATEGORIES = (
    CategoryScore(1, "a <b>, c", "r", 4, 2, 0.172, 0.3, 0.2),
    CategoryScore(2, "dog", "c", 0, 5, 0.2735, 0.5, 0.25),
    CategoryScore(5, "unseen", "f", 900, 0, -1.0, -1.0, -1.0),
    CategoryScore(6, "uncounted", None, None, 1, 0.0, 0.0, 0.0),
)
BOXES = Scores("bbox", VALUES, {}, CATEGORIES)
EVALUATION = Evaluation(
    results="results.json",
    ground_truth="lvis_val.json",
    backend="hotcoco",
    backend_version="1.3.0",
    images=1234,
    objects=8,
    left_out=(0, ""),
    entries=56789,
    dropped={},
    over_cap=0,
    scores=(BOXES, replace(BOXES, kind="segm")),
)
INTERVALS = {name: Interval(0.25, 0.272) for name in PAPER_FIGURES[:-1]} | {
    "AP_f": Interval(-1.0, -1.0)
}


def printed(evaluation: Evaluation) -> str:
    console = Console(width=80, file=io.StringIO(), color_system=None)
    print_evaluation(evaluation, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_table() -> None:
    rows = [line.split() for line in printed(EVALUATION).splitlines()]
    assert ["AP", "×", "100", *PAPER_FIGURES] in rows
    figures = ["26.1", "40.0", "27.0", "17.2", "27.4", "-1.0"]
    assert [row[0] for row in rows if row[1:] == figures] == ["boxes", "masks"]


def test_table_with_intervals_fits_80_columns() -> None:
    text = printed(replace(EVALUATION, scores=(replace(BOXES, intervals=INTERVALS),)))
    (row,) = (line for line in text.splitlines() if line.startswith("95% interval"))
    assert row.split()[2:] == ["25.0–27.2"] * 5
    assert max(len(line) for line in text.splitlines() if "–" in line) <= 80


NOTES = {
    # a figure with nothing to average is explained
    "undefined": ({}, ["-1.0: no category with ground truth to average over."]),
    # nobody should think that masks were scored
    "boxes only": (
        {"scores": (BOXES,)},
        ["-1.0", "The results have boxes only; masks are not scored."],
    ),
    "masks only": (
        {"scores": (replace(BOXES, kind="segm"),)},
        ["-1.0", "The results have masks only; boxes are not scored."],
    ),
    "over the cap": (
        {"over_cap": 4321},
        ["-1.0", "4,321 detections beyond 300 an image do not count."],
    ),
    "dropped": (
        {"dropped": {"score": 1000, "bbox": 2}},
        ["-1.0", "1,002 bad entries of the results were dropped: score 1,000, bbox 2."],
    ),
    "bad ground truth": (
        {"left_out": (3, "row 2 of `annotations`: box")},
        [
            "-1.0",
            "3 bad rows of the ground truth were left out; the first: row 2 of `annotations`: box.",
        ],
    ),
    "objects without a mask": (
        {"scores": (BOXES, replace(BOXES, kind="segm", boxes_only=7))},
        ["-1.0", "7 objects without a mask are not looked for among masks"],
    ),
}


@pytest.mark.parametrize("name", NOTES)
def test_notes(name: str) -> None:
    change, expected = NOTES[name]
    found = notes(replace(EVALUATION, **change))  # type: ignore[arg-type]
    assert len(found) == len(expected)
    for note, start in zip(found, expected, strict=True):
        assert note.startswith(start)


def test_json() -> None:
    scored = (replace(BOXES, intervals=INTERVALS),)
    plain = json.loads(json.dumps(as_json(replace(EVALUATION, scores=scored))))
    assert {name: plain["bbox"][name] for name in FIGURES} == VALUES
    assert plain["bbox"]["intervals"]["AP"] == [0.25, 0.272]
    assert "segm" not in plain  # not scored: absent, not null
    assert "null" not in json.dumps(plain)


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(category_csv(EVALUATION))))
    assert [row["name"] for row in rows] == [one.name for one in CATEGORIES]
    assert rows[0] == {
        "category_id": "1",
        "name": "a <b>, c",
        "frequency": "r",
        "training_images": "4",
        "objects": "2",
        "bbox_AP": "0.172000",
        "bbox_AP50": "0.300000",
        "bbox_AP75": "0.200000",
        "segm_AP": "0.172000",
        "segm_AP50": "0.300000",
        "segm_AP75": "0.200000",
    }
    assert rows[2]["bbox_AP"] == "-1.0"
    assert (rows[3]["frequency"], rows[3]["training_images"]) == ("", "")


def test_plot() -> None:
    root = ElementTree.fromstring(ap_plot(EVALUATION))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text for element in root.iter() if element.text]
    assert any(text.startswith("results.json: AP of boxes") for text in texts)
    assert any(text.startswith("results.json: AP of masks") for text in texts)
    assert texts.count("AP × 100") == 2
    assert any(text.startswith("training images of the category (log scale)") for text in texts)
    tips = [element.text for element in root.iter() if element.tag.endswith("title")]
    # in both panels; neither the category without ground truth nor that without a count
    assert tips == 2 * [
        "a <b>, c: AP 17.2, 4 training images, 2 objects",
        "dog: AP 27.4, 0 training images, 5 objects",
    ]
    assert {"rare: mean 17.2", "common: mean 27.4"} <= set(texts)
    assert any("2 categories without ground truth or count are not drawn" in t for t in texts)


def test_plot_places() -> None:
    # higher AP is higher up, more images are further right, all inside the picture
    many = tuple(CategoryScore(n, f"c{n}", "f", 10**n, 1, n / 4, n / 4, n / 4) for n in range(5))
    svg = ap_plot(replace(EVALUATION, scores=(replace(BOXES, categories=many),)))
    places = [(float(x), float(y)) for x, y in re.findall(r'<circle cx="(\S+)" cy="(\S+)"', svg)]
    places = places[:5]  # the legend's comes last
    assert len(places) == 5
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    width, height = re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups()  # type: ignore[union-attr]
    assert all(0 < x < float(width) and 0 < y < float(height) for x, y in places)
