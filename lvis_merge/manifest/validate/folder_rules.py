"""The folder: which files it holds, and that they are the ones that were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lvis_merge.manifest.croissant import CROISSANT_FILE
from lvis_merge.manifest.record import RECORD_FILE, ManifestRecord
from lvis_merge.manifest.schema import TABLES, TableSpec
from lvis_merge.manifest.text_room import has_too_much_text
from lvis_merge.manifest.validate.finding import Finding, error, warning
from lvis_merge.manifest.write import MAPS_FOLDER, REPORT_FILE

_TABLE_FILES = tuple(spec.file_name for spec in TABLES)
_HASHED = (*_TABLE_FILES, CROISSANT_FILE)
_FILES = (*_HASHED, RECORD_FILE, REPORT_FILE)


def files_present(folder: Path, record: ManifestRecord) -> Iterator[Finding]:
    """The files of a manifest are there, and nothing else is."""
    expected = {*_FILES, *(f"{MAPS_FOLDER}/{name}" for name in record.maps)}
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    }
    for name in sorted(expected - present):
        yield error("files", name, "missing. Build the manifest again.")
    for name in sorted(present - expected):
        yield warning("files", name, "is no part of a manifest")


def read_tables(folder: Path, record: ManifestRecord) -> tuple[dict[str, pa.Table], list[Finding]]:
    """Reads each table that has the declared schema.

    Returns:
        The tables by name, and what is wrong with the others.
    """
    tables, findings = {}, []
    for spec in TABLES:
        path = folder / spec.file_name
        if not path.is_file():
            continue  # told by `files_present`
        try:
            file = pq.ParquetFile(path, memory_map=True)
            if not record.has_room_for(spec.name, rows := file.metadata.num_rows):
                findings.append(
                    error("rows", spec.name, f"has {rows:,} rows, far more than {RECORD_FILE} says")
                )
                continue
            if has_too_much_text(file, path.stat().st_size):
                findings.append(
                    error("schema", spec.name, "has far more text than a file of its size should")
                )
                continue
            table = file.read()
            table.validate(full=True)  # text that is no UTF-8, offsets that lead nowhere
        except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
            findings.append(error("schema", spec.name, f"not a readable Parquet file: {problem}"))
            continue
        wrong = list(_schema(spec, table))
        findings += wrong
        if not wrong:
            tables[spec.name] = table
    return tables, findings


def _schema(spec: TableSpec, table: pa.Table) -> Iterator[Finding]:
    declared, found = spec.schema, table.schema
    for name in declared.names:
        if name not in found.names:
            yield error("schema", spec.name, f"column {name} is missing")
        elif found.field(name).type != declared.field(name).type:
            yield error(
                "schema",
                spec.name,
                f"column {name} is {found.field(name).type}, declared {declared.field(name).type}",
            )
        elif table[name].null_count and not declared.field(name).nullable:
            yield error("null", spec.name, f"column {name} has nulls, and none is allowed")
        elif found.field(name).nullable != declared.field(name).nullable:
            yield error("schema", spec.name, f"column {name} is not declared as the schema says")
    for name in found.names:
        if name not in declared.names:
            yield error("schema", spec.name, f"column {name} is not declared")
    if set(found.names) == set(declared.names) and found.names != declared.names:
        yield error("schema", spec.name, f"columns are in the order {', '.join(found.names)}")


def read_maps(folder: Path, record: ManifestRecord) -> dict[str, bytes]:
    """Content of the map files that are there, by name."""
    paths = {name: folder / MAPS_FOLDER / name for name in sorted(record.maps)}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def checksums(folder: Path, record: ManifestRecord, maps: dict[str, bytes]) -> Iterator[Finding]:
    """Every file has the sha256 that `manifest.json` and `croissant.json` give."""
    for name, content in maps.items():
        if hashlib.sha256(content).hexdigest() != record.maps[name]:
            yield error("checksum", f"{MAPS_FOLDER}/{name}", f"changed since {RECORD_FILE}")
    for name in sorted(set(_HASHED) ^ set(record.files)):
        yield error("record", RECORD_FILE, f"files: {name} is listed or is a file, not both")
    digests = {}
    for name in _HASHED:
        if (folder / name).is_file() and name in record.files:
            with (folder / name).open("rb") as file:
                digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
            if digests[name] != record.files[name]:
                yield error("checksum", name, f"changed since {RECORD_FILE} was written")
    yield from _croissant(folder, digests)


def _croissant(folder: Path, digests: dict[str, str]) -> Iterator[Finding]:
    try:
        document = json.loads((folder / CROISSANT_FILE).read_bytes())
        listed = {one["@id"]: one["sha256"] for one in document["distribution"]}
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError, RecursionError):
        yield error("croissant", CROISSANT_FILE, "not the description that a build writes")
        return
    for name in _TABLE_FILES:
        if name in digests and listed.get(name) != digests[name]:
            yield error("croissant", CROISSANT_FILE, f"gives another sha256 of {name}")
