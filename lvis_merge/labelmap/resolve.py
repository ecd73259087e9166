"""From a map's synsets to the category ids of one LVIS version.

Rows that the version (or the class list) does not know are returned as unresolved, and are
otherwise as if absent; the caller reports them, or stops under `--strict`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.labelmap.rows import LabelMap, MapRow

OPEN_IMAGES_RESOLVED = pa.schema(
    [
        ("mid", pa.string()),
        ("category_id", pa.int32()),
        ("relation", pa.string()),
        ("synset", pa.string()),
    ]
)
"""One row per usable row of an Open Images map, by `mid` (byte order)."""

COCO_RESOLVED = pa.schema(
    [
        ("coco_id", pa.int32()),
        ("category_id", pa.int32()),
        ("relation", pa.string()),
        ("synset", pa.string()),
    ]
)
"""One row per usable row of a COCO map, by `coco_id`; `category_id` is LVIS's."""


EXTRA_RESOLVED = pa.schema([("source_id", pa.int32()), *list(COCO_RESOLVED)[1:]])
"""One row per usable row of an extra source's map, by `source_id`; `category_id` is LVIS's."""


@dataclass(frozen=True)
class Unresolved:
    """A map row that cannot be used with these categories.

    Attributes:
        row: 1-based place in the map.
        source_id: its class id in the source.
        source_name: its class name in the source.
        synset: the LVIS synset it asks for.
        why: what is unknown, for the report.
    """

    row: int
    source_id: str
    source_name: str
    synset: str
    why: str


@dataclass(frozen=True)
class Renamed:
    """A class whose name in the source's file differs from the one in the map.

    Attributes:
        row: 1-based place in the map.
        source_id: the class id both have.
        map_name: its name in the map.
        file_name: its name in the source's file.
    """

    row: int
    source_id: str
    map_name: str
    file_name: str


@dataclass(frozen=True)
class Resolution:
    """A map resolved against one LVIS version and one source vocabulary.

    Attributes:
        table: `OPEN_IMAGES_RESOLVED`, `COCO_RESOLVED` or `EXTRA_RESOLVED`.
        unresolved: rows with a synset or class that the files do not know, in map order.
        renamed: classes under numbers whose names differ between map and file; they are used (the
            id decides), but a file with other classes under these ids shows itself here.
    """

    table: pa.Table
    unresolved: tuple[Unresolved, ...] = ()
    renamed: tuple[Renamed, ...] = ()


def resolve_open_images(
    label_map: LabelMap, lvis_categories: pa.Table, class_list: Collection[str]
) -> Resolution:
    """Resolves an Open Images map for the LVIS label space.

    Args:
        label_map: a map with MIDs.
        lvis_categories: `CATEGORY_ROWS` of the LVIS file.
        class_list: the MIDs of the Open Images class list.

    Returns:
        A table of `OPEN_IMAGES_RESOLVED`; `category_id` is LVIS's.

    Raises:
        InputError: not an Open Images map, or two LVIS categories share a mapped synset.
    """
    _expect(label_map, OPEN_IMAGES_RESOLVED)
    mids = set(class_list)
    ids = _ids_by_synset(label_map, lvis_categories)
    good, unresolved = _split(label_map, mids, "the class list has no such class", ids)
    table = _table(
        OPEN_IMAGES_RESOLVED,
        sorted((row.source_id, ids[synset], row.relation, synset) for row, synset in good),
    )
    return Resolution(table, unresolved)


def resolve_own_labels(label_map: LabelMap, class_list: Collection[str]) -> Resolution:
    """Resolves an Open Images map for the Open Images label space.

    Args:
        label_map: a map with MIDs; its synsets are not looked up.
        class_list: the MIDs of the Open Images class list.

    Returns:
        A table of `OPEN_IMAGES_RESOLVED` with the category ids 1..C in the byte order of MIDs.

    Raises:
        InputError: not an Open Images map.
    """
    _expect(label_map, OPEN_IMAGES_RESOLVED)
    mids = set(class_list)
    good, unresolved = _split(label_map, mids, "the class list has no such class", None)
    # UTF-8 keeps the order of code points, so sorting text sorts bytes
    ordered = sorted((row.source_id, row.relation, synset) for row, synset in good)
    table = _table(
        OPEN_IMAGES_RESOLVED,
        [
            (mid, number, relation, synset)
            for number, (mid, relation, synset) in enumerate(ordered, 1)
        ],
    )
    return Resolution(table, unresolved)


