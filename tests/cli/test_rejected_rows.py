"""Bad rows do not end a build: each goes to rejects.parquet, and every other row is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
import pytest

from lvis_merge.manifest.validate import validate
from lvis_merge.sources.tables import REJECT_REASONS
from tests.cli.command import Run
from tests.cli.small_inputs import (
    BOXES,
    COCO,
    DOG,
    FOLDER,
    LABELS,
    LIST,
    PICTURES,
    TEST,
    TRAIN,
    VAL,
    Inputs,
)

LVIS_ROW = {
    "image_id": 11, "category_id": DOG, "bbox": [1, 2, 3, 4], "area": 12.0,
    "segmentation": [[1, 2, 4, 2, 4, 6]],
}  # fmt: skip
COCO_ROW = {**LVIS_ROW, "category_id": 18}
IMAGE_ROW = {
    "width": 5, "height": 5, "coco_url": "http://x.org/train2017/9.jpg",
    "neg_category_ids": [], "not_exhaustive_category_ids": [],
}  # fmt: skip
BOX_ROW = f"{PICTURES[0]},xclick,/m/star,1,0.1,0.6,0.2,0.7,0,0,0,0,0"
LIST_ROW = "00000000000000fe,train,,,,,Jane,A title,0"
LABEL_ROW = f"{PICTURES[0]},verification,/m/dog,0"


@dataclass(frozen=True)
class BadRows:
    """Rows that are added at the end of one array or file.

    Attributes:
        name: the file.
        kind: image, annotation, box or label.
        rows: (what is wrong, the row, the reason it must meet).
        options: how to build.
    """

    name: str
    kind: str
    rows: list[tuple[str, dict[str, Any] | str, str]]
    options: Callable[[Inputs], list[str]] = Inputs.everything

    @property
    def source(self) -> str:
        if self.name.startswith(FOLDER):
            return "open_images"
        return "coco" if self.name == COCO else "lvis"


def changed(
    good: dict[str, Any], cases: list[tuple[str, dict[str, Any], str]]
) -> list[tuple[str, dict[str, Any] | str, str]]:
    """Rows that differ from a good one; a value of None takes the field away."""
    return [
        (what, {k: v for k, v in {**good, "id": 1000 + n, **row}.items() if v is not None}, reason)
        for n, (what, row, reason) in enumerate(cases)
    ]


ANNOTATIONS = [
    ("no-area", {"area": None}, "columns"),
    ("id-text", {"id": "999"}, "value"),
    ("id-huge", {"id": 2**63}, "value"),
    ("bbox-of-three", {"bbox": [1, 2, 3]}, "value"),
    ("area-text", {"area": "12"}, "value"),
    ("segmentation-text", {"segmentation": "none"}, "value"),
    ("image-unknown", {"image_id": 404}, "unknown_image"),
    ("category-unknown", {"category_id": 404}, "unknown_category"),
    ("id-again", {"id": 110}, "duplicate_id"),
    ("no-width", {"bbox": [1, 2, 0, 4]}, "box"),
    ("below-0-high", {"bbox": [1, 2, 3, -4]}, "box"),
    ("two-points", {"segmentation": [[1, 2, 3, 4]]}, "polygon"),
    ("odd-number", {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, "polygon"),
    ("bitmap-of-another-size", {"segmentation": {"size": [4, 4], "counts": [16]}}, "polygon"),
    # the first reason in the order of the rules is told
    ("image-and-category", {"image_id": 404, "category_id": 404}, "unknown_image"),
    ("category-and-id", {"id": 110, "category_id": 404}, "unknown_category"),
    ("id-and-box", {"id": 110, "bbox": [1, 2, 0, 0]}, "duplicate_id"),
    ("box-and-polygon", {"bbox": [1, 2, 0, 4], "segmentation": [[1]]}, "box"),
]
IMAGES = [
    ("no-height", {"height": None}, "columns"),
    ("no-neg", {"neg_category_ids": None}, "columns"),
    ("id-of-an-extra", {"id": 2**51}, "value"),
    ("width-0", {"width": 0}, "value"),
    ("height-half", {"height": 5.5}, "value"),
    ("url-of-one-part", {"coco_url": "http://x.org/9.jpg"}, "value"),
    ("neg-of-text", {"neg_category_ids": ["1"]}, "value"),
    ("id-again", {"id": 11}, "duplicate_id"),
]
BOX_CASES = [
    ("field-short", BOX_ROW.removesuffix(",0"), "columns"),
    ("field-more", BOX_ROW + ",0", "columns"),
    ("no-ImageID", BOX_ROW.replace(PICTURES[0], ""), "value"),
    ("ImageID-no-hex", BOX_ROW.replace(PICTURES[0], "picture"), "value"),
    ("no-coordinate", BOX_ROW.replace("0.1", ""), "value"),
    ("decimal-comma", BOX_ROW.replace("0.1", '"0,1"'), "value"),
    ("flag-2", BOX_ROW[:-1] + "2", "value"),
    ("image-unknown", BOX_ROW.replace(PICTURES[0], "00000000000000ff"), "unknown_image"),
    ("class-unknown", BOX_ROW.replace("/m/star", "/m/none"), "unknown_category"),
    ("min-is-max", BOX_ROW.replace("0.6", "0.1"), "box"),
    ("min-over-max", BOX_ROW.replace("0.6", "0.05"), "box"),
    ("below-0", BOX_ROW.replace("0.1", "-0.01"), "box"),
    ("above-1", BOX_ROW.replace("0.7", "1.01"), "box"),
    ("nan", BOX_ROW.replace("0.7", "nan"), "box"),
    ("image-and-class", BOX_ROW.replace(PICTURES[0] + ",xclick,/m/star", "ff,,x"), "unknown_image"),
    ("class-and-box", BOX_ROW.replace("/m/star", "x").replace("0.7", "2"), "unknown_category"),
]  # fmt: skip
LIST_CASES = [
    ("field-short", LIST_ROW.removesuffix(",0"), "columns"),
    ("ImageID-no-hex", "picture" + LIST_ROW[16:], "value"),
    ("rotation-45", LIST_ROW[:-1] + "45", "value"),
    ("again", PICTURES[1] + LIST_ROW[16:], "duplicate_id"),
]
LABEL_CASES = [
    ("field-more", LABEL_ROW + ",0", "columns"),
    ("confidence-half", LABEL_ROW[:-1] + "0.5", "value"),
    ("no-confidence", LABEL_ROW[:-1], "value"),
    ("ImageID-no-hex", "x" + LABEL_ROW[16:], "value"),
    ("image-unknown", "00000000000000ff" + LABEL_ROW[16:], "unknown_image"),
    ("class-unknown", LABEL_ROW.replace("/m/dog", "/m/none"), "unknown_category"),
]


def coco_space(inputs: Inputs) -> list[str]:
    return [*inputs.option("--coco", COCO), "--label-space", "coco"]


CROWD = ("iscrowd-2", {"iscrowd": 2}, "value")
# an id that is there already differs from file to file
COCO_OBJECTS = [(w, {**c, "id": 500} if c.get("id") == 110 else c, r) for w, c, r in ANNOTATIONS]
# COCO rows that serve as ignore regions are read without area and mask
COCO_BOXES = [case for case in COCO_OBJECTS if not {"area", "segmentation"} & case[1].keys()]
TABLE = {
    "lvis-annotation": BadRows(TRAIN, "annotation", changed(LVIS_ROW, ANNOTATIONS)),
    "lvis-image": BadRows(TRAIN, "image", changed(IMAGE_ROW, IMAGES)),
    "val-annotation": BadRows(
        VAL, "annotation", changed(LVIS_ROW, [("image-of-train", {}, "unknown_image")])
    ),
    "test-image": BadRows(
        TEST, "image", changed(IMAGE_ROW, [("of-val", {"id": 21}, "duplicate_id")])
    ),
    "coco-ignore-region": BadRows(
        COCO,
        "annotation",
        changed(COCO_ROW, [CROWD, *COCO_BOXES, ("no-bbox", {"bbox": None}, "columns")]),
    ),
    "coco-object": BadRows(
        COCO, "annotation", changed(COCO_ROW, [CROWD, *COCO_OBJECTS[1:]]), coco_space
    ),
    "coco-image": BadRows(
        COCO, "image", changed(IMAGE_ROW, [c for c in IMAGES if "neg" not in c[0]]), coco_space
    ),
    "box": BadRows(BOXES, "box", BOX_CASES),
    "image-list": BadRows(LIST, "image", LIST_CASES),
    "label": BadRows(LABELS, "label", LABEL_CASES),
}


def add(inputs: Inputs, bad: BadRows) -> list[dict[str, Any]]:
    """Adds the rows; what rejects.parquet must say of them."""
    if bad.name.startswith(FOLDER):
        before = len(inputs.text(bad.name).splitlines()) - 1  # the header is no row
        inputs.append(bad.name, "".join(f"{row}\n" for _, row, _ in bad.rows))
    else:
        content = json.loads(inputs.text(bad.name))
        before = len(content[f"{bad.kind}s"])
        content[f"{bad.kind}s"] += [row for _, row, _ in bad.rows]
        inputs.write(bad.name, json.dumps(content))
    return [
        {
            "source": bad.source,
            "file": inputs.path(bad.name).name,
            "kind": bad.kind,
            "row": place,
            "reason": reason,
            "raw": row if isinstance(row, str) else json.dumps(row),
        }
        for place, (_, row, reason) in enumerate(bad.rows, before + 1)
    ]


def build(run: Run, inputs: Inputs, options: list[str]) -> dict[str, Any]:
    out = inputs.path("out")
    found = run("build", *options, "--out", str(out), "--json")
    assert (found.code, found.error) == (0, "")
    assert [str(finding) for finding in validate(out) if finding.level == "error"] == []
    tables = {
        name: pq.read_table(out / f"{name}.parquet").to_pylist()
        for name in ("images", "annotations", "rejects")
    }
    return {**tables, "counts": json.loads(found.stdout)["counts"]}


@pytest.mark.parametrize("bad", TABLE.values(), ids=TABLE.keys())
def test_each_bad_row_is_recorded_and_no_other_row_is_lost(
    bad: BadRows, run: Run, inputs: Inputs
) -> None:
    expected = add(inputs, bad)
    built = build(run, inputs, [*bad.options(inputs), "--max-rejects", "50"])
    told = {row["row"]: row for row in built["rejects"]}
    for what, row in zip((what for what, _, _ in bad.rows), expected, strict=True):
        assert told.pop(row["row"], None) == row, what
    assert not told
    counts = built["counts"][bad.source][bad.kind]
    assert counts["rejected"] == len(bad.rows)
    assert counts["in"] == counts["kept"] + len(bad.rows)
    others = [
        kind
        for source, kinds in built["counts"].items()
        for name, kind in kinds.items()
        if (source, name) != (bad.source, bad.kind)
    ]
    assert all(kind["in"] == kind["kept"] and not kind["rejected"] for kind in others)


def test_every_reason_occurs_in_every_kind_that_has_it() -> None:
    found = {name: {reason for _, _, reason in bad.rows} for name, bad in TABLE.items()}
    polygons = set(REJECT_REASONS)
    assert found["lvis-annotation"] == found["coco-object"] | {"columns"} == polygons
    assert found["coco-ignore-region"] == polygons - {"polygon"}
    assert found["box"] == polygons - {"duplicate_id", "polygon"}
    assert found["label"] == polygons - {"duplicate_id", "box", "polygon"}
    images = {"columns", "value", "duplicate_id"}
    assert found["lvis-image"] == found["coco-image"] == found["image-list"] == images


def test_good_rows_are_the_same_with_bad_ones_behind_them(run: Run, inputs: Inputs) -> None:
    clean = build(run, inputs, inputs.everything())
    inputs.path("out").rename(inputs.path("clean"))
    names = ("lvis-annotation", "lvis-image", "coco-ignore-region", "box", "image-list", "label")
    bad = sum(len(add(inputs, TABLE[name])) for name in names)
    built = build(run, inputs, [*inputs.everything(), "--max-rejects", "90%"])
    assert len(built["rejects"]) == bad
    assert built["images"] == clean["images"]
    assert built["annotations"] == clean["annotations"]


def test_an_image_that_is_rejected_takes_its_rows_along(run: Run, inputs: Inputs) -> None:
    inputs.edit(TRAIN, lambda content: content["images"][1].update(width=0))
    built = build(run, inputs, inputs.lvis())
    found = [(row["kind"], row["row"], row["reason"]) for row in built["rejects"]]
    assert found == [
        ("image", 2, "value"),
        ("annotation", 3, "unknown_image"),
        ("annotation", 4, "unknown_image"),
    ]


def test_raw_text_is_cut_at_1000_characters(run: Run, inputs: Inputs) -> None:
    inputs.append(LABELS, f"{PICTURES[0]},{'ż' * 2000},/m/dog,0.5\n")
    built = build(run, inputs, inputs.everything())
    (reject,) = built["rejects"]
    assert len(reject["raw"]) == 1000
    assert reject["raw"].startswith(f"{PICTURES[0]},żż")
