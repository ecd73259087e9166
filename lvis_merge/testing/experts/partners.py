"""Which LVIS category each class of an expert is, by a label map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.labelmap.resolve import resolve_coco, resolve_extra, resolve_open_images
from lvis_merge.labelmap.rows import COCO, OPEN_IMAGES, LabelMap
from lvis_merge.manifest.read import Manifest
from lvis_merge.sources.tables import CATEGORY_ROWS

Why = Literal["no_partner", "not_in_map", "not_in_lvis"]
REASONS: dict[Why, str] = {
    "no_partner": "the map gives no LVIS category",
    "not_in_map": "the map has no such class",
    "not_in_lvis": "this LVIS has no category of that synset",
}

_STYLES = {"coco": COCO, "open_images": OPEN_IMAGES}


@dataclass(frozen=True)
class ExpertClass:
    """One class of an expert.

    Attributes:
        class_id: as in its results.
        name: for people.
        category_id: the LVIS category it is, or None.
        why: why it is none.
    """

    class_id: int
    name: str
    category_id: int | None
    why: Why | None = None


def partners(
    label_map: LabelMap, lvis_categories: pa.Table, manifest: Manifest | None
) -> tuple[ExpertClass, ...]:
    """Finds the LVIS category of each class.

    Args:
        label_map: from the expert's classes to LVIS synsets.
        lvis_categories: with `category_id` and `synset`: the LVIS version wanted.
        manifest: what the expert was trained on, in label space coco or open_images: its ids are
            those of the results, its `source_label` is looked up in the map. None for COCO ids.

    Returns:
        The classes, by id.

    Raises:
        InputError: map and manifest do not go together, or two LVIS categories share a synset.
    """
    if manifest is None:
        classes = _classes_of_map(label_map)
    else:
        classes = _classes_of_manifest(label_map, manifest)
    rows = {row.source_id: row for row in label_map.rows}
    resolved = _resolved(label_map, lvis_categories)
    found = []
    for class_id, (key, name) in sorted(classes.items()):
        category_id = resolved.get(key) if key is not None else None
        why: Why | None = None
        if key is None or key not in rows:
            why = "not_in_map"
        elif rows[key].synset is None:
            why = "no_partner"
        elif category_id is None:
            why = "not_in_lvis"
        found.append(ExpertClass(class_id, name, category_id, why))
    return tuple(found)


_Classes = Mapping[int, tuple[str | None, str]]
"""By id: the class's id in the map, if it has one, and its name."""


def _classes_of_map(label_map: LabelMap) -> _Classes:
    if not label_map.style.numeric_ids:
        raise InputError(
            f"{label_map.name}: is a label map for {label_map.style.name}, whose classes have no"
            " numbers of their own. Give the --manifest that the expert was trained on too."
        )
    return {int(row.source_id): (row.source_id, row.source_name) for row in label_map.rows}


def _classes_of_manifest(label_map: LabelMap, manifest: Manifest) -> _Classes:
    space = manifest.record.label_space
    if space not in _STYLES:
        raise InputError(
            f"{manifest.path}: is a manifest in label space {space}; results under its ids are"
            " LVIS's already. Give the one that the expert was trained on."
        )
    if label_map.style is not _STYLES[space]:
        raise InputError(
            f"{label_map.name}: is a label map for {label_map.style.name}, and {manifest.path} is"
            f" in label space {space}. Give the map of the same classes."
        )
    rows = manifest.arrow("categories", ["category_id", "source_label", "name"]).to_pylist()
    if space == "open_images":
        keys = {row.source_id: row.source_id for row in label_map.rows}
    else:
        keys = {row.source_name: row.source_id for row in label_map.rows}
    return {row["category_id"]: (keys.get(row["source_label"]), row["name"]) for row in rows}


def _resolved(label_map: LabelMap, lvis_categories: pa.Table) -> dict[str, int]:
    """LVIS category ids by the map's class ids."""
    if label_map.style is OPEN_IMAGES:
        mids = [row.source_id for row in label_map.rows]
        table = resolve_open_images(label_map, lvis_categories, mids).table
    else:
        plain = [
            {"category_id": int(row.source_id), "name": row.source_name} for row in label_map.rows
        ]
        own = pa.Table.from_pylist(plain, schema=CATEGORY_ROWS)
        resolve = resolve_coco if label_map.style is COCO else resolve_extra
        table = resolve(label_map, lvis_categories, own).table
    keys = map(str, table[label_map.style.id_column].to_pylist())
    return dict(zip(keys, table["category_id"].to_pylist(), strict=True))