def resolve_coco(
    label_map: LabelMap, lvis_categories: pa.Table, coco_categories: pa.Table
) -> Resolution:
    """Resolves a COCO map for the LVIS label space; classes are joined by COCO id.

    Args:
        label_map: a map with COCO ids.
        lvis_categories: `CATEGORY_ROWS` of the LVIS file.
        coco_categories: `CATEGORY_ROWS` of the COCO file.

    Returns:
        A table of `COCO_RESOLVED`. Rows without a synset are neither in it nor unresolved.

    Raises:
        InputError: not a COCO map, or two LVIS categories share a mapped synset.
    """
    return _resolve_numbers(label_map, lvis_categories, coco_categories, COCO_RESOLVED)


def resolve_extra(
    label_map: LabelMap, lvis_categories: pa.Table, own_categories: pa.Table
) -> Resolution:
    """Resolves the map of an extra source; as `resolve_coco`, with a table of `EXTRA_RESOLVED`.

    Args:
        label_map: a map with the source's ids.
        lvis_categories: `CATEGORY_ROWS` of the LVIS file.
        own_categories: `CATEGORY_ROWS` of the source's file.

    Raises:
        InputError: another kind of map, or two LVIS categories share a mapped synset.
    """
    return _resolve_numbers(label_map, lvis_categories, own_categories, EXTRA_RESOLVED)


def _resolve_numbers(
    label_map: LabelMap, lvis_categories: pa.Table, own_categories: pa.Table, schema: pa.Schema
) -> Resolution:
    _expect(label_map, schema)
    names = dict(
        zip(
            map(str, own_categories["category_id"].to_pylist()),
            own_categories["name"].to_pylist(),
            strict=True,
        )
    )
    ids = _ids_by_synset(label_map, lvis_categories)
    no_class = "the COCO file has no such category"
    if schema is not COCO_RESOLVED:
        no_class = "its file has no such category"
    good, unresolved = _split(label_map, names.keys(), no_class, ids)
    table = _table(
        schema,
        sorted((int(row.source_id), ids[synset], row.relation, synset) for row, synset in good),
    )
    renamed = tuple(
        Renamed(row.row, row.source_id, row.source_name, names[row.source_id])
        for row in label_map.rows
        if names.get(row.source_id, row.source_name) != row.source_name
    )
    return Resolution(table, unresolved, renamed)


def _expect(label_map: LabelMap, schema: pa.Schema) -> None:
    needed = schema.names[0]
    if label_map.style.id_column != needed:
        raise InputError(
            f"{label_map.name}: is a label map for {label_map.style.name} (column"
            f" {label_map.style.id_column}); here one with the column {needed} is needed."
        )


def _ids_by_synset(label_map: LabelMap, categories: pa.Table) -> dict[str, int]:
    mapped = {row.synset for row in label_map.rows if row.synset}
    ids: dict[str, int] = {}
    for synset, category_id in zip(
        categories["synset"].to_pylist(), categories["category_id"].to_pylist(), strict=True
    ):
        if synset not in mapped:
            continue
        if synset in ids:
            raise InputError(
                f"{label_map.name}: the synset {synset} is shared by the LVIS categories"
                f" {ids[synset]} and {category_id}, so its rows cannot be resolved."
                " Give each category its own synset or take the row out of the map."
            )
        ids[synset] = category_id
    return ids


def _split(
    label_map: LabelMap, classes: Collection[str], no_class: str, ids: dict[str, int] | None
) -> tuple[list[tuple[MapRow, str]], tuple[Unresolved, ...]]:
    """Usable rows with their synset, and the others with the reason."""
    good: list[tuple[MapRow, str]] = []
    unresolved: list[Unresolved] = []
    for row in label_map.rows:
        if row.synset is None:
            continue
        if row.source_id not in classes:
            why = no_class
        elif ids is not None and row.synset not in ids:
            why = "the LVIS file has no category with this synset"
        else:
            good.append((row, row.synset))
            continue
        unresolved.append(Unresolved(row.row, row.source_id, row.source_name, row.synset, why))
    return good, tuple(unresolved)


def _table(schema: pa.Schema, rows: Iterable[tuple[object, ...]]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
    )
