"""Where things stand in a picture: a plan of wishes becomes placed objects with true outlines.

Nothing here knows a data set or a world: a world says what it wishes to see, `compose` finds room
for it. Visible outlines of two objects never overlap, except inside a crowd; what leaves the frame
or stands behind the post is cut off the outline, as an annotator would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lvis_merge.demo.classes import DemoClass
from lvis_merge.demo.glyphs import load_glyphs
from lvis_merge.demo.polygons import (
    Box,
    Shape,
    area,
    behind_post,
    clip_to_frame,
    extent,
    raster,
    rounded,
    without_slivers,
)

Style: TypeAlias = Literal["object", "depiction", "inside"]

POSTER_RIM = 6  # pixels of poster around a depicted object

_TRIES = 90
_SMALLEST_PART = 14.0
_SMALLEST_VISIBLE_SHARE = 0.5


@dataclass(frozen=True)
class Wish:
    """So many objects of one class, each alone."""

    class_name: str
    count: int = 1
    style: Style = "object"


@dataclass(frozen=True)
class ScenePlan:
    """What a picture is to show.

    Attributes:
        width: pixels.
        height: pixels.
        wishes: objects, the first placed first (and largest).
        crowd: class of a heap of touching objects, or None.
        post: an upright post stands in front of everything.
    """

    width: int
    height: int
    wishes: tuple[Wish, ...]
    crowd: str | None = None
    post: bool = False


@dataclass(frozen=True)
class Item:
    """One placed object.

    Attributes:
        class_name: key of its `DemoClass`.
        matrix: float64 [2, 3], glyph coordinates to pixels.
        visible: its visible outline in pixels, two decimals, inside the frame.
        style: `depiction` is a picture of the object, `inside` is the view from within one.
        occluded: the post hides some of it.
        truncated: the frame cuts some of it off.
        in_crowd: member of the crowd.
        unobstructed: no other object stands in front of it.
    """

    class_name: str
    matrix: NDArray[np.float64]
    visible: Shape
    style: Style = "object"
    occluded: bool = False
    truncated: bool = False
    in_crowd: bool = False
    unobstructed: bool = True

    @property
    def box(self) -> Box:
        """Extent of the visible outline: x, y, width, height in pixels."""
        return extent(self.visible)


@dataclass(frozen=True)
class Scene:
    """A composed picture, ready to be painted and annotated.

    Attributes:
        width: pixels.
        height: pixels.
        items: in painting order.
        post: left and right edge of the post, pixels, or None.
    """

    width: int
    height: int
    items: tuple[Item, ...]
    post: tuple[float, float] | None

    @property
    def crowd(self) -> tuple[Item, ...]:
        """The members of the crowd; empty without one."""
        return tuple(item for item in self.items if item.in_crowd)

    @property
    def singles(self) -> tuple[Item, ...]:
        """The items outside the crowd."""
        return tuple(item for item in self.items if not item.in_crowd)

    @property
    def present(self) -> frozenset[str]:
        """Names of all classes to be seen, in whatever style."""
        return frozenset(item.class_name for item in self.items)


def placement(size: float, angle: float, flip: bool, x: float, y: float) -> NDArray[np.float64]:
    """Matrix that takes a glyph to pixels.

    Args:
        size: half the side of its unit square, pixels.
        angle: clockwise turn on the screen, radians.
        flip: mirrored left to right first.
        x: centre, pixels.
        y: centre, pixels.

    Returns:
        float64 [2, 3].
    """
    mirror = -1.0 if flip else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[size * mirror * cos, -size * sin, x], [size * mirror * sin, size * cos, y]])


def to_pixels(matrix: NDArray[np.float64], shape: Shape) -> Shape:
    """A shape in glyph coordinates, seen through a placement."""
    return tuple(part @ matrix[:, :2].T + matrix[:, 2] for part in shape)


class _Room:
    """The free space of one picture while it fills."""

    def __init__(self, plan: ScenePlan, rng: np.random.Generator) -> None:
        self.plan = plan
        self.rng = rng
        self.taken = np.zeros((plan.height, plan.width), dtype=np.bool_)
        self.post: tuple[float, float] | None = None
        if plan.post:
            left = round(float(rng.uniform(0.3, 0.7)) * plan.width, 1)
            self.post = (left, left + round(float(rng.uniform(6, 11)), 1))

    def seen(self, whole: Shape) -> tuple[Shape, bool, bool]:
        """Visible outline, whether the post hides some, whether the frame cuts some off."""
        inside = clip_to_frame(whole, self.plan.width, self.plan.height)
        area_inside = area(inside)
        truncated = area_inside < area(whole) - 1.0
        visible, occluded = inside, False
        if self.post is not None:
            visible = behind_post(inside, *self.post)
            occluded = area(visible) < area_inside - 1.0
        return rounded(without_slivers(visible, _SMALLEST_PART)), occluded, truncated

    def place(self, cls: DemoClass, size: float, style: Style) -> Item | None:
        """An object somewhere free, smaller if need be; None where nothing fits."""
        silhouette = load_glyphs()[cls.glyph].silhouette
        whole_area = area(silhouette)
        for attempt in range(_TRIES):
            shrunk = max(size * (1.0 - 0.6 * attempt / _TRIES), 11.0)
            over_edge = self.rng.random() < 0.12
            margin = shrunk * (0.45 if over_edge else 0.98)
            x, y = (
                float(self.rng.uniform(min(margin, side / 2), max(side - margin, side / 2)))
                for side in (self.plan.width, self.plan.height)
            )
            if self.taken[int(y), int(x)]:
                continue
            angle = float(self.rng.uniform(-np.pi, np.pi) if cls.spin else self.rng.normal(0, 0.12))
            matrix = placement(shrunk, angle, bool(self.rng.random() < 0.5), x, y)
            visible, occluded, truncated = self.seen(to_pixels(matrix, silhouette))
            enough = _SMALLEST_VISIBLE_SHARE * whole_area * shrunk**2
            if not visible or area(visible) < enough:
                continue
            if self.claim(self.poster(visible) if style == "depiction" else visible):
                return Item(cls.name, matrix, visible, style, occluded, truncated)
        return None

    def poster(self, visible: Shape) -> Shape:
        """The sheet that a depicted object is drawn on."""
        x, y, width, height = extent(visible)
        low_x, low_y = x - POSTER_RIM, y - POSTER_RIM
        high_x, high_y = x + width + POSTER_RIM, y + height + POSTER_RIM
        sheet = np.array([[low_x, low_y], [high_x, low_y], [high_x, high_y], [low_x, high_y]])
        return (sheet,)

    def claim(self, visible: Shape) -> bool:
        """Take the pixels of a shape and a rim around it, unless some are taken."""
        mask = raster(visible, self.plan.width, self.plan.height)
        if bool(np.any(self.taken & mask)):
            return False
        self.taken |= mask
        self.taken[2:] |= mask[:-2]
        self.taken[:-2] |= mask[2:]
        self.taken[:, 2:] |= mask[:, :-2]
        self.taken[:, :-2] |= mask[:, 2:]
        return True

    def crowd(self, cls: DemoClass) -> list[Item]:
        """A heap of ten touching objects, back row first, then the front row's gaps and heads."""
        silhouette = load_glyphs()[cls.glyph].silhouette
        size = min(self.plan.width, self.plan.height) * float(self.rng.uniform(0.085, 0.11))
        span = 8.2 * size
        left = float(self.rng.uniform(1.0, self.plan.width - span - 1.0))
        top = float(self.rng.uniform(size, self.plan.height - 3.6 * size))
        # Front row last, its even places after its odd ones: those five hide others, and are whole.
        spots = [(column, 0) for column in range(5)]
        spots += [(column, 1) for column in (1, 3, 0, 2, 4)]
        found: list[Item] = []
        for column, row in spots:
            x = left + size * (1.0 + 1.5 * column + 0.4 * (1 - row))
            y = top + size * (1.0 + 1.2 * row) + float(self.rng.normal(0, 0.06)) * size
            angle = float(self.rng.normal(0, 0.2))
            matrix = placement(size, angle, bool(self.rng.random() < 0.5), x, y)
            visible, occluded, truncated = self.seen(to_pixels(matrix, silhouette))
            if visible:
                in_front = row == 1 and column % 2 == 0
                found.append(
                    Item(cls.name, matrix, visible, "object", occluded, truncated, True, in_front)
                )
        for item in found:
            self.taken |= raster(item.visible, self.plan.width, self.plan.height)
        return found


