"""The folder, the record, the other label spaces, and rules that need more than one cell."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pycocotools import mask as coco_mask

from lvis_merge.errors import InputError
from lvis_merge.manifest import Tables
from lvis_merge.manifest.record import EqlConstants, KindCounts, RfsConstants
from lvis_merge.manifest.validate import content, validate
from lvis_merge.manifest.validate.match_rules import overlaps
from lvis_merge.manifest.validate.run_lengths import decode
from lvis_merge.sources.files import InputRecord
from tests.manifest.change import change_record, changed
from tests.manifest.other_spaces import coco_small, open_images_small
from tests.manifest.small import CUP, SPOON, TEDDY, Small, small


def findings_of(manifest: Small) -> list[str]:
    return [str(one) for one in content(manifest.tables, manifest.record, manifest.maps)]


@pytest.mark.parametrize(
    "manifest",
    [small(), coco_small(), open_images_small(), open_images_small(with_map=False)],
    ids=["lvis", "coco", "open_images", "open_images without a map"],
)
def test_a_good_manifest_has_no_findings(tmp_path: Path, manifest: Small) -> None:
    assert validate(manifest.write(tmp_path / "m")) == []


def drop_column(folder: Path, name: str) -> None:
    path = folder / "images.parquet"
    pq.write_table(pq.ParquetFile(path).read().drop_columns([name]), path)


def recast(folder: Path, name: str, kind: pa.DataType, nullable: bool) -> None:
    path = folder / "images.parquet"
    table = pq.ParquetFile(path).read()
    place = table.schema.get_field_index(name)
    column = table[name].cast(kind)
    pq.write_table(table.set_column(place, pa.field(name, kind, nullable), column), path)


def reorder(folder: Path) -> None:
    path = folder / "images.parquet"
    table = pq.ParquetFile(path).read()
    pq.write_table(table.select(table.schema.names[::-1]), path)


def add_column(folder: Path) -> None:
    path = folder / "images.parquet"
    table = pq.ParquetFile(path).read()
    pq.write_table(table.append_column("extra", table["image_id"]), path)


def null_in_required(folder: Path) -> None:
    path = folder / "rejects.parquet"
    table = pq.ParquetFile(path).read()
    values = pa.array([None, *table["raw"].to_pylist()[1:]], pa.string())
    pq.write_table(table.set_column(5, "raw", values), path)


FOLDER_CASES: list[tuple[str, Callable[[Path], Any], str, str]] = [
    *[
        (f"{name} is missing", lambda m, name=name: (m / name).unlink(), "files", name)
        for name in (
            "images.parquet",
            "annotations.parquet",
            "categories.parquet",
            "rejects.parquet",
            "croissant.json",
            "report.html",
            "maps/coco.csv",
        )
    ],
    (
        "damaged Parquet",
        lambda m: (m / "images.parquet").write_bytes(b"PAR1"),
        "schema",
        "images",
    ),
    ("a column is missing", lambda m: drop_column(m, "author"), "schema", "images"),
    (
        "a column of another type",
        lambda m: recast(m, "width", pa.int64(), False),
        "schema",
        "images",
    ),
    (
        "a column that may be null",
        lambda m: recast(m, "width", pa.int32(), True),
        "schema",
        "images",
    ),
    ("columns in another order", reorder, "schema", "images"),
    ("a column too many", add_column, "schema", "images"),
    ("null where none is allowed", null_in_required, "null", "rejects"),
    (
        "a changed map",
        lambda m: (m / "maps/coco.csv").write_text("coco_id\n"),
        "checksum",
        "maps/coco.csv",
    ),
    (
        "a damaged description",
        lambda m: (m / "croissant.json").write_text("{}"),
        "croissant",
        "croissant.json",
    ),
    (
        "a record with a field too few",
        lambda m: (m / "manifest.json").write_bytes(
            msgspec.json.encode({"schema_version": 1, "tool_version": "1", "label_space": "lvis"})
        ),
        "record",
        "manifest.json",
    ),
]


@pytest.mark.parametrize(
    ("change", "rule", "table"),
    [case[1:] for case in FOLDER_CASES],
    ids=[case[0] for case in FOLDER_CASES],
)
def test_a_changed_folder_breaks_its_rule(
    tmp_path: Path, change: Callable[[Path], None], rule: str, table: str
) -> None:
    folder = small().write(tmp_path / "m")
    change(folder)
    found = [(one.level, one.rule, one.table) for one in validate(folder)]
    assert ("error", rule, table) in found


def test_a_file_too_many_is_a_warning(tmp_path: Path) -> None:
    folder = small().write(tmp_path / "m")
    (folder / "notes.txt").write_text("mine")
    assert [(one.level, one.rule, one.table) for one in validate(folder)] == [
        ("warning", "files", "notes.txt")
    ]


def test_no_manifest_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        validate(tmp_path / "none")
    with pytest.raises(InputError, match=r"not a manifest \(no manifest.json\)"):
        validate(tmp_path)
    folder = small().write(tmp_path / "m")
    change_record(folder, schema_version=2)
    with pytest.raises(InputError, match="schema version 2"):
        validate(folder)


def counts(source: str, kind: str, **changes: Any) -> dict[str, Any]:
    """The small record's counts with one entry changed."""
    all_counts = small().record.counts
    entry = msgspec.structs.replace(all_counts[source][kind], **changes)
    return all_counts | {source: all_counts[source] | {kind: entry}}


