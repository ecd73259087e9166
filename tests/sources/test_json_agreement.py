"""Blocks decoded at once, blocks with bad rows in them and rows read one by one say the same."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from lvis_merge.sources import json_blocks
from lvis_merge.sources.coco import read_coco
from lvis_merge.sources.json_sinks import RowSink
from lvis_merge.sources.lvis import read_lvis
from lvis_merge.sources.tables import JsonSource

SAMPLE = Path(__file__).parents[3] / "shared" / "reference" / "sample"
needs_sample = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real sample is not here")

COORDINATES = st.one_of(
    st.integers(0, 64_000).map(lambda number: number / 100),
    st.integers(0, 700),
    st.floats(0, 700),
    st.sampled_from([1e-7, 1e3, 123456.789, -0.5]),
)
EXTRA = st.dictionaries(
    st.sampled_from(["é\n", "annotations", "segmentation ", "ID"]),
    st.sampled_from(["}, {", "}]", [{"id": 1}, {"id": 2}], {"annotations": [{}]}, None, "\\"]),
    max_size=2,
)
PARTS = st.lists(st.lists(COORDINATES, min_size=6, max_size=6), max_size=3)


def shuffled(rows):
    """Rows with their fields in any order."""
    return rows.flatmap(lambda row: st.permutations(list(row.items())).map(dict))


def good_rows(**fields):
    return shuffled(
        st.builds(
            lambda extra, row: {**extra, **row},
            EXTRA,
            st.fixed_dictionaries(
                {
                    "image_id": st.integers(0, 4),
                    "category_id": st.sampled_from([3, 7]),
                    "bbox": st.tuples(*[COORDINATES.map(lambda x: abs(x) + 1)] * 4).map(list),
                    "area": COORDINATES,
                    "segmentation": PARTS,
                    **fields,
                }
            ),
        )
    )


BAD = st.sampled_from(
    [
        {"image_id": 9},
        {"category_id": None},
        {"bbox": [math.nan, 1, 2, 3]},
        {"bbox": [1, 1, 0, 3]},
        {"area": math.inf},
        {"segmentation": [[1, 2]]},
        {"segmentation": [[math.inf] * 6]},
        {"segmentation": {"size": [50, 40], "counts": [100, 1900]}},
        {"segmentation": {"size": [40, 50], "counts": [100, 1900]}},
        {"more": math.nan},
        {"id": 1},
        None,
    ]
)


@st.composite
def documents(draw, rows, bad, lvis):
    # one good row at least: an array in which no row has a needed field is another kind of file
    annotations = draw(st.lists(rows, min_size=1 if bad else 0, max_size=12))
    for number, row in enumerate(annotations, start=1):
        row["id"] = number
    for place in draw(st.lists(st.integers(0, 12), max_size=3)) if bad else []:
        change = draw(BAD)
        row = {"id": 100 + place, **draw(rows), **(change or {})}
        annotations.insert(place, row if change else 5)
    images = [
        {
            "id": number,
            "width": 40,
            "height": 50,
            "coco_url": f"http://host/train2017/{number}.jpg",
            "neg_category_ids": [3] * number,
            "not_exhaustive_category_ids": [],
        }
        for number in range(5)
    ]
    categories = [{"id": number, "name": f"n{number}"} for number in (7, 3)]
    if lvis:
        categories = [
            {**row, "synset": f"{row['name']}.n.01", "frequency": "c"} for row in categories
        ]
    members = {
        "images": images,
        "annotations": annotations,
        "categories": categories,
        "other": {"annotations": [{"id": 5}, {"id": 6}]},
        "numbers": [1, 2, [3]],
    }
    names = draw(st.permutations(list(members)))
    how = draw(
        st.sampled_from(
            [
                {},
                {"indent": 1},
                {"separators": (",", ":")},
                {"separators": ("\n, ", " : ")},
                {"ensure_ascii": False},
            ]
        )
    )
    return json.dumps({name: members[name] for name in names}, **how)


def row_by_row(sink: RowSink, rows: list[bytes]) -> None:
    for row in rows:
        sink.odd(row)


def assert_same(one: JsonSource, other: JsonSource) -> None:
    for name in ("images", "annotations", "categories", "rejects"):
        left, right = (getattr(source, name).combine_chunks() for source in (one, other))
        assert left.equals(right), name
    assert (one.image_rows, one.annotation_rows) == (other.image_rows, other.annotation_rows)


READERS = pytest.mark.parametrize(
    ("read", "lvis"),
    [
        (read_lvis, True),
        (partial(read_coco, masks=True), False),
        (partial(read_coco, masks=False), False),
    ],
    ids=["lvis", "coco masks", "coco boxes"],
)
SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@READERS
@given(data=st.data(), block=st.integers(1, 2000))
@SETTINGS
def test_blocks_of_any_size_and_single_rows_give_the_same(tmp_path, read, lvis, data, block):
    rows = good_rows(iscrowd=st.integers(0, 1))
    text = data.draw(documents(rows, bad=True, lvis=lvis))
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    whole = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks, "BLOCK_BYTES", block)
        patch.setattr(json_blocks, "_VALUE_BYTES", 1 + block % 7)
        assert_same(read(path), whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks._Walk, "_ends", lambda self: iter(()))
        patch.setattr(json_blocks, "feed", row_by_row)
        assert_same(read(path), whole)


def assert_is_json(source: JsonSource, document: dict, boxes_only: bool = False) -> None:
    """Every good row says what Python's json reads."""
    rows = document["annotations"]
    got = source.annotations
    assert got["source_id"].to_pylist() == [row["id"] for row in rows]
    for name in ("image_id", "category_id", "bbox"):
        assert got[name].to_pylist() == [row[name] for row in rows]
    if boxes_only:
        return
    assert got["area"].to_pylist() == [row["area"] for row in rows]
    expected = [
        [[float(np.float32(value)) for value in part] for part in row["segmentation"]] or None
        for row in rows
    ]
    assert got["segmentation"].to_pylist() == expected
    images = document["images"]
    assert source.images["image_id"].to_pylist() == [image["id"] for image in images]
    for name in ("width", "height", "neg_category_ids", "not_exhaustive_category_ids"):
        assert source.images[name].to_pylist() == [image[name] for image in images]


@given(text=documents(good_rows(), bad=False, lvis=True))
@SETTINGS
def test_good_rows_are_those_of_json(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    source = read_lvis(path)
    assert source.rejects.num_rows == 0
    assert_is_json(source, json.loads(text))


@needs_sample
def test_real_lvis_file_is_read_as_json_reads_it():
    path = SAMPLE / "lvis_v0.5_val_30.json"
    source = read_lvis(path)
    assert source.rejects.num_rows == 0
    assert (source.image_rows, source.annotation_rows) == (30, 343)
    assert_is_json(source, json.loads(path.read_text()))


@needs_sample
def test_real_coco_file_is_read_as_pycocotools_reads_it():
    path = SAMPLE / "coco_val2017_boxes_30.json"
    source = read_coco(path, masks=False)
    assert source.rejects.num_rows == 0
    coco = COCO(path)
    assert_is_json(source, {"annotations": list(coco.anns.values())}, boxes_only=True)
    assert source.categories["category_id"].to_pylist() == sorted(coco.cats)
    assert source.annotation_rows == 235