def compose(plan: ScenePlan, classes: Mapping[str, DemoClass], rng: np.random.Generator) -> Scene:
    """Find a place for everything a plan wishes for.

    An object for which no room is left is not drawn; the first wishes are the surest.

    Args:
        plan: what to show.
        classes: by name, those that the plan speaks of.
        rng: the only source of chance.
    """
    room = _Room(plan, rng)
    items: list[Item] = []
    width, height = float(plan.width), float(plan.height)
    if plan.crowd is not None:
        items += room.crowd(classes[plan.crowd])
    wishes = [wish for wish in plan.wishes for _ in range(wish.count)]
    for place, wish in enumerate(wishes):
        if wish.style == "inside":
            frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
            whole = np.array([[width / 2, 0, width / 2], [0, height / 2, height / 2]])
            items.insert(0, Item(wish.class_name, whole, (frame,), "inside"))
            continue
        # As many objects as fill about a third of the frame, early ones a little larger.
        share = float(rng.uniform(0.75, 1.25)) * (1.15 if place < 2 else 0.9)
        size = share * float(np.sqrt(width * height / (4 * max(len(wishes), 3)))) * 0.7
        item = room.place(
            classes[wish.class_name], min(size, 0.42 * min(width, height)), wish.style
        )
        if item is not None:
            items.append(item)
    return Scene(plan.width, plan.height, tuple(items), room.post)
