"""One changed cell anywhere in a built manifest is told, by the reference or by `validate`.

The changed table is written by the product's own writer, with new checksums, so that a wrong value
is noticed for being wrong.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from lvis_merge import manifest
from lvis_merge.manifest import Manifest, Tables, write_manifest
from lvis_merge.manifest.schema import TABLES, Column, TableSpec
from lvis_merge.manifest.validate import validate
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.progress import Stages
from tests.pipeline.one_cell import other_values
from tests.pipeline.test_reference_worlds import build_options
from tests.reference import Reference, build_reference
from tests.reference.compare import differences
from tests.worlds import make_world

SEEDS = (3, 18, 1, 60)
NEVER_SET = {"relabelled_from"}
"""Columns without a value in any manifest that `build` writes today."""

COLUMNS = [(spec.name, column.name) for spec in TABLES for column in spec.columns]


@dataclass(frozen=True)
class Built:
    """A built manifest and what the reference says that it should be."""

    manifest: Manifest
    reference: Reference
    maps: dict[str, bytes]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    built = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp(f"world_{seed}")
        options = make_world(seed, folder / "world").options
        quiet = Stages(Console(file=io.StringIO()))
        build_manifest(build_options(options, folder / "m"), quiet)
        reference = build_reference(options)
        assert differences(reference, folder / "m") == []
        maps = {path.name: path.read_bytes() for path in (folder / "m" / "maps").iterdir()}
        built.append(Built(manifest.open(folder / "m"), reference, maps))
    return built


def changes(worlds: list[Built], spec: TableSpec, column: Column) -> Iterator[tuple[Any, ...]]:
    """(world, row, what was done, value): all kinds of change, once with and once without a value.

    Each is made in the first world and the first row that has such a cell.
    """
    wanted = {"value", "null"} if column.nullable else {"value"}
    for world in worlds:
        cells = getattr(world.manifest, spec.name)[column.name].to_pylist()
        for kind in sorted(wanted):
            fits = [row for row, cell in enumerate(cells) if (cell is None) == (kind == "null")]
            if fits:
                wanted.remove(kind)
                row = fits[len(fits) // 2]
                for done, value in other_values(column, cells[row]):
                    yield world, row, f"{done} for {kind}", value
    missing = {"value"} if column.name in NEVER_SET else set()
    # a column that may be null need not be so in these worlds
    assert wanted - {"null"} == missing, f"no world has a {wanted} in {column.name}"


def noticed(built: Built, spec: TableSpec, row: int, column: Column, value: Any, out: Path) -> str:
    """Who tells that the cell was changed: `reference`, `validate`, both or nobody."""
    table = getattr(built.manifest, spec.name)
    cells = table[column.name].to_pylist()
    cells[row] = value
    place = spec.schema.get_field_index(column.name)
    changed = table.set_column(place, column.field, pa.array(cells, column.type))
    tables = {one.name: getattr(built.manifest, one.name) for one in TABLES}
    write_manifest(
        out,
        Tables(**tables | {spec.name: changed}),
        built.manifest.record.replace(rows={}, files={}),
        built.maps,
        extra=lambda place: (place / "report.html").write_text("<html></html>"),
    )
    tellers = []
    if differences(built.reference, out):
        tellers.append("reference")
    findings = [finding for finding in validate(out) if finding.level == "error"]
    assert not {finding.rule for finding in findings} & {"checksum"}
    if findings:
        tellers.append("validate")
    return " and ".join(tellers) or "nobody"


@pytest.mark.parametrize(("table", "name"), COLUMNS, ids=[f"{t}-{c}" for t, c in COLUMNS])
def test_one_changed_cell_is_told(
    worlds: list[Built], tmp_path: Path, table: str, name: str
) -> None:
    spec = next(spec for spec in TABLES if spec.name == table)
    column = next(column for column in spec.columns if column.name == name)
    told = {}
    for number, (world, row, done, value) in enumerate(changes(worlds, spec, column)):
        told[f"{world.manifest.path.parent.name} row {row}: {done}"] = noticed(
            world, spec, row, column, value, tmp_path / str(number)
        )
    assert told
    assert [change for change, teller in told.items() if teller == "nobody"] == []


def test_an_unchanged_manifest_is_not_told(worlds: list[Built], tmp_path: Path) -> None:
    """So that what is told above is the change."""
    spec = TABLES[0]
    for number, world in enumerate(worlds):
        same = world.manifest.images["width"][0].as_py()
        out = tmp_path / str(number)
        assert noticed(world, spec, 0, spec.columns[9], same, out) == "nobody"
