"""Category names that worlds draw from, and the vocabulary drawn for one world."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED_LISTS = ROOT.parent / "shared" / "reference"
DEFAULT_MAPPING = ROOT / "mappings" / "open_images_v5_110.csv"
DEFAULT_COCO_MAPPING = ROOT / "mappings" / "coco_2017.csv"

# coco_id, COCO name, synset, LVIS name
COCO = (
    (1, "person", "person.n.01", "person"),
    (3, "car", "car.n.01", "car_(automobile)"),
    (15, "bench", "bench.n.01", "bench"),
    (44, "bottle", "bottle.n.01", "bottle"),
    (47, "cup", "cup.n.01", "cup"),
    (52, "banana", "banana.n.02", "banana"),
    (58, "hot dog", "frank.n.02", ""),
    (62, "chair", "chair.n.01", "chair"),
    (79, "oven", "oven.n.01", "oven"),
    (88, "teddy bear", "teddy.n.01", "teddy_bear"),
    (90, "toothbrush", "toothbrush.n.01", "toothbrush"),
)
# MID, Open Images name, synset, LVIS name, frequency
OPEN_IMAGES = (
    ("/m/01h8tj", "Starfish", "starfish.n.01", "starfish", "r"),
    ("/m/071qp", "Squirrel", "squirrel.n.01", "squirrel", "r"),
    ("/m/0gj37", "Ladybug", "ladybug.n.01", "ladybug", "r"),
    ("/m/0f6wt", "Falcon", "falcon.n.01", "falcon", "r"),
    ("/m/06ncr", "Saxophone", "sax.n.02", "saxophone", "r"),
    ("/m/0lt4_", "Binoculars", "binoculars.n.01", "binoculars", "c"),
    ("/m/096mb", "Lion", "lion.n.01", "lion", "c"),
    ("/m/09ld4", "Frog", "frog.n.01", "frog", "c"),
)
INVENTED = (
    "alembic", "bobbin", "cruet", "dibber", "epaulet", "ferrule", "gusset", "hassock",
    "inkhorn", "jorum", "kibble", "lunette", "mazer", "nock", "ottoman", "pommel",
)  # fmt: skip
RELATIONS = ("exact", "synonym", "plural", "spelling", "curated")


@dataclass(frozen=True)
class Vocabulary:
    """Categories of all sources of one world.

    Attributes:
        lvis: the category objects of the LVIS files, in file order.
        active: ids of the LVIS categories that objects are drawn from.
        version: v0.5, v1 or custom, as the list is.
        coco: (id, name) of the COCO categories.
        coco_rows: rows of the COCO map.
        classes: (MID, display name) of the Open Images class list.
        map_rows: rows of the Open Images map.
    """

    lvis: list[dict[str, Any]]
    active: list[int]
    version: str
    coco: list[tuple[int, str]]
    coco_rows: list[tuple[Any, ...]]
    classes: list[tuple[str, str]]
    map_rows: list[tuple[str, ...]]

    @property
    def lvis_of_coco(self) -> dict[int, int]:
        """COCO id -> LVIS id by the map of this world."""
        by_synset = {category["synset"]: category["id"] for category in self.lvis}
        return {row[0]: by_synset[row[2]] for row in self.coco_rows if row[2] in by_synset}


def draw_vocabulary(rng: Random, real_mids: bool) -> Vocabulary:
    """Draws all categories; `real_mids` where the default Open Images map is to be used."""
    version = rng.choices(("custom", "v0.5", "v1"), (80, 10, 10))[0]
    path = PUBLISHED_LISTS / f"lvis_{version}_categories.json"
    if not path.exists():
        version = "custom"
    coco = rng.sample(COCO, rng.randint(3, 8))
    mids = rng.sample(OPEN_IMAGES, rng.randint(4, 8) if real_mids else rng.randint(1, 3))
    if version == "custom":
        lvis = custom_categories(rng, coco, mids)
        active = [category["id"] for category in lvis]
    else:
        lvis = json.loads(path.read_text(encoding="utf-8"))
        by_synset = {category["synset"]: category["id"] for category in lvis}
        wanted = [entry[2] for entry in (*coco, *mids)]
        active = [by_synset[synset] for synset in wanted if synset in by_synset]
        active += [lvis[rng.randrange(len(lvis))]["id"] for _ in range(3)]
    rng.shuffle(lvis)
    active_synsets = [c["synset"] for c in lvis if c["id"] in set(active)]
    classes, map_rows = open_images_vocabulary(rng, mids, active_synsets, lvis)
    return Vocabulary(
        lvis, active, version,
        [(number, name) for number, name, _, _ in coco],
        coco_map_rows(rng, coco), classes, map_rows,
    )  # fmt: skip


def custom_categories(
    rng: Random, coco: list[tuple[Any, ...]], mids: list[tuple[Any, ...]]
) -> list[dict[str, Any]]:
    """5 to 15 LVIS categories: some of COCO's, some of Open Images', some invented."""
    entries = [(name, synset) for _, _, synset, name in coco if name and rng.random() < 0.7]
    entries += [(name, synset) for _, _, synset, name, _ in mids if rng.random() < 0.8]
    entries = entries[:10]
    for word in rng.sample(INVENTED, max(5 - len(entries), rng.randint(2, 5))):
        entries.append((word, f"{word}.n.0{rng.randint(1, 3)}"))
    numbers = rng.sample(range(1, 1300), len(entries))
    sparse = rng.random() < 0.3
    categories = []
    for number, (name, synset) in zip(numbers, entries, strict=True):
        category: dict[str, Any] = {
            "id": number, "name": name, "synset": synset, "frequency": rng.choice("rcf"),
            "synonyms": [name, f"{name} thing"][: rng.randint(1, 2)],
            "def": f'what a "{name}" is, more or less', "image_count": rng.randint(1, 500),
            "instance_count": rng.randint(500, 900),
        }  # fmt: skip
        if sparse:
            for optional in ("synonyms", "def", "image_count", "instance_count"):
                if rng.random() < 0.5:
                    del category[optional]
        categories.append(category)
    return categories


def coco_map_rows(rng: Random, coco: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """coco_id, coco_name, lvis_synset, lvis_name, relation, note; some have no LVIS category."""
    rows: list[tuple[Any, ...]] = []
    for number, coco_name, synset, name in coco:
        kind = rng.random()
        if kind < 0.12:
            rows.append((number, coco_name, "", "", "", "LVIS has none"))
        elif kind < 0.2:
            rows.append((number, coco_name, "no_such.n.01", "no_such", "exact", ""))
        elif kind < 0.95:
            rows.append((number, coco_name, synset, name, rng.choice(RELATIONS), "a, b"))
    rows.append((200, "not in this file", "person.n.01", "person", "exact", ""))
    return rows


def open_images_vocabulary(
    rng: Random,
    real: list[tuple[Any, ...]],
    synsets: list[str],
    lvis: list[dict[str, Any]],
) -> tuple[list[tuple[str, str]], list[tuple[str, ...]]]:
    """The class list of 6 to 14 MIDs and a map of some of them."""
    names = {category["synset"]: category["name"] for category in lvis}
    classes = [(mid, name) for mid, name, _, _, _ in real]
    invented = rng.randint(5, 9) if len(real) < 4 else rng.randint(2, 6)
    letters = rng.sample("abcdefghjkmnpqrstuvwxyz", invented)
    classes += [(f"/m/0aa{letter}{rng.randint(1, 9)}", f"Kind {letter}") for letter in letters]
    rows: list[tuple[str, ...]] = []
    for mid, name, synset, lvis_name, _ in real:
        if rng.random() < 0.8:
            rows.append((mid, name, synset, lvis_name, rng.choice(RELATIONS), ""))
    few = rng.sample(synsets, min(len(synsets), rng.randint(2, 6)))
    for mid, name in classes[len(real) :]:
        kind = rng.random()
        if kind < 0.72:
            synset = rng.choice(few)  # several MIDs may fall on one synset
            rows.append((mid, name, synset, names[synset], rng.choice(RELATIONS), 'see "notes"'))
        elif kind < 0.85:
            rows.append((mid, name, "no_such.n.02", "no_such", "exact", ""))
    rows.append(("/m/0zzz9", "Not a class", rng.choice(synsets), "x", "curated", ""))
    rng.shuffle(classes)
    rng.shuffle(rows)
    return classes, rows
