"""The road-map world's 96 classes: every shape in every hue with every texture.

A seed deals them to the frequency ranks, so that how frequent a class is says nothing about how
hard it is: any eight ranks from a multiple of eight hold each shape once, in a hue and a texture
that chance gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from lvis_merge.demo.classes import Hierarchy
from lvis_merge.demo.coco_json import CocoCategory
from lvis_merge.demo.glyphs import outline
from lvis_merge.demo.polygons import Polygon
from lvis_merge.demo.road_map_design import CLASSES, RoadMapDesign

# Above COCO's own ids (1 to 90): the packaged map says nothing about these.
_FIRST_COCO_ID = 101
_FIRST_COARSE_COCO_ID = 201


@dataclass(frozen=True)
class Looks:
    """What classes are made of, read from `data/road_map.json`.

    Attributes:
        shapes: outline in [-1, 1] x [-1, 1] by name.
        hues: angle on the colour circle by name, degrees.
        textures: description by name.
    """

    shapes: Mapping[str, Polygon]
    hues: Mapping[str, float]
    textures: Mapping[str, str]


@cache
def load_looks() -> Looks:
    """The looks of the package."""
    text = resources.files("lvis_merge.demo").joinpath("data/road_map.json").read_text("utf-8")
    found = json.loads(text)
    shapes = {name: outline(entry) for name, entry in found["shapes"].items()}
    hues = {name: float(angle) for name, angle in found["hues"].items()}
    return Looks(shapes, hues, found["textures"])


@dataclass(frozen=True)
class RoadMapClass:
    """One class.

    Attributes:
        rank: 0 for the most frequent one in LVIS.
        shape: key of `Looks.shapes`.
        hue: key of `Looks.hues`.
        texture: key of `Looks.textures`.
        lvis_id: 1 to 96, in the order of the names.
        coco_id: of its own COCO class or of its shape's; None: COCO does not have it.
        coco_is_own: its COCO class holds nothing else.
        is_tail: of the less frequent half, which the Open Images map names.
    """

    rank: int
    shape: str
    hue: str
    texture: str
    lvis_id: int
    coco_id: int | None
    coco_is_own: bool
    is_tail: bool

    @property
    def name(self) -> str:
        """LVIS name, such as `red_striped_disc`."""
        return f"{self.hue}_{self.texture}_{self.shape}"

    @property
    def synset(self) -> str:
        """Key in the form of a WordNet synset."""
        return f"{self.name}.n.01"

    @property
    def definition(self) -> str:
        """A sentence about it, as LVIS has one."""
        return f"a {self.hue} {self.shape} {load_looks().textures[self.texture]}"

    @property
    def mid(self) -> str:
        """Open Images machine id."""
        return f"/m/0rm{self.lvis_id:03d}"

    @property
    def spoken_name(self) -> str:
        """Its name in Open Images."""
        return self.name.replace("_", " ").capitalize()

    @property
    def coco_name(self) -> str:
        """Name of a COCO class of its own."""
        return self.name.replace("_", " ")


def deal_classes(seed: int, design: RoadMapDesign) -> tuple[RoadMapClass, ...]:
    """The classes by rank, as a seed deals them.

    Args:
        seed: of the world.
        design: says which of them COCO has.
    """
    rng = np.random.default_rng((seed, 60))
    looks = load_looks()
    kinds = [(hue, texture) for hue in looks.hues for texture in looks.textures]
    shapes = list(looks.shapes)
    dealt = {shape: rng.permutation(len(kinds)) for shape in shapes}
    order = [
        (shapes[int(place)], *kinds[int(dealt[shapes[int(place)]][block])])
        for block in range(len(kinds))
        for place in rng.permutation(len(shapes))
    ]
    names = sorted(f"{hue}_{texture}_{shape}" for shape, hue, texture in order)
    lacking = _coco_lacks(design)
    own = [rank for rank in range(CLASSES) if rank not in lacking][: design.coco_own]
    found = []
    for rank, (shape, hue, texture) in enumerate(order):
        coco_id = None if rank in lacking else _FIRST_COARSE_COCO_ID + shapes.index(shape)
        if rank in own:
            coco_id = _FIRST_COCO_ID + own.index(rank)
        lvis_id = names.index(f"{hue}_{texture}_{shape}") + 1
        is_tail = 2 * rank >= CLASSES
        found.append(
            RoadMapClass(rank, shape, hue, texture, lvis_id, coco_id, rank in own, is_tail)
        )
    return tuple(found)


def _coco_lacks(design: RoadMapDesign) -> frozenset[int]:
    """Evenly spaced ranks that together hold the share of the objects that COCO does not cover."""
    missing = 1 - design.coco_covers
    if missing <= 0:
        return frozenset()
    step = max(round(1 / missing), 1)
    total = sum(design.instances(rank) for rank in range(CLASSES))

    def off(first: int) -> float:
        held = sum(design.instances(rank) for rank in range(first, CLASSES, step))
        return abs(held / total - missing)

    return frozenset(range(min(range(step), key=off), CLASSES, step))


def coco_classes(classes: tuple[RoadMapClass, ...]) -> list[CocoCategory]:
    """COCO's categories by id: frequent classes of their own, then `other` ones by shape."""
    found = {}
    for cls in classes:
        if cls.coco_id is not None:
            name = cls.coco_name if cls.coco_is_own else f"other {cls.shape}"
            found[cls.coco_id] = CocoCategory(cls.coco_id, name, cls.shape)
    return [found[coco_id] for coco_id in sorted(found)]


def shape_mid(shape: str) -> str:
    """Open Images machine id of a whole shape."""
    return f"/m/0rms{list(load_looks().shapes).index(shape)}"


def class_hierarchy(classes: tuple[RoadMapClass, ...]) -> Hierarchy:
    """Open Images' hierarchy: every class under its shape, every shape under the root."""
    root = "/m/0rmroot"
    shapes = {shape: shape_mid(shape) for shape in load_looks().shapes}
    by_name = sorted(classes, key=lambda cls: cls.lvis_id)
    names = {mid: shape.capitalize() for shape, mid in shapes.items()}
    names |= {cls.mid: cls.spoken_name for cls in by_name}
    edges = [(root, mid) for mid in shapes.values()]
    edges += [(shapes[cls.shape], cls.mid) for cls in by_name]
    return Hierarchy(root, dict(sorted(names.items())), tuple(edges), ())
