"""Plane geometry on polygons: what an annotation needs of a shape.

A polygon is a float64 array of shape [N, 2] (x, y), N >= 3, not closed (the first point is not
repeated). A shape is a tuple of disjoint polygons. Coordinates are those of COCO and LVIS: x to the
right, y down, (0, 0) the upper left *corner* of the first pixel.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Polygon: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[Polygon, ...]
Box: TypeAlias = tuple[float, float, float, float]


def area(shape: Shape) -> float:
    """Area of a shape in square pixels (shoelace formula, parts added up)."""
    total = 0.0
    for part in shape:
        x, y = part[:, 0], part[:, 1]
        open_sum = np.dot(x[:-1], y[1:]) - np.dot(y[:-1], x[1:])
        total += 0.5 * abs(float(open_sum + x[-1] * y[0] - y[-1] * x[0]))
    return total


def extent(shape: Shape) -> Box:
    """Tight box of a shape as (x, y, width, height).

    Raises:
        ValueError: the shape has no part.
    """
    points = np.concatenate(shape)
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def rounded(shape: Shape, decimals: int = 2) -> Shape:
    """The shape with the decimals that the published files carry."""
    return tuple(np.round(part, decimals) for part in shape)


def clip_half_plane(
    polygon: Polygon, axis: Literal[0, 1], limit: float, keep: Literal["below", "above"]
) -> Polygon:
    """Sutherland-Hodgman cut of one polygon by an axis-parallel line.

    A concave polygon that the line splits comes back as one polygon whose pieces are joined along
    the line: area and extent stay exact.

    Args:
        polygon: float64 [N, 2].
        axis: 0 cuts at x = limit, 1 at y = limit.
        limit: position of the line, pixels.
        keep: the side that stays.

    Returns:
        float64 [M, 2]; M = 0 if nothing is left.
    """
    sign = 1.0 if keep == "below" else -1.0
    depth = sign * (limit - polygon[:, axis])
    if np.all(depth >= 0):
        return polygon
    points: list[NDArray[np.float64]] = []
    for here in range(len(polygon)):
        there = (here + 1) % len(polygon)
        if depth[here] >= 0:
            points.append(polygon[here])
        if (depth[here] >= 0) != (depth[there] >= 0):
            share = depth[here] / (depth[here] - depth[there])
            cut = polygon[here] + share * (polygon[there] - polygon[here])
            cut[axis] = limit
            points.append(cut)
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def clip_to_frame(shape: Shape, width: float, height: float) -> Shape:
    """The part of a shape inside [0, width] x [0, height]; parts outside vanish."""
    kept: list[Polygon] = []
    for part in shape:
        polygon = clip_half_plane(part, 0, 0.0, "above")
        for axis, limit in ((0, width), (1, 0.0), (1, height)):
            if len(polygon):
                keep: Literal["below", "above"] = "above" if limit == 0.0 else "below"
                polygon = clip_half_plane(polygon, 0 if axis == 0 else 1, limit, keep)
        if len(polygon) >= 3:
            kept.append(polygon)
    return tuple(kept)


def behind_post(shape: Shape, left: float, right: float) -> Shape:
    """What is seen of a shape behind an upright post between x = left and x = right."""
    kept: list[Polygon] = []
    for part in shape:
        for limit, keep in ((left, "below"), (right, "above")):
            side: Literal["below", "above"] = "below" if keep == "below" else "above"
            polygon = clip_half_plane(part, 0, limit, side)
            if len(polygon) >= 3:
                kept.append(polygon)
    return tuple(kept)


def without_slivers(shape: Shape, smallest: float) -> Shape:
    """The parts of at least `smallest` square pixels, as an annotator would draw them."""
    return tuple(part for part in shape if area((part,)) >= smallest)


def raster(shape: Shape, width: int, height: int, scale: int = 1) -> NDArray[np.bool_]:
    """Pixels whose centre the shape covers.

    Args:
        shape: polygons in corner coordinates.
        width: of the frame, pixels.
        height: of the frame, pixels.
        scale: pixels of the result per unit of the coordinates.

    Returns:
        bool [height * scale, width * scale].
    """
    return np.asarray(mask_image(shape, width, height, scale)) > 0


def mask_image(shape: Shape, width: int, height: int, scale: int = 1) -> Image.Image:
    """As `raster`, as an 8-bit PIL image with 0 and 255."""
    image = Image.new("L", (width * scale, height * scale))
    draw = ImageDraw.Draw(image)
    for part in shape:
        draw.polygon(pixel_points(part, scale), fill=255)
    return image


def pixel_points(polygon: Polygon, scale: int = 1) -> list[tuple[float, float]]:
    """Points as PIL wants them: whole numbers name pixel centres, not corners."""
    moved = polygon * scale - 0.5
    return [(float(x), float(y)) for x, y in moved]
