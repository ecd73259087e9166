"""Open Images tables in parts, CSV or Parquet, build what one CSV builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lvis_merge.errors import InputError
from lvis_merge.manifest import open as open_manifest
from lvis_merge.manifest.validate import validate
from lvis_merge.sources.csv_table import open_parquet
from lvis_merge.sources.open_images.folder import find_files
from tests.pipeline.running import build_quietly, build_to, table_bytes
from tests.pipeline.sharded import (
    Rows,
    Write,
    csv_folder,
    in_parts,
    numbered,
    parquet_file,
    parquet_folder,
    typed,
    write_csv,
)
from tests.pipeline.shuffled import without_bad_rows
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import Options, make_world

SEEDS = (3, 13, 27)
EVERYTHING = 3
"""The world with every kind of file."""
WITH_BAD_ROWS = 13
"""One with bad images, boxes and labels."""


def build(options: Options, out: Path) -> dict[str, bytes]:
    return build_to(build_options(options, out), out)


@pytest.mark.parametrize("form", [csv_folder, numbered, parquet_file, parquet_folder])
@pytest.mark.parametrize("seed", SEEDS)
def test_bytes_do_not_depend_on_the_parts(
    seed: int, form: Callable[[Random], Write], tmp_path: Path
) -> None:
    """Rule: neither the files that good rows are in nor their format change a table's bytes."""
    world = make_world(seed, tmp_path / "world").options
    build(world, tmp_path / "with_bad_rows")
    good = without_bad_rows(world, tmp_path / "good", tmp_path / "with_bad_rows")
    build(good, tmp_path / "whole")
    parts = in_parts(good, tmp_path / "parts", form(Random(seed)))
    build(parts, tmp_path / "m")
    assert table_bytes(tmp_path / "m") == table_bytes(tmp_path / "whole")
    assert [one for one in validate(tmp_path / "m") if one.level == "error"] == []
    names = {one.name for one in open_manifest(tmp_path / "m").record.inputs if "/" in one.role}
    assert not any(name.endswith("-annotations-bbox.csv") for name in names)


def test_a_bad_row_is_called_by_its_part(tmp_path: Path) -> None:
    """Rule: rejects name the file, with its folder, and the row in it; their reasons stay."""
    world = make_world(WITH_BAD_ROWS, tmp_path / "world").options
    build(world, tmp_path / "whole")
    pieces: dict[tuple[str, int], list[str]] = {}

    def halves(path: Path, header: list[str], rows: Rows) -> None:
        path.mkdir()
        middle = len(rows) // 2
        for number, part in enumerate((rows[:middle], rows[middle:])):
            name = f"part-{number}.csv"
            write_csv(path / name, [header, *part])
            for row, fields in enumerate(part, 1):
                pieces[f"{path.name}/{name}", row] = fields

    build(in_parts(world, tmp_path / "parts", halves), tmp_path / "m")

    def rejected(folder: Path) -> list[dict[str, object]]:
        rows = pq.read_table(folder / "rejects.parquet").to_pylist()
        return [row for row in rows if row["source"] == "open_images"]

    whole, parts = rejected(tmp_path / "whole"), rejected(tmp_path / "m")
    assert {row["kind"] for row in whole} == {"image", "box", "label"}
    assert sorted((row["kind"], row["reason"]) for row in parts) == sorted(
        (row["kind"], row["reason"]) for row in whole
    )
    for row in parts:
        fields = pieces[str(row["file"]), int(str(row["row"]))]
        assert str(row["raw"]).split(",")[0].strip('"') == fields[0]


def test_a_table_in_parts_is_one_table_for_max_rejects(tmp_path: Path) -> None:
    """Rule: what is tolerated is a share of the whole table, however many parts it has."""
    world = make_world(WITH_BAD_ROWS, tmp_path / "world").options

    def one_row_each(path: Path, header: list[str], rows: Rows) -> None:
        path.mkdir()
        for number, row in enumerate(rows):
            write_csv(path / f"{number:06}.csv", [header, row])

    parts = in_parts(world, tmp_path / "parts", one_row_each)
    # no file has more than one bad row
    options = replace(build_options(parts, tmp_path / "m"), max_rejects="1")
    with pytest.raises(InputError, match=r"[0-9]+ of [0-9]+ (image|box|label) rows are bad, more"):
        build_quietly(options)