RECORD_CASES: list[tuple[str, dict[str, Any], str]] = [
    ("in is not the sum", {"counts": counts("lvis", "image", rows_in=5)}, "record"),
    ("kept is not the rows", {"counts": counts("lvis", "image", rows_in=3, kept=2)}, "record"),
    (
        "kept is not the rows of the listed subsets",
        {"counts": counts("open_images", "image", rows_in=3, kept=1)},
        "record",
    ),
    (
        "rejected is not the rows",
        {"counts": counts("open_images", "box", rows_in=8, rejected=0)},
        "record",
    ),
    (
        "a label count that only its sum tells",
        {"counts": counts("open_images", "label", kept=1)},
        "record",
    ),
    (
        "an unknown rule",
        {"counts": counts("coco", "annotation", dropped={"lost": 2})},
        "record",
    ),
    (
        "a rule that met no row",
        {"counts": counts("coco", "annotation", dropped={"not_on_an_lvis_image": 2, "option": 0})},
        "record",
    ),
    (
        "a source that is not counted",
        {"counts": {k: v for k, v in small().record.counts.items() if k != "coco"}},
        "record",
    ),
    (
        "a kind that its source does not have",
        {"counts": {**small().record.counts, "coco": {"label": KindCounts(0, 0, {}, 0)}}},
        "record",
    ),
    (
        "held-out rows and no hold-out",
        {
            "holdout": None,
            "counts": counts(
                "coco", "annotation", dropped={"not_on_an_lvis_image": 1, "holdout": 1}
            ),
        },
        "record",
    ),
    ("rows are not the tables'", {"rows": {}}, "record"),
    ("files are not the folder's", {"files": {}}, "record"),
    ("an unknown label space", {"label_space": "voc"}, "record"),
    ("an unknown version", {"lvis_version": "v2"}, "record"),
    ("no version in label space lvis", {"lvis_version": None}, "record"),
    ("a version of another list", {"lvis_version": "v1"}, "categories"),
    ("another threshold", {"rfs": RfsConstants(0.002)}, "record"),
    ("no constants", {"eql": None}, "eql"),
    ("another number of annotated images", {"eql": EqlConstants(None, 3)}, "eql"),
    ("a lambda on a custom list", {"eql": EqlConstants(0.0011, 2)}, "eql"),
    ("options that drop unmapped rows", {"options": {"unmapped": "drop"}}, "option"),
    ("options that drop matched rows", {"options": {"coco_boxes": "unmatched"}}, "option"),
    ("options that drop COCO", {"options": {"coco_boxes": "off"}}, "option"),
    ("a licence that was not listed", {"splits": {}}, "split"),
    ("rejects of a file not read", {"inputs": ()}, "rejects"),
]


@pytest.mark.parametrize(
    ("changes", "rule"), [case[1:] for case in RECORD_CASES], ids=[case[0] for case in RECORD_CASES]
)
def test_a_changed_record_breaks_its_rule(
    tmp_path: Path, changes: dict[str, Any], rule: str
) -> None:
    folder = small().write(tmp_path / "m")
    change_record(folder, **changes)
    assert ("error", rule) in [(one.level, one.rule) for one in validate(folder)]


# Rows of `annotations` in the manifests of the other label spaces.
COCO_CAT, COCO_PERSON, COCO_CROWD = range(3)
OPEN_VAL, OPEN_GROUP, OPEN_TEDDY = range(3)

