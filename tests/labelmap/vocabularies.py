"""Small vocabularies that the tests of this folder share."""

import json
from pathlib import Path

import pyarrow as pa

from lvis_merge import resources
from lvis_merge.sources.tables import CATEGORY_ROWS

REFERENCE = Path(resources.__file__).parents[2] / "shared" / "reference"

OPEN_IMAGES_HEADER = "mid,open_images_name,lvis_synset,lvis_name,relation,note"
COCO_HEADER = "coco_id,coco_name,lvis_synset,lvis_name,relation,note"

LVIS = [
    # (synset, name, synonyms, definition)
    ("bat.n.01", "bat_(animal)", [], "nocturnal mouselike mammal"),
    ("bull.n.11", "bull", ["bull"], "mature male cow"),
    ("chopstick.n.01", "chopstick", [], "one of a pair of slender sticks"),
    ("frisbee.n.01", "frisbee", [], "a light plastic disk"),
    ("mouse.n.01", "mouse_(animal_rodent)", [], "a small rodent"),
    ("mouse.n.04", "mouse_(computer_equipment)", ["computer_mouse"], "a pointing device"),
    ("shelf.n.01", "shelf", [], "a support for objects"),
    ("sunhat.n.01", "sunhat", [], "a hat that shades the face"),
    ("tank.n.01", "army_tank", ["armored_combat_vehicle"], "an armored vehicle"),
    ("tank.n.02", "tank_(storage_vessel)", ["storage_tank"], "a vessel for liquids"),
]


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def lvis_json(path: Path, rows: list[tuple] = LVIS) -> Path:
    categories = [
        {"id": number, "synset": synset, "name": name, "synonyms": synonyms, "def": text}
        for number, (synset, name, synonyms, text) in enumerate(rows, 1)
    ]
    path.write_text(json.dumps({"images": [], "categories": categories}), encoding="utf-8")
    return path


def category_rows(*rows: tuple[int, str, str | None]) -> pa.Table:
    """`CATEGORY_ROWS` of (id, name, synset)."""
    return pa.Table.from_pylist(
        [{"category_id": number, "name": name, "synset": synset} for number, name, synset in rows],
        schema=CATEGORY_ROWS,
    )
