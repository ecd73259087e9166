"""Writes a manifest folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.croissant import CROISSANT_FILE, croissant_bytes
from lvis_merge.manifest.parquet import write_table
from lvis_merge.manifest.place import renamed_when_complete
from lvis_merge.manifest.record import RECORD_FILE, ManifestRecord, RowCounts
from lvis_merge.manifest.tables import Tables

MAPS_FOLDER = "maps"
REPORT_FILE = "report.html"


def write_manifest(
    out: Path,
    tables: Tables,
    record: ManifestRecord,
    maps: Mapping[str, bytes],
    *,
    overwrite: bool = False,
    extra: Callable[[Path], object] | None = None,
) -> ManifestRecord:
    """Writes a manifest; killed at any point, `out` is absent, the old one or the new one.

    Equal tables, record and maps give equal bytes. The tables are written in threads, one each.

    Args:
        out: the folder to be.
        tables: rows of the declared schemas in the declared orders.
        record: without `rows` and `files`, which are filled here; inputs are sorted by role.
        maps: label maps as used, by file name.
        overwrite: whether a manifest at `out` may be replaced.
        extra: writes further files (the report) into the folder once the rest is there.

    Returns:
        The record as written.

    Raises:
        InputError: `out` is taken, or its folder cannot be written.
    """
    with renamed_when_complete(out, overwrite) as folder:
        with ThreadPoolExecutor() as threads:
            digests = {
                spec.file_name: threads.submit(write_table, folder / spec.file_name, spec, table)
                for spec, table in tables.named()
            }
        files = {name: digest.result() for name, digest in digests.items()}
        written = record.replace(
            inputs=tuple(sorted(record.inputs, key=lambda one: (one.role, one.name, one.sha256))),
            rows=row_counts(tables),
            files=files,
        )
        croissant = croissant_bytes(written)
        files[CROISSANT_FILE] = hashlib.sha256(croissant).hexdigest()
        written = written.replace(files=files)
        (folder / CROISSANT_FILE).write_bytes(croissant)
        (folder / RECORD_FILE).write_bytes(written.to_json())
        (folder / MAPS_FOLDER).mkdir()
        for name, content in maps.items():
            (folder / MAPS_FOLDER / name).write_bytes(content)
        if extra is not None:
            extra(folder)
    return written


def row_counts(tables: Tables) -> dict[str, RowCounts]:
    """Rows of each table, in all and by source."""
    return {
        spec.name: RowCounts(
            table.num_rows, count_values(table["source"]) if "source" in table.schema.names else {}
        )
        for spec, table in tables.named()
    }


def count_values(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs, by value."""
    counts = pc.value_counts(column)
    pairs = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    return dict(sorted(pairs))
