"""Changes a written manifest as damage or a wrong build would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from lvis_merge.manifest import ManifestRecord, Tables
from lvis_merge.manifest.schema import TABLES, TableSpec
from tests.manifest.small import Small, small

SPECS = {spec.name: spec for spec in TABLES}


def with_cell(spec: TableSpec, table: pa.Table, row: int, column: str, value: Any) -> pa.Table:
    """The table with one cell changed."""
    values = table[column].to_pylist()
    assert values[row] != value
    values[row] = value
    place = spec.schema.get_field_index(column)
    field = spec.schema.field(column)
    return table.set_column(place, field, pa.array(values, field.type))


def change_cell(folder: Path, name: str, row: int, column: str, value: Any) -> None:
    """Rewrites one table's file with one cell changed."""
    spec = SPECS[name]
    path = folder / spec.file_name
    pq.write_table(with_cell(spec, pq.ParquetFile(path).read(), row, column, value), path)


def changed(small: Small, name: str, row: int, /, **cells: Any) -> Small:
    """The manifest with some cells of one row changed."""
    table = getattr(small.tables, name)
    for column, value in cells.items():
        table = with_cell(SPECS[name], table, row, column, value)
    tables = {one: getattr(small.tables, one) for one in SPECS} | {name: table}
    return Small(Tables(**tables), small.record, small.maps)


def change_record(folder: Path, **changes: Any) -> None:
    """Rewrites `manifest.json` with some fields changed."""
    path = folder / "manifest.json"
    path.write_bytes(ManifestRecord.from_json(path.read_bytes()).replace(**changes).to_json())


def counts(source: str, kind: str, **changes: Any) -> dict[str, Any]:
    """The small record's counts with one entry changed."""
    all_counts = small().record.counts
    entry = msgspec.structs.replace(all_counts[source][kind], **changes)
    return all_counts | {source: all_counts[source] | {kind: entry}}
