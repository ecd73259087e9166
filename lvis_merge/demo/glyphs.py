"""Drawn objects as data: outlines and details in a unit square, read from `data/glyphs.json`.

A glyph is drawn in [-1, 1] x [-1, 1], y down. Its `parts` are disjoint outlines: together the
silhouette, hence the mask. Its `details` are painted over the parts and never outside them.
Outlines are written as `ellipse` [cx, cy, rx, ry], `ring` [cx, cy, rx, ry, inner share],
`star` [cx, cy, r, n, inner share], `petals` [cx, cy, r, n, depth], `box` [cx, cy, rx, ry] with
`round` (exponent of a superellipse), `path` (points; `mirror`: the right half only) and `stroke`
(a centre line with `width`: one number or one per point); `smooth` rounds paths, strokes, stars.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvis_merge.demo.polygons import Polygon, Shape

_CURVE_POINTS = 40
_SMOOTH_STEPS = 4


@dataclass(frozen=True)
class Layer:
    """One painted polygon of a glyph.

    Attributes:
        fill: `a`, `b`, `c` (the colours of the class), `dark` or `light`.
        polygon: float64 [N, 2] in glyph coordinates.
    """

    fill: str
    polygon: Polygon


@dataclass(frozen=True)
class Glyph:
    """A drawn object in glyph coordinates: silhouette `parts` and `details` on top of them."""

    name: str
    parts: tuple[Layer, ...]
    details: tuple[Layer, ...]

    @property
    def silhouette(self) -> Shape:
        """The parts' polygons."""
        return tuple(layer.polygon for layer in self.parts)


@cache
def load_glyphs() -> Mapping[str, Glyph]:
    """All glyphs of the package, by name."""
    text = resources.files("lvis_merge.demo").joinpath("data/glyphs.json").read_text("utf-8")
    return {name: parse_glyph(name, entry) for name, entry in json.loads(text).items()}


def parse_glyph(name: str, entry: Mapping[str, Any]) -> Glyph:
    """A glyph from its JSON form.

    Args:
        name: its key in the file.
        entry: `{"parts": [...], "details": [...]}`.

    Raises:
        ValueError: an outline of none of the known kinds.
    """
    parts = tuple(Layer(part.get("fill", "a"), outline(part)) for part in entry["parts"])
    details = tuple(Layer(part["fill"], outline(part)) for part in entry["details"])
    return Glyph(name, parts, details)


def outline(entry: Mapping[str, Any]) -> Polygon:
    """The polygon of one outline entry, float64 [N, 2].

    Raises:
        ValueError: an outline of none of the known kinds.
    """
    smooth = bool(entry.get("smooth", False))
    if "ellipse" in entry:
        return _ellipse(*entry["ellipse"])
    if "ring" in entry:
        return _ring(*entry["ring"])
    if "star" in entry:
        points = _star(*entry["star"])
        return _smooth_closed(points) if smooth else points
    if "petals" in entry:
        return _petals(*entry["petals"])
    if "box" in entry:
        cx, cy, rx, ry = entry["box"]
        return _superellipse(cx, cy, rx, ry, entry["round"])
    if "path" in entry:
        points = np.array(entry["path"], dtype=np.float64)
        if entry.get("mirror", False):
            left = points[::-1] * np.array([-1.0, 1.0])
            points = np.concatenate([points, left[left[:, 0] < 0]])
        return _smooth_closed(points) if smooth else points
    if "stroke" in entry:
        return _stroke(np.array(entry["stroke"], dtype=np.float64), entry["width"], smooth)
    raise ValueError(f"no outline in {sorted(entry)}")


def _angles(count: int) -> NDArray[np.float64]:
    return np.arange(count, dtype=np.float64) * (2 * np.pi / count)


def _ellipse(cx: float, cy: float, rx: float, ry: float) -> Polygon:
    turn = _angles(_CURVE_POINTS)
    return np.stack([cx + rx * np.cos(turn), cy + ry * np.sin(turn)], axis=1)


def _ring(cx: float, cy: float, rx: float, ry: float, inner: float) -> Polygon:
    """A ring as one polygon with a slit: LVIS polygons cannot have holes."""
    outer = _ellipse(cx, cy, rx, ry)
    hole = _ellipse(cx, cy, rx * inner, ry * inner)
    closed = [outer, outer[:1], hole[:1], hole[:0:-1], hole[:1]]
    return np.concatenate(closed)


def _star(cx: float, cy: float, r: float, n: int, inner: float) -> Polygon:
    turn = _angles(2 * n) - np.pi / 2
    radius = np.where(np.arange(2 * n) % 2 == 0, r, r * inner)
    return np.stack([cx + radius * np.cos(turn), cy + radius * np.sin(turn)], axis=1)


def _petals(cx: float, cy: float, r: float, n: int, depth: float) -> Polygon:
    turn = _angles(8 * n)
    radius = r * (1 - depth + depth * np.abs(np.cos(turn * n / 2)))
    return np.stack([cx + radius * np.cos(turn), cy + radius * np.sin(turn)], axis=1)


def _superellipse(cx: float, cy: float, rx: float, ry: float, exponent: float) -> Polygon:
    turn = _angles(_CURVE_POINTS)
    cos, sin = np.cos(turn), np.sin(turn)
    x = np.sign(cos) * np.abs(cos) ** (2 / exponent)
    y = np.sign(sin) * np.abs(sin) ** (2 / exponent)
    return np.stack([cx + rx * x, cy + ry * y], axis=1)


def _catmull_rom(before: Polygon, start: Polygon, end: Polygon, after: Polygon) -> Polygon:
    """Points of the spline from each start to its end, start included, shape [N * steps, 2]."""
    t = (np.arange(_SMOOTH_STEPS) / _SMOOTH_STEPS)[None, :, None]
    p0, p1, p2, p3 = (points[:, None, :] for points in (before, start, end, after))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.asarray(curve.reshape(-1, 2), dtype=np.float64)


def _smooth_closed(points: Polygon) -> Polygon:
    return _catmull_rom(
        np.roll(points, 1, axis=0), points, np.roll(points, -1, axis=0), np.roll(points, -2, axis=0)
    )


def _smooth_open(points: Polygon) -> Polygon:
    padded = np.concatenate([points[:1], points, points[-1:]])
    curve = _catmull_rom(padded[:-3], padded[1:-2], padded[2:-1], padded[3:])
    return np.concatenate([curve, points[-1:]])


def _stroke(points: Polygon, width: float | list[float], smooth: bool) -> Polygon:
    widths = np.full(len(points), width) if isinstance(width, int | float) else np.array(width)
    if smooth:
        where = np.linspace(0, len(points) - 1, (len(points) - 1) * _SMOOTH_STEPS + 1)
        widths = np.interp(where, np.arange(len(points)), widths)
        points = _smooth_open(points)
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) * (widths[:, None] / 2)
    return np.concatenate([points + side, (points - side)[::-1]])
