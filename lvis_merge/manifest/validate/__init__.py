"""Proves every rule of a manifest that can be proved from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.manifest.read import open_manifest
from lvis_merge.manifest.record import RECORD_FILE, ManifestRecord, record_head
from lvis_merge.manifest.schema import SCHEMA_VERSION, TABLES
from lvis_merge.manifest.tables import Tables
from lvis_merge.manifest.validate import (
    box_rules,
    category_rules,
    evidence_rules,
    extra_rules,
    folder_rules,
    image_rules,
    map_rules,
    match_rules,
    order_rules,
    record_rules,
    row_rules,
    value_rules,
)
from lvis_merge.manifest.validate.finding import Finding, error
from lvis_merge.manifest.validate.loaded import Loaded

__all__ = ["RULES", "Finding", "validate"]

RULES: tuple[Callable[[Loaded], Iterator[Finding]], ...] = (
    value_rules.enumerations,
    value_rules.sources,
    order_rules.ids_and_orders,
    image_rules.image_ids,
    image_rules.file_names,
    image_rules.image_columns,
    image_rules.photos,
    image_rules.licences,
    row_rules.joins,
    row_rules.roles,
    row_rules.source_columns,
    row_rules.labels,
    row_rules.corrections,
    box_rules.boxes,
    box_rules.areas,
    box_rules.polygons,
    box_rules.bitmaps,
    match_rules.matches,
    map_rules.mapped_rows,
    evidence_rules.evidence,
    extra_rules.recorded,
    extra_rules.images,
    extra_rules.rows,
    category_rules.category_names,
    category_rules.category_columns,
    category_rules.merged_counts,
    category_rules.lvis_counts,
    record_rules.constants,
    record_rules.sums,
    record_rules.completeness,
    record_rules.rejects,
)
"""The rules on the content of the tables, in the order in which they are told."""


def validate(path: str | Path) -> list[Finding]:
    """Checks a manifest against every rule that its files can prove.

    Each rule gives at most a few findings, told by the first row that breaks it. The checksums come
    last, so that a changed cell is told by the rule that it breaks, if it breaks one.

    Args:
        path: the manifest's folder.

    Returns:
        What is wrong; empty for a good manifest. Warnings do not make it invalid.

    Raises:
        InputError: there is no manifest, or one of another schema version.
    """
    folder = Path(path)
    try:
        record = open_manifest(folder).record
    except InputError as problem:
        if not _is_of_this_version(folder):
            raise
        return [error("record", RECORD_FILE, str(problem))]
    findings = list(folder_rules.files_present(folder, record))
    tables, problems = folder_rules.read_tables(folder, record)
    findings += problems
    maps = folder_rules.read_maps(folder, record)
    if len(tables) == len(TABLES):
        findings += content(Tables(**tables), record, maps)
    findings += folder_rules.checksums(folder, record, maps)
    return findings


def content(tables: Tables, record: ManifestRecord, maps: dict[str, bytes]) -> list[Finding]:
    """Applies `RULES` to tables in memory."""
    loaded = Loaded(tables, record, maps)
    return [finding for rule in RULES for finding in rule(loaded)]


def _is_of_this_version(folder: Path) -> bool:
    try:
        head = record_head((folder / RECORD_FILE).read_bytes())
    except OSError:
        return False
    return head is not None and head["schema_version"] == SCHEMA_VERSION
