"""Reading is lazy, exact and says what to do when there is nothing to read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lvis_merge import manifest
from lvis_merge.errors import InputError
from lvis_merge.manifest.schema import TABLES
from tests.manifest.change import change_record
from tests.manifest.small import small


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small().write(tmp_path / "m")


def test_tables_are_read_when_asked_for(folder: Path) -> None:
    opened = manifest.open(str(folder))
    (folder / "annotations.parquet").unlink()
    assert opened.images.num_rows == 5
    assert opened.images is opened.images
    with pytest.raises(InputError, match=r"annotations.parquet: missing"):
        _ = opened.annotations


def test_columns_come_in_the_order_asked_for(folder: Path) -> None:
    table = manifest.open(folder).arrow("images", columns=["width", "image_id"])
    assert table.schema.names == ["width", "image_id"]
    assert table["image_id"].to_pylist()[:3] == [9, 25, 139]


def test_pandas_keeps_ids_exact_and_null_apart_from_false(folder: Path) -> None:
    opened = manifest.open(folder)
    rows = opened.pandas("annotations")
    assert list(rows.columns) == opened.annotations.schema.names
    assert rows["matched_annotation_id"].dtype == pd.Int64Dtype()
    assert rows["matched_annotation_id"][2] == 1
    assert rows["is_inside"][8:10].isna().all()
    assert rows["image_id"].dtype == "int64"
    assert rows["bbox"][0].tolist() == [10.5, 20.0, 100.0, 50.0]
    assert opened.pandas("images", ["split"]).shape == (5, 1)


@pytest.mark.parametrize("spec", TABLES, ids=[spec.name for spec in TABLES])
def test_daft_reads_what_pyarrow_wrote(folder: Path, spec: object) -> None:
    name = spec.name  # type: ignore[attr-defined]
    opened = manifest.open(folder)
    assert opened.daft(name).to_arrow().to_pylist() == opened.arrow(name).to_pylist()


def test_a_wrong_folder_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: no such folder. Give the folder that"):
        manifest.open(tmp_path / "none")
    with pytest.raises(InputError, match=r"not a manifest \(no manifest.json\)"):
        manifest.open(tmp_path)
    change_record(folder, schema_version=7)
    with pytest.raises(InputError, match="schema version 7"):
        manifest.open(folder)


def test_a_wrong_name_is_told(folder: Path) -> None:
    opened = manifest.open(folder)
    with pytest.raises(InputError, match="has no table labels"):
        opened.arrow("labels")
    with pytest.raises(InputError, match="images has no column size"):
        opened.arrow("images", ["size"])


def test_a_damaged_table_is_told(folder: Path) -> None:
    (folder / "images.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match=r"images.parquet: cannot be read"):
        _ = manifest.open(folder).images