OTHER_SPACES: list[tuple[str, Small, str, int, dict[str, Any], str]] = [
    (
        "a COCO object without a category",
        coco_small(),
        "annotations",
        0,
        {"category_id": None},
        "role",
    ),
    (
        "a COCO ignore region that is no crowd",
        coco_small(),
        "annotations",
        COCO_CROWD,
        {"ignore_reason": "coco_box"},
        "role",
    ),
    (
        "COCO rows need no map",
        coco_small(),
        "annotations",
        COCO_CAT,
        {"map_relation": "exact"},
        "map_relation",
    ),
    ("a COCO name", coco_small(), "annotations", COCO_CAT, {"source_label": "dog"}, "source_label"),
    ("COCO is exhaustive", coco_small(), "images", 0, {"neg_category_ids": []}, "evidence"),
    (
        "a crowd is not exhaustive",
        coco_small(),
        "images",
        0,
        {"not_exhaustive_category_ids": []},
        "evidence",
    ),
    ("COCO's file name as given", coco_small(), "images", 1, {"file_name": "c.jpg"}, "file_name"),
    ("LVIS columns are null", coco_small(), "categories", 0, {"is_tail": True}, "category_column"),
    ("COCO label is the name", coco_small(), "categories", 2, {"name": "fox"}, "category_column"),
    (
        "a subset gives the split",
        open_images_small(),
        "images",
        0,
        {"split": "train"},
        "split",
    ),
    (
        "MIDs count the categories",
        open_images_small(),
        "categories",
        0,
        {"source_label": "/m/0zz"},
        "category_id",
    ),
    (
        "label and category are one MID",
        open_images_small(),
        "annotations",
        OPEN_TEDDY,
        {"source_label": "/m/0xx"},
        "source_label",
    ),
    (
        "the relation is the map's",
        open_images_small(),
        "annotations",
        OPEN_TEDDY,
        {"map_relation": "exact"},
        "map",
    ),
    (
        "no map, no relation",
        open_images_small(with_map=False),
        "annotations",
        OPEN_TEDDY,
        {"map_relation": "exact"},
        "map_relation",
    ),
]


@pytest.mark.parametrize(
    ("manifest", "name", "row", "cells", "rule"),
    [case[1:] for case in OTHER_SPACES],
    ids=[case[0] for case in OTHER_SPACES],
)
def test_other_label_spaces_have_their_rules(
    manifest: Small, name: str, row: int, cells: dict[str, Any], rule: str
) -> None:
    one = changed(manifest, name, row, **cells)
    assert ("error", rule) in [
        (finding.level, finding.rule) for finding in content(one.tables, one.record, one.maps)
    ]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ({"neg_category_ids": [CUP]}, "category 1 is in neg_category_ids and annotated"),
        ({"neg_category_ids": [SPOON]}, "category 5 is in neg_ and in not_exhaustive"),
        ({"not_exhaustive_category_ids": [TEDDY]}, "category 3 is in not_exhaustive"),
        ({"neg_category_ids": [77]}, "neg_category_ids has a category that is in no row"),
    ],
)
def test_contradictions_of_lvis_are_warnings(cells: dict[str, Any], text: str) -> None:
    one = changed(small(), "images", 0, **cells)
    findings = content(one.tables, one.record, one.maps)
    assert {finding.level for finding in findings} == {"warning"}
    assert any(text in finding.message for finding in findings)


def test_lvis_lists_are_verbatim_and_need_no_order() -> None:
    assert findings_of(changed(small(), "images", 0, neg_category_ids=[TEDDY, 2])) == []


def test_ranks_may_have_gaps_where_options_dropped_rows() -> None:
    one = changed(small(), "annotations", 13, source_annotation_id="000026e7ee790996:9")
    assert any("[rank]" in text for text in findings_of(one))
    with_option = counts("open_images", "box", dropped={"option": 1})
    assert findings_of(Small(one.tables, one.record.replace(counts=with_option), one.maps)) == []


def test_a_corrected_row_is_valid_where_corrections_were_read() -> None:
    # Annotation 6 was a teddy bear and is a cup now: merged counts follow, LVIS's own do not.
    one = changed(small(), "annotations", 5, category_id=CUP, relabelled_from=TEDDY)
    one = changed(one, "categories", 0, image_count=3, instance_count=3, f=0.75)
    one = changed(one, "categories", 2, image_count=1, instance_count=2, f=0.25)
    assert [text for text in findings_of(one) if "[relabelled_from]" in text]
    inputs = (*one.record.inputs, InputRecord("corrections", "mine.csv", 1, "0" * 64))
    assert findings_of(Small(one.tables, one.record.replace(inputs=inputs), one.maps)) == []


