"""What each LVIS and COCO image of the road-map world is to show, and what LVIS says of it.

Counts come first, images second: every class has a stated number of annotated and of unannotated
objects, and they are dealt to the images that have fewest so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lvis_merge.demo.road_map_classes import RoadMapClass
from lvis_merge.demo.road_map_design import CROWD_MEMBERS, RoadMapDesign

_SPREAD = 2.6  # objects by which full images differ
_CHANCE = 1.0  # objects by which chance may overrule the order of the loads
_CROWD_ROOM = 4  # objects whose room a crowd takes

Loads = NDArray[np.float64]


@dataclass
class ImagePlan:
    """One image: names of classes, once per object.

    Attributes:
        annotated: objects that LVIS annotates.
        hidden: objects that are there, and LVIS says nothing of.
        partly: the class that LVIS annotates without all of its objects, or None.
        crowd: the class of a heap, which LVIS leaves out too, or None.
    """

    annotated: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    partly: str | None = None
    crowd: str | None = None

    @property
    def present(self) -> frozenset[str]:
        """Every class to be seen."""
        heap = [self.crowd] if self.crowd else []
        return frozenset((*self.annotated, *self.hidden, *heap))


def plan_train(
    rng: np.random.Generator, classes: Sequence[RoadMapClass], design: RoadMapDesign
) -> list[ImagePlan]:
    """The LVIS train images, with exactly the stated numbers of objects of every class.

    Args:
        rng: the only source of chance.
        classes: by rank.
        design: the amounts.
    """
    plans = [ImagePlan() for _ in range(design.train_images)]
    loads = _SPREAD * rng.random(len(plans))
    empty = round(design.empty * len(plans))
    loads[len(plans) - empty :] = np.inf
    for cls in classes:
        _deal(rng, plans, loads, cls.name, design.instances(cls.rank), design.pairs)
    loads = _SPREAD * rng.random(len(plans))
    loads += [len(plan.annotated) for plan in plans]
    left = {cls.name: design.hidden(cls.rank) for cls in classes}
    _add_crowds(rng, plans, loads, classes, left, round(design.crowds * len(plans)))
    _add_partly(rng, plans, loads, left, round(design.not_exhaustive * len(plans)))
    for cls in classes:
        _hide(rng, plans, loads, cls.name, left[cls.name])
    order = rng.permutation(len(plans))  # the images without annotations were the last
    return [plans[int(place)] for place in order]


def plan_val(
    rng: np.random.Generator, classes: Sequence[RoadMapClass], design: RoadMapDesign
) -> list[ImagePlan]:
    """The LVIS val images: every class equally often, every object annotated."""
    plans = [ImagePlan() for _ in range(design.val_images)]
    loads = _SPREAD * rng.random(len(plans))
    for place in rng.permutation(len(classes)):
        _deal(rng, plans, loads, classes[int(place)].name, design.val_instances, design.pairs)
    return plans


def plan_coco_only(
    rng: np.random.Generator, classes: Sequence[RoadMapClass], design: RoadMapDesign
) -> list[ImagePlan]:
    """COCO images that LVIS lacks: classes as often as on the LVIS train images."""
    counts = np.array([design.instances(cls.rank) for cls in classes], dtype=np.float64)
    plans = []
    for _ in range(design.coco_only_images):
        number = 1 + int(rng.poisson(design.objects_per_image - 1))
        drawn = rng.choice(len(classes), size=min(number, 7), p=counts / counts.sum())
        plans.append(ImagePlan(hidden=[classes[int(place)].name for place in drawn]))
    return plans


def _fewest(rng: np.random.Generator, loads: Loads, count: int) -> list[int]:
    """Places of the images with the smallest loads, chance having a say."""
    order = np.argsort(loads + _CHANCE * rng.random(len(loads)), kind="stable")[:count]
    return [int(place) for place in order if np.isfinite(loads[place])]


def _deal(
    rng: np.random.Generator,
    plans: Sequence[ImagePlan],
    loads: Loads,
    name: str,
    count: int,
    pairs: float,
) -> None:
    """Annotated objects of one class, some of them two to an image."""
    doubled = round(count * pairs / 2)
    for nth, place in enumerate(_fewest(rng, loads, count - doubled)):
        number = 2 if nth < doubled else 1
        plans[place].annotated += [name] * number
        loads[place] += number


def _add_crowds(
    rng: np.random.Generator,
    plans: Sequence[ImagePlan],
    loads: Loads,
    classes: Sequence[RoadMapClass],
    left: dict[str, int],
    count: int,
) -> None:
    """Heaps of classes that COCO has, taken from the hidden objects that are `left`."""
    fit = [cls for cls in classes if cls.coco_id is not None]
    for place in _fewest(rng, loads, count):
        able = [
            cls.name
            for cls in fit
            if left[cls.name] > CROWD_MEMBERS and cls.name not in plans[place].annotated
        ]
        if able:
            name = able[int(rng.integers(len(able)))]
            plans[place].crowd = name
            left[name] -= CROWD_MEMBERS
            loads[place] += _CROWD_ROOM


def _add_partly(
    rng: np.random.Generator,
    plans: Sequence[ImagePlan],
    loads: Loads,
    left: dict[str, int],
    count: int,
) -> None:
    """Categories of which LVIS annotates a part: one more object of them, left out."""
    able = [place for place, plan in enumerate(plans) if plan.annotated and plan.crowd is None]
    for place in rng.permutation(able):
        plan = plans[int(place)]
        name = plan.annotated[int(rng.integers(len(plan.annotated)))]
        if count > 0 and left[name] > 1:
            plan.partly = name
            plan.hidden.append(name)
            left[name] -= 1
            loads[place] += 1
            count -= 1


def _hide(
    rng: np.random.Generator, plans: Sequence[ImagePlan], loads: Loads, name: str, count: int
) -> None:
    """Objects of one class where LVIS says nothing of it, one to an image."""
    free = np.array([name not in plan.present for plan in plans])
    for place in _fewest(rng, np.where(free, loads, np.inf), count):
        plans[place].hidden.append(name)
        loads[place] += 1
