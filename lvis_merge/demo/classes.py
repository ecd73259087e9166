"""The classes of the demo worlds: names in every source's vocabulary, and how they look."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class DemoClass:
    """One class of objects, as `data/classes.csv` states it.

    Attributes:
        name: LVIS name, or COCO's or Open Images' for a class that the demo's LVIS list lacks.
        lvis_id: category id in the demo's own LVIS list (1..C by name); None: not in it.
        synset: WordNet synset as LVIS gives it; empty without `lvis_id`.
        synonyms: as LVIS gives them.
        definition: as LVIS gives it.
        mid: Open Images machine id; empty: Open Images has no such class.
        open_images_name: its display name.
        coco_id: COCO category id; None: COCO has no such class.
        coco_name: its COCO name.
        coco_supercategory: its COCO supercategory.
        train_images: LVIS train images that annotate it in the full-size world.
        glyph: name of its drawing.
        texture: name of its surface pattern.
        colours: three colours, `#rrggbb`.
        spin: drawn at any angle rather than upright.
    """

    name: str
    lvis_id: int | None
    synset: str
    synonyms: tuple[str, ...]
    definition: str
    mid: str
    open_images_name: str
    coco_id: int | None
    coco_name: str
    coco_supercategory: str
    train_images: int
    glyph: str
    texture: str
    colours: tuple[str, str, str]
    spin: bool


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("lvis_merge.demo").joinpath(f"data/{name}").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def load_classes() -> Mapping[str, DemoClass]:
    """All classes by name, in the order of the file."""
    return {
        row["name"]: DemoClass(
            name=row["name"],
            lvis_id=int(row["lvis_id"]) if row["lvis_id"] else None,
            synset=row["synset"],
            synonyms=tuple(row["synonyms"].split("|")) if row["synonyms"] else (),
            definition=row["definition"],
            mid=row["mid"],
            open_images_name=row["open_images_name"],
            coco_id=int(row["coco_id"]) if row["coco_id"] else None,
            coco_name=row["coco_name"],
            coco_supercategory=row["coco_supercategory"],
            train_images=int(row["train_images"]),
            glyph=row["glyph"],
            texture=row["texture"],
            colours=(row["colour"], row["colour_b"], row["colour_c"]),
            spin=row["spin"] == "1",
        )
        for row in _rows("classes.csv")
    }


@dataclass(frozen=True)
class Hierarchy:
    """A part of the Open Images class hierarchy.

    Attributes:
        root: MID of the top node, which is no boxable class.
        names: display name by MID, root left out.
        subcategory: edges (parent, child), MIDs, in the order of the file.
        part: edges of the other relation, which says nothing about what a thing is.
    """

    root: str
    names: Mapping[str, str]
    subcategory: tuple[tuple[str, str], ...]
    part: tuple[tuple[str, str], ...]

    def descendants(self, mid: str) -> frozenset[str]:
        """The MID itself and every class below it, along `Subcategory` edges only."""
        found = {mid}
        waiting = [mid]
        while waiting:
            here = waiting.pop()
            below = {child for parent, child in self.subcategory if parent == here} - found
            found |= below
            waiting.extend(below)
        return frozenset(found)

    def inner(self) -> tuple[str, ...]:
        """MIDs that have a subcategory, root left out, in the order of the file."""
        parents = dict.fromkeys(parent for parent, _ in self.subcategory if parent != self.root)
        return tuple(parents)


@cache
def load_hierarchy() -> Hierarchy:
    """The hierarchy over the demo's Open Images classes, with their true ancestors."""
    mids = {row["name"]: row["mid"] for row in _rows("open_images_parents.csv")}
    root = mids.pop("Entity")
    mids |= {cls.open_images_name: cls.mid for cls in load_classes().values() if cls.mid}
    edges: dict[str, list[tuple[str, str]]] = {"Subcategory": [], "Part": []}
    lookup = mids | {"Entity": root}
    for row in _rows("hierarchy.csv"):
        edges[row["relation"]].append((lookup[row["parent"]], lookup[row["child"]]))
    names = dict(sorted((mid, name) for name, mid in mids.items()))
    return Hierarchy(root, names, tuple(edges["Subcategory"]), tuple(edges["Part"]))
