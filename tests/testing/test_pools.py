"""Pools: both forms, what can be wrong with a table, and the list of known categories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lvis_merge.errors import InputError
from lvis_merge.evaluation import evaluate, read_results, truth_of_lvis
from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.result_table import BOXES, MASKS
from lvis_merge.testing import pools
from lvis_merge.testing.pools import pool_writer, read_pool
from tests.evaluation.world import HEIGHT, WIDTH, generate

KNOWN = Known("lvis_val.json", np.array([1, 2, 3]), np.full((3, 2), 100), np.array([1, 2, 9]))


def detections(count: int = 5, masks: bool = False) -> Detections:
    rng = np.random.default_rng(0)
    return Detections(
        entry=np.arange(1, count + 1),
        image_id=np.sort(rng.integers(1, 4, count)),
        category_id=rng.choice([1, 9], count),
        score=rng.random(count),
        bbox=rng.random((count, 4)).astype(np.float32).astype(np.float64) * 8,
        mask=pa.array([f"mask {n}" for n in range(count)], pa.large_string()) if masks else None,
    )


def same(one: Detections, other: Detections) -> None:
    for name in ("image_id", "category_id", "score", "bbox"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.mask is None) == (other.mask is None)
    assert one.mask is None or one.mask.equals(other.mask)


@pytest.mark.parametrize("name", ["pool.parquet", "pool.json"])
@pytest.mark.parametrize("masks", [False, True], ids=["boxes", "boxes and masks"])
def test_what_is_written_is_read(
    name: str, masks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "ROW_GROUP_ROWS", 4)  # several row groups
    whole = detections(11, masks)
    with pool_writer(tmp_path / name, masks=masks) as writer:
        for start in range(0, 11, 3):
            rows = np.arange(start, min(start + 3, 11))
            writer.write(whole.at(rows), np.full((len(rows), 2), 100))
            writer.write(whole.at(rows[:0]), np.zeros((0, 2), np.int64))
    assert writer.written == 11
    pool = read_pool(str(tmp_path / name), KNOWN)
    same(pool.results.detections, whole)
    assert pool.results.entries == 11
    assert [path.name for path in tmp_path.iterdir()] == [name]
    if name.endswith(".parquet"):
        assert pq.ParquetFile(tmp_path / name).num_row_groups == 2


@pytest.mark.parametrize("name", ["empty.parquet", "empty.json"])
def test_nothing_is_written_and_read(name: str, tmp_path: Path) -> None:
    with pool_writer(tmp_path / name):
        pass
    assert not len(read_pool(str(tmp_path / name), KNOWN).results.detections)


@pytest.mark.parametrize("name", ["pool.parquet", "pool.json"])
def test_a_writer_that_fails_leaves_what_was_there(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("older")

    def write() -> None:
        with pool_writer(tmp_path / name) as writer:
            writer.write(detections())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert (tmp_path / name).read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["pool.parquet", "pool.json"])
def test_the_known_categories_travel_with_the_pool(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pool_writer(path, known_category_ids=np.array([1, 2])) as writer:
        writer.write(detections())  # of categories 1 and 9
    pool = read_pool(str(path), KNOWN)
    assert (pool.known_category_ids.tolist(), pool.is_listed) == ([1, 2, 9], True)
    # a pool without a list takes the older one's place
    with pool_writer(path) as writer:
        writer.write(detections())
    pool = read_pool(str(path), KNOWN)
    assert (pool.known_category_ids.tolist(), pool.is_listed) == ([1, 9], False)


def test_a_damaged_list_of_known_categories(tmp_path: Path) -> None:
    with pool_writer(tmp_path / "pool.json", known_category_ids=np.array([1])) as writer:
        writer.write(detections())
    (tmp_path / "pool.known.json").write_text("[1, true")
    with pytest.raises(InputError, match=r"pool.known.json: its list of known categories is"):
        read_pool(str(tmp_path / "pool.json"), KNOWN)


def test_masks_alone_are_no_pool(tmp_path: Path) -> None:
    from tests.evaluation.world import box_mask

    entry = {"image_id": 1, "category_id": 1, "score": 0.5,
             "segmentation": box_mask([1, 1, 5, 5], 100, 100)}  # fmt: skip
    (tmp_path / "pool.json").write_text(json.dumps([entry]))
    with pytest.raises(InputError, match="has masks and no boxes"):
        read_pool(str(tmp_path / "pool.json"), KNOWN)


def test_evaluate_takes_a_table(tmp_path: Path) -> None:
    annotations, results = generate(3, images=4, crowded=310).write(tmp_path)
    truth = truth_of_lvis(annotations)
    plain = read_results(results, truth)
    columns = {
        "image_id": plain.detections.image_id,
        "category_id": plain.detections.category_id,
        "bbox": plain.detections.bbox.tolist(),  # type: ignore[union-attr]
        "score": plain.detections.score,
        "mask_rle": plain.detections.mask,
    }
    wide = BOXES.set(2, pa.field("bbox", pa.list_(pa.float64(), 4))).append(MASKS)
    pq.write_table(pa.table(columns).cast(wide), tmp_path / "results.parquet")
    table = read_results(str(tmp_path / "results.parquet"), truth)
    assert plain.detections.mask is not None
    by_json, by_table = (evaluate(found, truth).scores for found in (plain, table))
    assert [s.figures for s in by_table] == [s.figures for s in by_json]
    assert (len(by_json), HEIGHT, WIDTH) == (2, 120, 160)


GOOD = {"image_id": 1, "category_id": 1, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.5}

BAD_ROWS = {
    "unknown image": ({"image_id": 7}, "image_id", "image_id 7 is not in lvis_val.json."),
    "unknown category": ({"category_id": 3}, "category_id", "category_id 3 is not in lvis_val"),
    "score": ({"score": 1.5}, "score", "score is 1.5, not in [0, 1]."),
    "NaN score": ({"score": float("nan")}, "score", "score is nan, not in [0, 1]."),
    "NaN box": ({"bbox": [1.0, float("nan"), 3.0, 4.0]}, "bbox", "bbox is [1, nan, 3, 4]: it is"),
    "negative side": ({"bbox": [1.0, 2.0, 3.0, -4.0]}, "bbox", "bbox is [1, 2, 3, -4]: its width"),
    "null score": ({"score": None}, "malformed", "holds a null. Write a value in every"),
    "null box": ({"bbox": None}, "malformed", "holds a null."),
    "null side": ({"bbox": [1.0, None, 3.0, 4.0]}, "malformed", "holds a null."),
}


def table(rows: list[dict[str, Any]], path: Path) -> str:
    schema = pa.schema([pa.field(f.name, f.type) for f in BOXES])
    schema = schema.set(2, pa.field("bbox", pa.list_(pa.float32())))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return str(path)


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_of_a_table(case: str, tmp_path: Path) -> None:
    change, fault, message = BAD_ROWS[case]
    path = table([GOOD, GOOD, {**GOOD, **change}, {**GOOD, "score": 0.25}], tmp_path / "p.parquet")
    with pytest.raises(InputError) as error:
        read_pool(path, KNOWN)
    assert str(error.value).startswith(f"{path}: entry 3: {message}")
    pool = read_pool(path, KNOWN, lenient=True)
    assert pool.results.faults.counts == {fault: 1}
    assert pool.results.detections.score.tolist() == [0.5, 0.5, 0.25]
    assert pool.results.detections.entry.tolist() == [1, 2, 4]


BAD_TABLES = {
    "no scores": (
        pa.table({"image_id": [1], "category_id": [1], "bbox": [[1.0] * 4]}),
        "has no column score. Results in Parquet have the columns image_id, category_id, bbox,",
    ),
    "text for scores": (
        pa.table({"image_id": [1], "category_id": [1], "bbox": [[1.0] * 4], "score": ["high"]}),
        "column `score` holds string, not double. Write it again.",
    ),
    "fractions for ids": (
        pa.table({"image_id": [1.5], "category_id": [1], "bbox": [[1.0] * 4], "score": [0.5]}),
        "column `image_id` holds double, not int64.",
    ),
    "boxes of three": (
        pa.table({"image_id": [1], "category_id": [1], "bbox": [[1.0] * 3], "score": [0.5]}),
        "column `bbox` holds list<",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_tables_of_another_kind(case: str, tmp_path: Path) -> None:
    content, message = BAD_TABLES[case]
    path = tmp_path / "p.parquet"
    pq.write_table(content, path)
    with pytest.raises(InputError) as error:
        read_pool(str(path), KNOWN)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_table_that_was_cut_short(tmp_path: Path) -> None:
    path = table([GOOD] * 100, tmp_path / "p.parquet")
    data = Path(path).read_bytes()
    for content in (b"", data[: len(data) // 2], b"[]"):
        Path(path).write_bytes(content)
        with pytest.raises(InputError, match=r"is no Parquet file, or damaged or cut short"):
            read_pool(path, KNOWN)


def test_other_widths_of_numbers_are_taken(tmp_path: Path) -> None:
    narrow = pa.table(
        {
            "image_id": pa.array([2], pa.int32()),
            "category_id": pa.array([9], pa.int16()),
            "bbox": pa.array([[1.5, 2.0, 3.0, 4.0]], pa.list_(pa.float64())),
            "score": pa.array([0.25], pa.float32()),
        }
    )
    pq.write_table(narrow, tmp_path / "p.parquet")
    found = read_pool(str(tmp_path / "p.parquet"), KNOWN).results.detections
    assert (found.image_id.tolist(), found.category_id.tolist()) == ([2], [9])
    assert (found.score.tolist(), found.bbox.tolist()) == ([0.25], [[1.5, 2.0, 3.0, 4.0]])  # type: ignore[union-attr]
