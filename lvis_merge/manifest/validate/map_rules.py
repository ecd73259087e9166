"""Label maps: each mapped row has the category and the relation of its map row."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.validate.columns import Bools, ints, ranks, same, valid
from lvis_merge.manifest.validate.finding import Finding, Level, error
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.manifest.write import MAPS_FOLDER

MapRow = Mapping[str, str]
Meaning = tuple[int | None, str | None]
"""Category and relation that a source's label has; both None where it is unmapped."""


def mapped_rows(loaded: Loaded) -> Iterator[Finding]:
    """Open Images rows follow the map row of their MID, the others a row of their source's map."""
    open_images = loaded.rows_from("open_images") & ~loaded.relabelled
    if open_images.any():
        yield from _open_images(loaded, open_images)
    coco = loaded.rows_from("coco") & ~loaded.relabelled
    if loaded.in_lvis_space and coco.any():
        rows = _map_rows(loaded, "coco_name")
        if rows is None:
            text = "there are COCO rows and no one map of COCO categories"
            yield error("map", MAPS_FOLDER, text)
        else:
            yield from _by_name(loaded, coco, rows, "COCO")
    for name, origin in loaded.record.extras.items():
        mine = loaded.rows_from(name) & ~loaded.relabelled
        if mine.any():
            rows = _rows_of(loaded.maps.get(origin.map, b""), "source_name")
            if rows is None:
                yield error("map", MAPS_FOLDER, f"{origin.map} is no map of {name}")
            else:
                yield from _by_name(loaded, mine, rows, name)


def _open_images(loaded: Loaded, mine: Bools) -> Iterator[Finding]:
    rows = _map_rows(loaded, "mid")
    if rows is None:
        if loaded.in_lvis_space:
            yield error("map", MAPS_FOLDER, "there are Open Images rows and no one map of MIDs")
        return
    labels = loaded.annotations["source_label"].filter(pa.array(mine)).unique().to_pylist()
    if loaded.in_lvis_space:
        of_synset = _category_ids(loaded, "synset")
        meanings = {mid: _meaning(rows.get(mid), of_synset) for mid in labels}
    else:
        of_mid = _category_ids(loaded, "source_label")
        meanings = {
            mid: (of_mid[mid], rows[mid]["relation"])
            if mid in rows and mid in of_mid
            else (None, None)
            for mid in labels
        }
    yield from _compare(loaded, mine, meanings, "error")


def _by_name(
    loaded: Loaded, mine: Bools, rows: Mapping[str, MapRow], source: str
) -> Iterator[Finding]:
    """Rows of a source whose classes have numbers in its map and names in the manifest."""
    of_synset = _category_ids(loaded, "synset")
    meanings = {name: _meaning(row, of_synset) for name, row in rows.items()}
    yield from _one_meaning_each(loaded, mine, {(None, None), *meanings.values()}, source)
    # Rows keep the name, the build joins by id: a name may have drifted in good faith.
    yield from _compare(loaded, mine, meanings, "warning")


def _one_meaning_each(
    loaded: Loaded, mine: Bools, known: set[Meaning], source: str
) -> Iterator[Finding]:
    """A class name means the same on all its rows, and that is what some map row says."""
    annotations = loaded.annotations
    chosen = np.flatnonzero(mine)
    columns = annotations.select(["source_label", "category_id", "map_relation"]).take(chosen)
    codes = np.stack(
        [
            ranks(columns["source_label"]),
            ints(columns["category_id"], -1),
            ranks(columns["map_relation"]),
        ],
        axis=1,
    )
    kinds, first, of_kind, number = np.unique(
        codes, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    # Of a name's meanings the most frequent one is taken for the right one.
    order = np.lexsort([-number, kinds[:, 0]])
    usual = order[np.concatenate([[True], np.diff(kinds[order, 0]) != 0])]
    unusual = ~np.isin(np.arange(len(kinds)), usual)
    examples = columns.take(first).to_pylist()
    unmapped = [(row["category_id"], row["map_relation"]) not in known for row in examples]
    wrong = np.zeros(len(mine), bool)
    wrong[chosen] = (unusual | np.array(unmapped))[of_kind.ravel()]
    yield from loaded.broken(
        "map",
        "annotations",
        wrong,
        lambda row: (
            f"category_id and map_relation of {source} {annotations['source_label'][row]} are not"
            f" those of its other rows, or of no row of the map of {source}"
        ),
    )


def _compare(
    loaded: Loaded, mine: Bools, meanings: Mapping[str, Meaning], level: Level
) -> Iterator[Finding]:
    annotations = loaded.annotations
    label = annotations["source_label"]
    place = pc.index_in(label, pa.array(list(meanings), pa.string())).combine_chunks()
    category = pa.array([category for category, _ in meanings.values()], pa.int32()).take(place)
    relation = pa.array([relation for _, relation in meanings.values()], pa.string()).take(place)
    right = same(annotations["category_id"], pa.chunked_array([category]))
    right &= same(annotations["map_relation"], pa.chunked_array([relation]))
    yield from loaded.broken(
        "map",
        "annotations",
        mine & valid(place) & ~right,
        lambda row: (
            f"category_id {annotations['category_id'][row]} and map_relation"
            f" {annotations['map_relation'][row]} are not what the map says of {label[row]}"
        ),
        level,
    )


def _meaning(row: MapRow | None, of_synset: Mapping[str, int]) -> Meaning:
    category = None if row is None else of_synset.get(row["lvis_synset"])
    return (None, None) if row is None or category is None else (category, row["relation"])


def _category_ids(loaded: Loaded, column: str) -> dict[str, int]:
    categories = loaded.categories
    return dict(
        zip(categories[column].to_pylist(), categories["category_id"].to_pylist(), strict=True)
    )


def _map_rows(loaded: Loaded, key: str) -> dict[str, MapRow] | None:
    """Rows of the one map that has a column `key`, by it; a key given twice is left out."""
    found = [_rows_of(content, key) for content in loaded.maps.values()]
    fitting = [rows for rows in found if rows is not None]
    return fitting[0] if len(fitting) == 1 else None


def _rows_of(content: bytes, key: str) -> dict[str, MapRow] | None:
    """Rows of a map by a column that it may lack; a key given twice is left out."""
    text = content.decode("utf-8-sig", "replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    with suppress(csv.Error):  # a map that is none explains nothing
        if {key, "lvis_synset", "relation"} <= set(reader.fieldnames or ()):
            rows = list(reader)
            times = Counter(row[key] for row in rows)
            return {row[key]: row for row in rows if times[row[key]] == 1}
    return None
