"""The comparison sees what it must see: it is itself a guard."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.reference import Reference, build_reference
from tests.reference.compare import MOST, differences
from tests.reference.result import COLUMNS
from tests.worlds import make_world

SEED = 3


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    world = make_world(SEED, tmp_path_factory.mktemp("world"))
    made = build_reference(world.options)
    assert len(made.images) > 2
    assert len(made.annotations) > 2
    assert made.rejects
    return made


def write_manifest(reference: Reference, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in COLUMNS:
        pq.write_table(pa.Table.from_pylist(getattr(reference, name)), folder / f"{name}.parquet")
    (folder / "manifest.json").write_text(json.dumps({"counts": reference.counts}))
    return folder


def test_an_equal_manifest_has_no_differences(reference: Reference, tmp_path: Path) -> None:
    assert differences(reference, write_manifest(reference, tmp_path)) == []


def one_value(made: Reference) -> None:
    made.annotations[1]["area"] += 1e-9


def one_row_less(made: Reference) -> None:
    del made.images[-1]


def two_rows_swapped(made: Reference) -> None:
    made.images[0], made.images[1] = made.images[1], made.images[0]


def one_column_less(made: Reference) -> None:
    for row in made.categories:
        del row["f"]


def columns_swapped(made: Reference) -> None:
    made.rejects[:] = [dict(reversed(row.items())) for row in made.rejects]


def another_count(made: Reference) -> None:
    made.counts["lvis"]["image"]["in"] += 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (one_value, "area: expected"),
        (one_row_less, "got no such row"),
        (two_rows_swapped, "images: order at row 0"),
        (one_column_less, "'no such column'"),
        (columns_swapped, "rejects: columns"),
        (another_count, "counts: lvis image"),
    ],
)
def test_a_change_is_told(
    reference: Reference, tmp_path: Path, change: Callable[[Reference], None], told: str
) -> None:
    changed = copy.deepcopy(reference)
    change(changed)
    found = differences(reference, write_manifest(changed, tmp_path))
    assert found
    assert any(told in line for line in found)


def test_differences_are_capped(reference: Reference, tmp_path: Path) -> None:
    changed = copy.deepcopy(reference)
    for row in changed.annotations:
        row["area"] += 1.0
        row["role"] = "other"
    assert len(differences(reference, write_manifest(changed, tmp_path))) == MOST
