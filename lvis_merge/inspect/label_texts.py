"""What the App says of a box: its category, its published label, the map row that joined them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lvis_merge.labelmap.known import read_known
from lvis_merge.labelmap.read import parse_map
from lvis_merge.labelmap.rows import COCO
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.write import MAPS_FOLDER

GROUPS = {"r": "rare", "c": "common", "f": "frequent"}


@dataclass(frozen=True)
class LabelTexts:
    """Texts by id.

    Attributes:
        names: category id -> name.
        groups: category id -> rare, common or frequent; None in label spaces without groups.
        class_names: MID -> name, as far as the manifest's and the packaged maps know it.
        map_rows: source and published label (MID or class name) -> map file and row.
    """

    names: Mapping[int, str]
    groups: Mapping[int, str | None]
    class_names: Mapping[str, str]
    map_rows: Mapping[tuple[str, str], str]

    def published(self, label: str) -> str:
        """A MID with its name where it is known; other labels are names themselves."""
        return f"{self.class_names[label]} ({label})" if label in self.class_names else label

    def map_row(self, source: str, label: str, relation: str | None) -> str | None:
        """File, row and relation of the map row that gave the category; None where none did."""
        if relation is None:
            return None
        return f"{self.map_rows.get((source, label), 'map')}: {relation}"


def label_texts(manifest: Manifest) -> LabelTexts:
    """Reads the texts of a manifest.

    Raises:
        InputError: a table is missing or damaged.
    """
    categories = manifest.arrow("categories", ["category_id", "name", "frequency", "source_label"])
    rows = categories.to_pylist()
    class_names = dict(read_known().class_names.get("mid", {}))
    map_rows: dict[tuple[str, str], str] = {}
    for name in sorted(manifest.record.maps):
        path = manifest.path / MAPS_FOLDER / name
        style, found, _ = parse_map(path.read_bytes(), str(path))
        sources = [one for one, origin in manifest.record.extras.items() if origin.map == name]
        sources = sources or ["coco" if style is COCO else "open_images"]
        for row in found:
            label = row.source_name if style.numeric_ids else row.source_id
            if not style.numeric_ids:
                class_names[label] = row.source_name
            map_rows |= {(source, label): f"{name} row {row.row}" for source in sources}
    if manifest.record.label_space == "open_images":
        class_names |= {row["source_label"]: row["name"] for row in rows}
    return LabelTexts(
        {row["category_id"]: row["name"] for row in rows},
        {row["category_id"]: GROUPS.get(row["frequency"] or "") for row in rows},
        class_names,
        map_rows,
    )
