"""Row by row comparison of a built manifest with the reference.

How to test a build with it, one case per seed:

    @pytest.mark.parametrize("seed", range(200))
    def test_build_equals_the_reference(seed: int, tmp_path: Path) -> None:
        world = make_world(seed, tmp_path / "world")          # tests.worlds
        out = tmp_path / "manifest"
        run_build([*world.options.arguments(), "--out", str(out)])
        reference = build_reference(world.options)            # tests.reference
        assert differences(reference, out) == []

`world.options` names every option that a world draws; `arguments()` spells them for the command
line. No world ends in exit 3 or 4: bad rows stay below `--max-rejects`, sizes are complete. A
failing seed is looked at with `make_world(seed, folder)` and the files in that folder.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.reference.result import COLUMNS, Reference

MOST = 50
KEYS = {
    "images": ("image_id",),
    "annotations": ("image_id", "source", "source_annotation_id"),
    "categories": ("category_id",),
    "rejects": ("source", "file", "kind", "row"),
}
# where rows are missing these differ on every later row, which says nothing more
SHIFTED = ("annotation_id", "matched_annotation_id")


def differences(reference: Reference, manifest_dir: Path) -> list[str]:
    """What a built manifest has otherwise than the reference; empty where nothing.

    Compared are the names and the order of columns, the order of rows, every value of the four
    tables exactly (1 is not 1.0, null is not an empty list), and `counts` of `manifest.json`.

    Args:
        reference: from `build_reference`.
        manifest_dir: the folder that `build` wrote.

    Returns:
        At most 50 lines: table, row key, column, expected, got.
    """
    found: list[str] = []
    for name, columns in COLUMNS.items():
        table = pq.read_table(manifest_dir / f"{name}.parquet")
        if tuple(table.column_names) != columns:
            found.append(f"{name}: columns: expected {columns}, got {tuple(table.column_names)}")
        found += row_differences(name, getattr(reference, name), table.to_pylist())
    manifest = json.loads((manifest_dir / "manifest.json").read_text(encoding="utf-8"))
    found += count_differences(reference.counts, manifest["counts"])
    if len(found) > MOST:
        found[MOST - 1 :] = [f"and {len(found) - MOST + 1} more"]
    return found


def keyed(name: str, rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by key; the last part of a key tells repeated ones apart."""
    seen: Counter[tuple[Any, ...]] = Counter()
    result = {}
    for row in rows:
        key = tuple(row.get(column) for column in KEYS[name])
        result[*key, seen[key]] = row
        seen[key] += 1
    return result


def row_differences(
    name: str, expected_rows: list[dict[str, Any]], got_rows: list[dict[str, Any]]
) -> list[str]:
    expected, got = keyed(name, expected_rows), keyed(name, got_rows)
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    found = [f"{name}: row {key}: expected {expected[key]}, got no such row" for key in missing]
    found += [f"{name}: row {key}: expected no such row, got {got[key]}" for key in extra]
    if not missing and not extra:
        for place, (wanted, seen) in enumerate(zip(expected, got, strict=True)):
            if wanted != seen:
                found.append(f"{name}: order at row {place}: expected {wanted}, got {seen}")
                break
    skipped = SHIFTED if missing or extra else ()
    for key in expected.keys() & got.keys():
        for column in COLUMNS[name]:
            wanted, seen = expected[key][column], got[key].get(column, "no such column")
            if column not in skipped and not same(wanted, seen):
                found.append(f"{name}: row {key}: {column}: expected {wanted!r}, got {seen!r}")
    return sorted(found)


def same(expected: Any, got: Any) -> bool:
    """Equal, and of one type all the way down."""
    if type(expected) is not type(got):
        return False
    if isinstance(expected, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return bool(expected == got)


def count_differences(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    found = []
    for source in sorted(expected.keys() | got.keys()):
        wanted, seen = expected.get(source, {}), got.get(source, {})
        for kind in sorted(wanted.keys() | seen.keys()):
            if wanted.get(kind) != seen.get(kind):
                found.append(
                    f"counts: {source} {kind}: expected {wanted.get(kind)}, got {seen.get(kind)}"
                )
    return found