def test_lvis_counts_are_bounds_after_a_hold_out() -> None:
    held = counts("lvis", "annotation", rows_in=6, dropped={"holdout": 1})
    one = changed(small(), "categories", 0, image_count_lvis=2)
    more = Small(one.tables, one.record.replace(counts=held), one.maps)
    assert findings_of(more) == []
    fewer = changed(more, "categories", 0, image_count_lvis=0)
    assert any("[image_count_lvis]" in text for text in findings_of(fewer))


def test_the_best_match_is_the_match() -> None:
    # The spoon becomes a second cup whose box is the COCO box's own.
    one = changed(
        small(),
        "annotations",
        1,
        category_id=CUP,
        source_label="cup",
        bbox=[12.0, 20.0, 100.0, 50.0],
    )
    assert any("annotation 2 has 1.0000" in text for text in findings_of(one))


def test_repeat_factor_is_recomputed_from_f() -> None:
    # With t = 0.45, r(c) = sqrt(0.45 / 0.25) for the spoon, 1 for f = 0.5 and for f = 0.
    one = changed(small(), "categories", 3, repeat_factor=(0.45 / 0.25) ** 0.5)
    with_threshold = one.record.replace(rfs=RfsConstants(0.45))
    texts = findings_of(Small(one.tables, with_threshold, one.maps))
    assert not [text for text in texts if "[repeat_factor]" in text]
    assert any("[repeat_factor]" in text for text in findings_of(one))


def test_rows_that_break_a_rule_alike_are_one_finding() -> None:
    one = changed(small(), "images", 0, width=0)
    one = changed(one, "images", 1, width=-5)
    finding = next(f for f in content(one.tables, one.record, one.maps) if f.rule == "size")
    assert (finding.row, finding.key) == (1, "image_id 9")
    assert finding.message.endswith(", and 1 more row like it")


def test_a_manifest_without_rows_is_valid_in_form(tmp_path: Path) -> None:
    empty = coco_small()
    tables = {
        name: getattr(empty.tables, name)[:0] for name in ("images", "annotations", "rejects")
    }
    categories = empty.tables.categories
    zeros = {"image_count": [0] * 3, "instance_count": [0] * 3, "f": [0.0] * 3}
    for name, values in zeros.items():
        place = categories.schema.get_field_index(name)
        field = categories.schema.field(name)
        categories = categories.set_column(place, field, pa.array(values, field.type))
    none = KindCounts(0, 0, {}, 0)
    record = empty.record.replace(counts={"coco": {"image": none, "annotation": none}})
    manifest = Small(Tables(categories=categories, **tables), record, {})
    assert validate(manifest.write(tmp_path / "m")) == []


def test_a_partial_copy_is_told_file_by_file(tmp_path: Path) -> None:
    folder = small().write(tmp_path / "m")
    shutil.rmtree(folder / "maps")
    (folder / "annotations.parquet").unlink()
    assert {one.table for one in validate(folder) if one.rule == "files"} == {
        "annotations.parquet",
        "maps/coco.csv",
        "maps/open_images.csv",
    }


def test_run_lengths_decode_as_pycocotools_does() -> None:
    rng = np.random.default_rng(0)
    masks = [
        (rng.random((height, width)) < share).astype(np.uint8, order="F")
        for height, width, share in ((1, 1, 1.0), (7, 5, 0.5), (480, 640, 0.001), (300, 400, 0.0))
    ]
    encoded = [coco_mask.encode(np.asfortranarray(mask)) for mask in masks]
    runs = decode(pa.array([one["counts"].decode() for one in encoded]))
    assert runs.well_formed.tolist() == [True] * 4
    assert runs.pixels.tolist() == [mask.size for mask in masks]
    assert runs.area.tolist() == [int(coco_mask.area(one)) for one in encoded]


def test_damaged_run_lengths_do_not_spoil_their_neighbours() -> None:
    good = coco_mask.encode(np.ones((4, 6), np.uint8, order="F"))["counts"].decode()
    # Empty, cut within a count, characters outside the code, an endless count.
    runs = decode(pa.array([good, "", "P", "~~", "o" * 20 + "0", good]))
    assert runs.well_formed.tolist() == [True, False, False, False, False, True]
    assert runs.area[[0, 5]].tolist() == [24, 24]


def test_overlaps_are_those_of_pycocotools() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.uniform(1, 50, (40, 4)), rng.uniform(1, 50, (40, 4))
    expected = np.diag(coco_mask.iou(left, right, [0] * 40))
    np.testing.assert_allclose(overlaps(left, right), expected, atol=1e-12)
