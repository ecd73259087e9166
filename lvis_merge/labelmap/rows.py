"""The parts of a label map: its column styles, its rows, and the map with its bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MapStyle:
    """The columns of one kind of label map.

    Attributes:
        name: what the kind is called in messages.
        id_column: the source's class id; each id once in a map.
        name_column: the source's class name.
        numeric_ids: ids are whole numbers (COCO format) rather than text (Open Images MIDs).
        may_lack_synset: a row may leave `lvis_synset` and `relation` empty, which says that LVIS
            has no such category.
    """

    name: str
    id_column: str
    name_column: str
    numeric_ids: bool = False
    may_lack_synset: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The needed columns, in the order in which a map is written."""
        return (
            self.id_column,
            self.name_column,
            "lvis_synset",
            "lvis_name",
            "relation",
            "note",
        )


OPEN_IMAGES = MapStyle("Open Images", "mid", "open_images_name")
COCO = MapStyle("COCO", "coco_id", "coco_name", numeric_ids=True, may_lack_synset=True)
EXTRA = MapStyle(
    "an extra source", "source_id", "source_name", numeric_ids=True, may_lack_synset=True
)
STYLES = (OPEN_IMAGES, COCO, EXTRA)


@dataclass(frozen=True)
class MapRow:
    """One row of a label map.

    Attributes:
        row: 1-based place in the file, the header and blank lines not counted.
        source_id: the source's class id as text (a MID, or a COCO id in decimal, no leading zeros).
        source_name: the source's class name.
        synset: the LVIS synset, or None where LVIS has no such category.
        lvis_name: the LVIS name, for people; rows resolve by synset.
        relation: one of `RELATIONS`, or None without a synset.
        note: free text.
    """

    row: int
    source_id: str
    source_name: str
    synset: str | None
    lvis_name: str
    relation: str | None
    note: str


@dataclass(frozen=True)
class LabelMap:
    """A label map as read.

    Attributes:
        name: base name of the file.
        style: which columns it has.
        rows: its rows, in file order.
        data: the file, byte for byte, for the manifest's `maps/`.
        sha256: hex digest of `data`.
    """

    name: str
    style: MapStyle
    rows: tuple[MapRow, ...]
    data: bytes
    sha256: str
