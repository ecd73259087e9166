"""Good manifests, the folder and the record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lvis_merge.errors import InputError
from lvis_merge.manifest import Tables
from lvis_merge.manifest.record import EqlConstants, KindCounts, RfsConstants
from lvis_merge.manifest.validate import validate
from tests.manifest.change import change_record, counts
from tests.manifest.other_spaces import coco_small, open_images_small
from tests.manifest.small import Small, small


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