def spoilt(tmp_path: Path, *names: str) -> str:
    for name in ("class-descriptions-boxable.csv", *names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return str(tmp_path)


BOXES = "train-annotations-bbox"
TWICE = [
    # a file and its parts
    [f"{BOXES}.csv", f"{BOXES}-00000-of-00001.csv"],
    # a folder of parts and numbered parts
    [f"{BOXES}.parquet/a.parquet", f"{BOXES}-00000-of-00001.csv"],
    # both formats
    [f"{BOXES}.csv", f"{BOXES}.parquet"],
    # parts of two writings
    [f"{BOXES}-00000-of-00001.csv", f"{BOXES}-00000-of-00002.csv"],
]


@pytest.mark.parametrize("names", TWICE)
def test_a_table_that_is_there_twice_is_an_error(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(InputError, match="two files of one kind"):
        find_files(spoilt(tmp_path, *names))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    folder = spoilt(tmp_path, f"{BOXES}-00000-of-00003.csv", f"{BOXES}-00002-of-00003.csv")
    with pytest.raises(InputError) as error:
        find_files(folder)
    assert str(error.value) == (
        f"{folder}: of the 3 parts of {BOXES}.csv, part 00001 is missing. Put it there."
    )


def test_parts_with_other_columns_are_named(tmp_path: Path) -> None:
    """Rule: a part of another table is no part of this one."""
    world = make_world(EVERYTHING, tmp_path / "world").options

    def odd(path: Path, header: list[str], rows: Rows) -> None:
        path.mkdir()
        write_csv(path / "a.csv", [header, *rows])
        write_csv(path / "b.csv", [[*header, "Extra"], *([*row, ""] for row in rows)])

    options = build_options(in_parts(world, tmp_path / "parts", odd), tmp_path / "m")
    with pytest.raises(InputError, match=r"b\.csv: is a part of one table .* Extra"):
        build_quietly(options)


def test_bytes_that_are_no_text_cost_their_row_alone(tmp_path: Path) -> None:
    """In a column of bytes too, as writers that know no text make them."""
    world = make_world(EVERYTHING, tmp_path / "world").options

    def as_bytes(path: Path, header: list[str], rows: Rows) -> None:
        table = typed(header, rows)
        ids = [row[header.index("ImageID")].encode() for row in rows]
        column = pa.array([b"\xff\xfe", *ids[1:]], pa.binary())
        place = table.schema.get_field_index("ImageID")
        pq.write_table(table.set_column(place, "ImageID", column), path.with_suffix(".parquet"))

    options = build_options(in_parts(world, tmp_path / "parts", as_bytes), tmp_path / "m")
    build_quietly(replace(options, max_rejects="90%"))
    assert any("\ufffd" in raw for raw in open_manifest(tmp_path / "m").rejects["raw"].to_pylist())


def far_more_rows_than_bytes(row: pa.Table) -> pa.Table:
    return row.take(pa.array(np.zeros(200_000, np.int64)))


def one_text_many_times(row: pa.Table) -> pa.Table:
    zeros = pa.array(np.zeros(1 << 12, np.int32))
    texts = pa.DictionaryArray.from_arrays(zeros, pa.array(["x" * (1 << 20)]))
    place = row.schema.get_field_index("LabelName")
    return row.take(zeros).set_column(place, "LabelName", texts)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (far_more_rows_than_bytes, r"has 200,000 rows in \S+ bytes"),
        (one_text_many_times, r"row group 0 is 4,096 MiB as text"),
    ],
)
def test_a_small_parquet_file_does_not_fill_memory(
    tmp_path: Path, make: Callable[[pa.Table], pa.Table], message: str
) -> None:
    path = tmp_path / "b.parquet"
    row = pa.table({"ImageID": ["0a"], "LabelName": ["/m/a"]})
    # without Arrow's schema it is a column of texts
    pq.write_table(make(row), path, store_schema=False, write_statistics=False)
    with pytest.raises(InputError, match=message):
        open_parquet(path, "b.parquet", ("ImageID",)).chunks[0].read()


def test_a_damaged_row_group_is_named(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({"ImageID": [f"{n:x}" for n in range(900)]}), path)
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"b\.parquet: row group 0 cannot be read"):
        open_parquet(path, "b.parquet", ("ImageID",)).chunks[0].read()


@pytest.mark.parametrize("data", [b"", b"PAR1 and no more", b"PAR1" + bytes(99) + b"PAR1"])
def test_a_parquet_file_that_is_none_is_named(tmp_path: Path, data: bytes) -> None:
    world = make_world(EVERYTHING, tmp_path / "world").options

    def broken(path: Path, header: list[str], rows: Rows) -> None:
        path.with_suffix(".parquet").write_bytes(data)

    options = build_options(in_parts(world, tmp_path / "parts", broken), tmp_path / "m")
    with pytest.raises(InputError, match=r"\.parquet: is no Parquet file, or cut short"):
        build_quietly(options)
