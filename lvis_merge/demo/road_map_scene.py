"""Where the objects of a road-map picture stand.

Boxes of two objects never touch, so that an object's colour and texture are its own; only the
members of a heap do. An object may be cut off by the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvis_merge.demo.polygons import (
    Box,
    Polygon,
    area,
    clip_to_frame,
    extent,
    rounded,
    without_slivers,
)
from lvis_merge.demo.road_map_classes import RoadMapClass, load_looks
from lvis_merge.demo.road_map_design import CROWD_MEMBERS
from lvis_merge.demo.scene import Item, Scene, Style, placement

# None is larger than the square: a batch of them is padded to 128 x 128, and costs no more.
FRAMES = (*[(128, 128)] * 8, (128, 96), (96, 128))
SHEET_RIM = 4.0  # pixels of paper around a picture of an object

_GAP = 2.0  # pixels between two boxes
_TRIES = 25  # places tried for an object before all objects of the picture shrink
_SHRINK = 0.93
_CUT_OFF = 0.12  # share of the objects that may stand over the frame's edge
_OVER_EDGE = 0.35  # of their side at most
_HEAP_COLUMNS = CROWD_MEMBERS // 2
_SMALLEST_PART = 4.0  # square pixels


@dataclass(frozen=True)
class Wanted:
    """One object, or a heap of small ones."""

    cls: RoadMapClass
    style: Style = "object"
    heap: bool = False


@dataclass(frozen=True)
class _Block:
    """Objects that are placed as one: outlines around (0, 0), and the box that they need."""

    wanted: Wanted
    matrices: tuple[NDArray[np.float64], ...]
    outlines: tuple[Polygon, ...]
    half: tuple[float, float]
    over_edge: bool


def arrange(
    wanted: Sequence[Wanted], smallest: float, largest: float, rng: np.random.Generator
) -> Scene:
    """Place every object; where there is no room, all of them are smaller.

    Args:
        wanted: what to show.
        smallest: half the side of the smallest object, pixels.
        largest: half the side of the largest object, pixels.
        rng: the only source of chance (frame, sizes, angles, places).

    Returns:
        The scene, its items in the order of `wanted`, a heap's members together.
    """
    width, height = FRAMES[int(rng.integers(len(FRAMES)))]
    sizes = rng.uniform(smallest, largest, len(wanted))
    while True:
        blocks = [_block(one, float(size), rng) for one, size in zip(wanted, sizes, strict=True)]
        corners = _places(blocks, width, height, rng)
        if corners is not None:
            break
        sizes *= _SHRINK
    items = [
        item
        for block, centre in zip(blocks, corners, strict=True)
        for item in _items(block, centre, width, height)
    ]
    return Scene(width, height, tuple(items), None)


def _block(wanted: Wanted, size: float, rng: np.random.Generator) -> _Block:
    shape = load_looks().shapes[wanted.cls.shape]
    if wanted.heap:
        size *= 0.5
        spots = [
            ((column - (_HEAP_COLUMNS - 1) / 2) * 1.8 * size, (row - 0.5) * 1.8 * size)
            for row in range(2)
            for column in range(_HEAP_COLUMNS)
        ]
    else:
        spots = [(0.0, 0.0)]
    matrices = [
        placement(size, float(rng.normal(0, 0.25)), bool(rng.random() < 0.5), x, y)
        for x, y in spots
    ]
    outlines = [shape @ matrix[:, :2].T + matrix[:, 2] for matrix in matrices]
    half = np.abs(np.concatenate(outlines)).max(axis=0)
    half = half + (SHEET_RIM if wanted.style == "depiction" else 0.0)
    alone = not wanted.heap and wanted.style == "object"
    over_edge = alone and bool(rng.random() < _CUT_OFF)
    return _Block(
        wanted, tuple(matrices), tuple(outlines), (float(half[0]), float(half[1])), over_edge
    )


def _places(
    blocks: Sequence[_Block], width: int, height: int, rng: np.random.Generator
) -> list[tuple[float, float]] | None:
    """Centres at which no two blocks touch, largest placed first; None: no room found."""
    found: dict[int, tuple[float, float]] = {}
    taken = np.zeros((0, 4))
    for place in sorted(range(len(blocks)), key=lambda n: -blocks[n].half[0] * blocks[n].half[1]):
        half = np.array(blocks[place].half)
        margin = half * (1 - 2 * _OVER_EDGE) if blocks[place].over_edge else half
        frame = np.array([width, height])
        if np.any(frame < 2 * margin):
            return None
        centres = rng.uniform(margin, frame - margin, (_TRIES, 2))
        low, high = centres - half - _GAP, centres + half + _GAP
        apart = (
            (low[:, None, 0] >= taken[:, 2])
            | (high[:, None, 0] <= taken[:, 0])
            | (low[:, None, 1] >= taken[:, 3])
            | (high[:, None, 1] <= taken[:, 1])
        ).all(axis=1)
        if not apart.any():
            return None
        first = int(np.argmax(apart))
        x, y = centres[first]
        found[place] = (float(x), float(y))
        box = np.concatenate([centres[first] - half, centres[first] + half])
        taken = np.concatenate([taken, box[None]])
    return [found[place] for place in range(len(blocks))]


def _items(block: _Block, centre: tuple[float, float], width: int, height: int) -> list[Item]:
    items = []
    for matrix, polygon in zip(block.matrices, block.outlines, strict=True):
        moved = matrix + np.array([[0, 0, centre[0]], [0, 0, centre[1]]])
        whole = (polygon + np.array(centre),)
        visible = rounded(without_slivers(clip_to_frame(whole, width, height), _SMALLEST_PART))
        items.append(
            Item(
                class_name=block.wanted.cls.name,
                matrix=moved,
                visible=visible,
                style=block.wanted.style,
                truncated=area(visible) < area(whole) - 1.0,
                in_crowd=block.wanted.heap,
            )
        )
    return items


def sheet(item: Item) -> Box:
    """The paper that a pictured object is drawn on: x, y, width, height in pixels."""
    x, y, width, height = extent(item.visible)
    rim = SHEET_RIM
    return x - rim, y - rim, width + 2 * rim, height + 2 * rim
