"""The long-tailed world's plan: how many images, and what each LVIS image is to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from lvis_merge.demo.classes import DemoClass
from lvis_merge.demo.scene import ScenePlan, Wish

FRAMES = ((256, 192), (256, 192), (288, 192), (256, 256), (192, 256), (320, 240), (240, 208))
CROWD_CLASSES = ("banana", "cup", "bottle", "kite")
FULL_TRAIN = 160  # the train images that `train_images` of the classes is stated for

Stream: TypeAlias = Literal["train", "val", "test", "coco", "open_images"]
STREAMS: Mapping[Stream, int] = {"train": 1, "val": 2, "test": 3, "coco": 4, "open_images": 5}


@dataclass(frozen=True)
class WorldSize:
    """Number of images of each kind.

    Attributes:
        train: LVIS train images, two of which leak into val.
        val: LVIS val images.
        test: LVIS test images.
        coco_only: COCO images that LVIS does not annotate.
        open_images: Open Images candidates, train and validation subset together.

    Raises:
        ValueError: too few for the world to have everything that it promises.
    """

    train: int = FULL_TRAIN
    val: int = 60
    test: int = 12
    coco_only: int = 8
    open_images: int = 140

    def __post_init__(self) -> None:
        least = {"train": 20, "val": 8, "test": 1, "coco_only": 1, "open_images": 36}
        for name, count in least.items():
            if getattr(self, name) < count:
                raise ValueError(f"{name} = {getattr(self, name)}: needs at least {count}")


@dataclass(frozen=True)
class LvisPlan:
    """An image as LVIS annotates it.

    Attributes:
        scene: what it shows.
        annotated: classes whose objects are annotated; others are there, and nobody looked.
        partly: one of them that is not annotated exhaustively, or None.
    """

    scene: ScenePlan
    annotated: frozenset[str]
    partly: str | None


def frame(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height of a picture, pixels."""
    return FRAMES[int(rng.integers(len(FRAMES)))]


def plan_lvis(
    rng: np.random.Generator,
    classes: Mapping[str, DemoClass],
    images: int,
    floor: int,
    share: float,
) -> list[LvisPlan]:
    """Plan a split with the long tail that the classes state.

    Args:
        rng: the only source of chance.
        classes: all classes; those with an LVIS id are annotated.
        images: number of plans.
        floor: images that even the rarest category gets.
        share: of `train_images` that a category gets, at 160 images.

    Returns:
        One plan per image; the last ones have no annotated category at all.
    """
    lvis = [cls for cls in classes.values() if cls.lvis_id is not None]
    empty = max(1, images // 60)
    wanted: list[set[str]] = [set() for _ in range(images)]
    for cls in sorted(lvis, key=lambda cls: (-cls.train_images, cls.name)):
        target = max(floor, round(cls.train_images * share))
        load = [len(names) + 3.0 * float(rng.random()) for names in wanted[: images - empty]]
        for place in np.argsort(load, kind="stable")[: min(target, len(load))]:
            wanted[int(place)].add(cls.name)
    crowds = _spread(rng, images - empty, max(2, images // 26))
    frequent = [cls.name for cls in lvis if cls.train_images >= 20]
    return [
        _plan_image(
            rng, sorted(names), frequent, CROWD_CLASSES[place % 4] if place in crowds else None
        )
        for place, names in enumerate(wanted)
    ]


def _spread(rng: np.random.Generator, total: int, count: int) -> frozenset[int]:
    return frozenset(int(place) for place in rng.permutation(total)[:count])


def _plan_image(
    rng: np.random.Generator, names: Sequence[str], frequent: Sequence[str], crowd: str | None
) -> LvisPlan:
    annotated = set(names) | ({crowd} if crowd else set())
    wishes = [
        Wish(name, 1 + min(int(rng.geometric(0.65)) - 1, 2)) for name in rng.permutation(names)
    ]
    partly = crowd
    if crowd is None and wishes and rng.random() < 0.14:
        partly = wishes[0].class_name
        wishes[0] = Wish(partly, 3)
    # What LVIS says nothing about: things nobody asked the annotators for.
    hidden = [name for name in frequent if name not in annotated]
    for name in rng.permutation(hidden)[: int(rng.integers(0, 3))]:
        wishes.append(Wish(str(name)))
    for name in ("hot dog", "tree", "rose"):
        if rng.random() < 0.08:
            wishes.append(Wish(name))
    width, height = frame(rng)
    plain = tuple(Wish(str(wish.class_name), wish.count) for wish in wishes)
    post = bool(rng.random() < 0.16)
    return LvisPlan(ScenePlan(width, height, plain, crowd, post), frozenset(annotated), partly)


def plan_unlabelled(
    rng: np.random.Generator, names: Sequence[str], images: int, crowd: str | None = None
) -> list[ScenePlan]:
    """Pictures of a few objects each, drawn evenly from the names; the first has the crowd."""
    plans = []
    for place in range(images):
        some = rng.permutation(list(names))[: int(rng.integers(3, 6))]
        wishes = tuple(Wish(str(name)) for name in some)
        plans.append(ScenePlan(*frame(rng), wishes, crowd if place == 0 else None))
    return plans
