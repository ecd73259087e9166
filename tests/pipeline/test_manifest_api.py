"""A built manifest opens as pandas, Arrow and daft tables in one line each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import daft
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lvis_merge import manifest
from lvis_merge.manifest.schema import TABLES
from tests.pipeline.running import TABLES as NAMES
from tests.pipeline.running import build_quietly
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import make_world

SEED = 3
"""A world of all three sources, with unknown flags and bad rows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("world")
    build_quietly(build_options(make_world(SEED, place / "files").options, place / "m"))
    return place / "m"


@pytest.mark.parametrize("spec", TABLES, ids=NAMES)
def test_every_view_has_the_same_rows(folder: Path, spec: Any) -> None:
    rows = pq.ParquetFile(folder / spec.file_name).read().to_pylist()
    assert rows
    assert getattr(manifest.open(folder), spec.name).to_pylist() == rows
    assert manifest.open(folder).arrow(spec.name).schema.equals(spec.schema)
    assert manifest.open(folder).daft(spec.name).to_pylist() == rows
    frame = manifest.open(folder).pandas(spec.name)
    assert list(frame.columns) == spec.schema.names
    assert [plain_row(row) for row in frame.to_dict("records")] == rows


def plain_row(row: dict[Any, Any]) -> dict[Any, Any]:
    return {name: plain(value) for name, value in row.items()}


def plain(value: Any) -> Any:
    """A cell of a data frame as Python has it."""
    if isinstance(value, np.ndarray | list):
        return [plain(one) for one in value]
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


@pytest.mark.parametrize("name", NAMES)
def test_the_files_open_without_this_package(folder: Path, name: str) -> None:
    """Parquet that pyarrow, pandas and daft read by themselves."""
    path = folder / f"{name}.parquet"
    number = manifest.open(folder).record.rows[name].total
    assert pq.read_table(path).num_rows == number
    assert len(pd.read_parquet(path)) == number
    assert daft.read_parquet(str(path)).count_rows() == number


def test_pandas_answers_a_question_in_one_line(folder: Path) -> None:
    """Objects per category on train images, as `categories` counts them."""
    opened = manifest.open(folder)
    rows = opened.pandas("annotations", ["image_id", "category_id", "role"])
    train = opened.pandas("images").query("split == 'train'")["image_id"]
    objects = rows[(rows.role == "object") & rows.image_id.isin(train)]
    counted = opened.pandas("categories").set_index("category_id")
    assert counted["instance_count"].sum() == len(objects) > 0
    in_all = objects.groupby("category_id").size().reindex(counted.index, fill_value=0)
    assert in_all.tolist() == counted["instance_count"].tolist()
    images = objects.groupby("category_id").image_id.nunique().reindex(counted.index, fill_value=0)
    assert images.tolist() == counted["image_count"].tolist()


def test_arrow_and_daft_answer_the_same(folder: Path) -> None:
    """Ignore rows by reason."""
    opened = manifest.open(folder)
    ignored = opened.annotations.filter(pc.field("role") == "ignore")
    counted = ignored.group_by("ignore_reason").aggregate([("annotation_id", "count")])
    by_arrow = {row["ignore_reason"]: row["annotation_id_count"] for row in counted.to_pylist()}
    lazy = opened.daft("annotations").where(daft.col("role") == "ignore")
    by_daft = lazy.groupby("ignore_reason").agg(daft.col("annotation_id").count().alias("n"))
    assert by_arrow == {row["ignore_reason"]: row["n"] for row in by_daft.to_pylist()}
    assert len(by_arrow) > 2
    assert sum(by_arrow.values()) == ignored.num_rows


def test_daft_joins_tables(folder: Path) -> None:
    opened = manifest.open(folder)
    rows, images = opened.daft("annotations"), opened.daft("images").select("image_id", "split")
    joined = rows.join(images, on="image_id").groupby("split").agg(daft.col("role").count())
    split_of = {row["image_id"]: row["split"] for row in opened.images.to_pylist()}
    splits = Counter(split_of[image] for image in opened.annotations["image_id"].to_pylist())
    assert {row["split"]: row["role"] for row in joined.to_pylist()} == dict(splits)


def test_ids_and_flags_survive_pandas(folder: Path) -> None:
    """No id becomes a float, and an unknown flag is not False."""
    opened = manifest.open(folder)
    images, rows = opened.pandas("images"), opened.pandas("annotations")
    of_open_images = images[images.source == "open_images"]
    assert (of_open_images.image_id >= 2**52).all()
    assert [
        2**52 + int(text, 16) % 2**52 for text in of_open_images.source_image_id
    ] == of_open_images.image_id.tolist()
    assert rows.category_id.dtype == pd.Int32Dtype()
    assert rows.is_occluded.isna().sum() > (rows.source != "open_images").sum()
    assert set(rows.is_occluded.dropna()) == {True, False}
    assert rows.bbox.map(len).eq(4).all()
    assert rows.bbox.iloc[0].dtype == np.float32


def test_a_few_columns_are_read_alone(folder: Path) -> None:
    opened = manifest.open(folder)
    assert opened.arrow("annotations", ["role", "bbox"]).schema == pa.schema(
        [opened.annotations.schema.field(name) for name in ("role", "bbox")]
    )
    assert list(opened.pandas("images", ["width"]).columns) == ["width"]


def test_the_record_tells_how_it_was_built(folder: Path) -> None:
    record = manifest.open(folder).record
    assert record.label_space == "lvis"
    assert set(record.counts) == {"lvis", "coco", "open_images"}
    opened = manifest.open(str(folder))
    for name in NAMES:
        assert record.rows[name].total == getattr(opened, name).num_rows
    by_source = opened.pandas("annotations").source.value_counts()
    assert record.rows["annotations"].sources == by_source.to_dict()
