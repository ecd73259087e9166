"""The long-tailed world's Open Images side: candidates that are rich in what LVIS has few of.

Each image is of one kind; most are plain, the others show one thing that the merge has a rule for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from lvis_merge.demo.classes import DemoClass
from lvis_merge.demo.identity import FlickrPhoto, hex_digits
from lvis_merge.demo.long_tail_plan import STREAMS, frame
from lvis_merge.demo.open_images_csv import Subset
from lvis_merge.demo.pictures import Key, Picture, Turn, take
from lvis_merge.demo.scene import ScenePlan, Style, Wish

Kind: TypeAlias = Literal[
    "plain",
    "group",  # a heap under one group-of box
    "depiction",  # a picture of an object
    "inside",  # the view from within an object
    "machine",  # boxes found by a machine, all flags unknown
    "duplicate",  # one box row twice
    "unverified",  # an object that has neither label nor box
    "label_only",  # verified present, drawn, no box
    "contradictory",  # one class verified both present and absent
    "no_mapped",  # nothing that LVIS calls rare or common
    "no_box",  # in the lists, without any box
    "rotated",  # stored sideways or upside down
    "leak",  # the photo of an LVIS val image, at another size
    "collision",  # two images whose ids agree in their last 13 digits
    "withdrawn",  # on the list of images to leave out
    "held_out",  # on the hold-out list
]

# Kind: share of the images, and the least number of them in a world of any size.
_AMOUNTS: Mapping[Kind, tuple[float, int]] = {
    "group": (0.07, 3),
    "depiction": (0.05, 2),
    "inside": (0.02, 1),
    "machine": (0.09, 3),
    "duplicate": (0.02, 1),
    "unverified": (0.05, 2),
    "label_only": (0.03, 2),
    "contradictory": (0.02, 1),
    "no_mapped": (0.04, 2),
    "no_box": (0.015, 1),
    "rotated": (0.03, 3),
    "leak": (0.02, 2),
    "collision": (0.0, 2),
    "withdrawn": (0.0, 1),
    "held_out": (0.015, 1),
}
_GROUP_CLASSES = ("penguin", "coin", "ladybug", "starfish", "waffle", "die")
_LEAK_SCALE = 1.25


@dataclass(frozen=True)
class Candidate:
    """An Open Images picture.

    Attributes:
        image_id: 16 hex digits.
        subset: train or validation.
        kind: what is special about it.
        photo: the Flickr original.
        picture: what it shows, upright.
        turn: its `Rotation`.
        scale: size of the stored file relative to the picture.
        unboxed: classes that are drawn but have no box.
    """

    image_id: str
    subset: Subset
    kind: Kind
    photo: FlickrPhoto
    picture: Picture
    turn: Turn
    scale: float
    unboxed: frozenset[str]


def tail_classes(classes: Mapping[str, DemoClass]) -> list[str]:
    """Classes that Open Images shares with LVIS and COCO lacks: the rare and common ones."""
    return [c.name for c in classes.values() if c.mid and c.lvis_id and c.coco_id is None]


def other_classes(classes: Mapping[str, DemoClass]) -> list[str]:
    """The other classes of Open Images: LVIS's frequent ones, and those that LVIS lacks."""
    return [c.name for c in classes.values() if c.mid and not (c.lvis_id and c.coco_id is None)]


def draw_candidates(
    seed: int,
    classes: Mapping[str, DemoClass],
    photos: Sequence[FlickrPhoto],
    val: Sequence[tuple[FlickrPhoto, Picture]],
) -> list[Candidate]:
    """Compose the candidates, in the order of their ids.

    Args:
        seed: of the world.
        classes: all classes.
        photos: one per candidate.
        val: LVIS val pictures, from which the leaking ones are taken.
    """
    rng = np.random.default_rng((seed, STREAMS["open_images"]))
    kinds = _kinds(rng, len(photos))
    ids = _image_ids(rng, kinds)
    tail = tail_classes(classes)
    leaks = [one for one in val if one[1].scene.present & set(tail)]
    used: Counter[str] = Counter()
    found: list[Candidate] = []
    turns: tuple[Turn, ...] = (90, 180, 270)
    seen: Counter[Kind] = Counter()
    for place, kind in enumerate(kinds):
        nth = seen[kind]
        seen[kind] += 1
        photo, scale, unboxed = photos[place], 1.0, frozenset[str]()
        if kind == "leak":
            photo, picture = leaks[nth % len(leaks)]
            scale = _LEAK_SCALE
        else:
            plan, unboxed = _plan(rng, kind, nth, tail, other_classes(classes), used)
            key: Key = (seed, STREAMS["open_images"], place)
            picture = take(key, plan, classes)
        subset: Subset = "validation" if place % 11 == 5 and kind != "collision" else "train"
        turn: Turn = turns[nth % 3] if kind == "rotated" else 0
        found.append(Candidate(ids[place], subset, kind, photo, picture, turn, scale, unboxed))
    return sorted(found, key=lambda candidate: candidate.image_id)


def _kinds(rng: np.random.Generator, images: int) -> list[Kind]:
    """The kind of each image, in random order."""
    kinds: list[Kind] = []
    for kind in get_args(Kind):
        if kind != "plain":
            share, least = _AMOUNTS[kind]
            kinds += [kind] * max(least, round(share * images))
    kinds += ["plain"] * (images - len(kinds))
    return [kinds[int(place)] for place in rng.permutation(len(kinds))]


def _image_ids(rng: np.random.Generator, kinds: Sequence[Kind]) -> list[str]:
    """Ids of 16 hex digits; those of the colliding pair differ in the first three only."""
    shared = hex_digits(rng, 13)
    pair = iter(("0a7" + shared, "b31" + shared))
    return [next(pair) if kind == "collision" else hex_digits(rng, 16) for kind in kinds]


def _plan(
    rng: np.random.Generator,
    kind: Kind,
    nth: int,
    tail: Sequence[str],
    others: Sequence[str],
    used: Counter[str],
) -> tuple[ScenePlan, frozenset[str]]:
    """What an image of a kind shows, and which of its classes get no box."""
    width, height = frame(rng)
    wishes: list[Wish] = []
    unboxed: frozenset[str] = frozenset()
    crowd: str | None = None
    if kind == "group":
        crowd = _GROUP_CLASSES[nth % len(_GROUP_CLASSES)]
    elif kind == "inside":
        wishes.append(Wish("helicopter", style="inside"))
    if kind != "no_mapped":
        # Always those that fewest images show so far: the tail gets even shares.
        order = sorted(tail, key=lambda name: used[name] + float(rng.random()))
        shown = {crowd, *(wish.class_name for wish in wishes)}
        fresh = [name for name in order if name not in shown]
        for place, name in enumerate(fresh[: int(rng.integers(1, 4)) + (kind == "label_only")]):
            style: Style = "depiction" if kind == "depiction" and place == 0 else "object"
            count = 2 if style == "object" and rng.random() < 0.3 else 1
            wishes.append(Wish(name, count, style))
            used[name] += 1
    extra = [str(name) for name in rng.permutation(list(others))]
    wishes += [Wish(name) for name in extra[: int(rng.integers(0, 3)) + (kind == "no_mapped")]]
    if kind == "unverified":
        wishes.append(Wish(extra[-1]))
        unboxed = frozenset({extra[-1]})
    elif kind == "label_only":
        unboxed = frozenset({wishes[0].class_name})
    elif kind == "no_box":
        unboxed = frozenset(wish.class_name for wish in wishes)
    post = bool(rng.random() < 0.14)
    return ScenePlan(width, height, tuple(wishes), crowd, post), unboxed
