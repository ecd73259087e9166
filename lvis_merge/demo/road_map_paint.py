"""Pixels of a road-map picture: backdrop, hue, texture, light, camera.

Hue and texture are drawn so that only the pixels tell them: every object has a shade of its own
hue, and a pattern is sometimes darker, sometimes lighter than its ground.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lvis_merge.demo.polygons import extent, mask_image
from lvis_merge.demo.road_map_classes import RoadMapClass, load_looks
from lvis_merge.demo.road_map_design import RoadMapDesign
from lvis_merge.demo.road_map_scene import sheet
from lvis_merge.demo.scene import Item, Scene

_FINE = 3  # outlines are filled at three times the size, then reduced: smooth edges
_HUE_NOISE = 9.0  # degrees
_STRIPE = 0.55  # period of stripes and dots, where an object is 2 wide
_PAPER = (226.0, 222.0, 208.0)

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """How pictures of a source look.

    Attributes:
        other_backdrops: share of the pictures before planks instead of a room.
        colours: what red, green and blue are multiplied with.
        noise: standard deviation, of 255 levels.
    """

    other_backdrops: float
    colours: tuple[float, float, float]
    noise: float


def usual_camera(design: RoadMapDesign) -> Camera:
    """Of LVIS and COCO."""
    return Camera(0.0, (1.0, 1.0, 1.0), design.noise)


def shifted_camera(design: RoadMapDesign) -> Camera:
    """Of Open Images, as far away as the design says."""
    red, green, blue = (1 + design.shift * (value - 1) for value in design.shifted_colours)
    noise = design.noise + design.shift * (design.shifted_noise - design.noise)
    return Camera(design.shift * design.shifted_backdrops, (red, green, blue), noise)


def paint_road_map(
    scene: Scene, classes: Mapping[str, RoadMapClass], camera: Camera, rng: np.random.Generator
) -> Image.Image:
    """Paint a scene.

    Args:
        scene: what stands where.
        classes: by name.
        camera: how the source's pictures look.
        rng: the only source of chance (backdrop, shades, patterns, noise).

    Returns:
        RGB image of the scene's size; every object covers just its visible outline.
    """
    planks = bool(rng.random() < camera.other_backdrops)
    canvas = (_planks if planks else _room)(scene.width, scene.height, rng)
    for item in scene.items:
        if item.style == "depiction":
            x, y, width, height = (round(value) for value in sheet(item))
            canvas[max(y, 0) : y + height, max(x, 0) : x + width] = _PAPER
        _paint_item(canvas, item, classes[item.class_name], rng)
    pixels = canvas * np.array(camera.colours, dtype=np.float32)
    pixels += rng.standard_normal(pixels.shape[:2], dtype=np.float32)[:, :, None] * camera.noise
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _muted(rng: np.random.Generator, light: float, colour: float) -> Pixels:
    """A greyish colour."""
    red, green, blue = colorsys.hsv_to_rgb(float(rng.random()), colour, light)
    return np.array([red, green, blue], dtype=np.float32) * 255


def _blotches(width: int, height: int, strength: float, rng: np.random.Generator) -> Pixels:
    grid = Image.fromarray(rng.standard_normal((5, 5), dtype=np.float32))
    soft = np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))
    return np.asarray(soft[:, :, None] * strength, dtype=np.float32)


def _room(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """A wall over a floor with a few grey boards, softly lit."""
    wall = _muted(rng, float(rng.uniform(0.55, 0.95)), 0.12)
    floor = _muted(rng, float(rng.uniform(0.35, 0.8)), 0.15)
    canvas = np.empty((height, width, 3), dtype=np.float32)
    horizon = int(rng.uniform(0.35, 0.75) * height)
    canvas[:horizon] = wall
    canvas[horizon:] = floor
    for _ in range(int(rng.integers(1, 5))):
        left, top = int(rng.integers(width)), int(rng.integers(height))
        across, down = int(rng.integers(8, 50)), int(rng.integers(4, 30))
        canvas[top : top + down, left : left + across] += float(rng.normal(0, 22))
    return canvas + _blotches(width, height, 9.0, rng)


def _planks(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Slanting planks of a darker, greenish or bluish ground, each in a shade of its own."""
    ground = np.array(colorsys.hsv_to_rgb(float(rng.uniform(0.3, 0.6)), 0.28, 1.0)) * 255
    light = float(rng.uniform(0.3, 0.6))
    angle = float(rng.uniform(0, np.pi))
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    along = (np.cos(angle) * x + np.sin(angle) * y) / float(rng.uniform(7, 16))
    board = np.floor(along).astype(np.int64)
    shades = light + rng.normal(0, 0.07, int(np.ptp(board)) + 1)
    shade = shades[board - board.min()] * np.where(along - board < 0.12, 0.6, 1.0)
    canvas = np.asarray(shade[:, :, None] * ground, dtype=np.float32)
    return canvas + _blotches(width, height, 6.0, rng)


def _paint_item(canvas: Pixels, item: Item, cls: RoadMapClass, rng: np.random.Generator) -> None:
    """Paint one object onto the canvas, float32 [height, width, 3], in place."""
    x, y, width, height = extent(item.visible)
    left, top = max(int(x) - 1, 0), max(int(y) - 1, 0)
    right = min(int(x + width) + 2, canvas.shape[1])
    bottom = min(int(y + height) + 2, canvas.shape[0])
    corner = np.array([left, top], dtype=np.float64)
    local = tuple(part - corner for part in item.visible)
    mask = mask_image(local, right - left, bottom - top, _FINE).reduce(_FINE)
    cover = np.asarray(mask, dtype=np.float32)[:, :, None] / 255
    surface = _surface(item, cls, (left, top, right, bottom), rng)
    patch = canvas[top:bottom, left:right]
    patch += (surface - patch) * cover


def _surface(
    item: Item, cls: RoadMapClass, box: tuple[int, int, int, int], rng: np.random.Generator
) -> Pixels:
    """Colours of an object over a box of pixels, float32 [height, width, 3]."""
    left, top, right, bottom = box
    hue = (load_looks().hues[cls.hue] + float(rng.normal(0, _HUE_NOISE))) / 360
    saturation, light = float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.55, 0.9))
    if item.style == "depiction":
        saturation *= 0.45
    ground = np.array(colorsys.hsv_to_rgb(hue % 1, saturation, light), dtype=np.float32) * 255
    u, v = _glyph_coordinates(item, left, top, right, bottom)
    pattern = _pattern(cls.texture, u, v, rng)[:, :, None]
    # Darker or lighter than the ground: its mean says nothing of the texture.
    other = ground * 0.45 if rng.random() < 0.5 else ground * 0.35 + 160
    shaded = (ground + (other - ground) * pattern) * (1.0 - 0.1 * (u + v))[:, :, None]
    return np.asarray(shaded, dtype=np.float32)


def _glyph_coordinates(
    item: Item, left: int, top: int, right: int, bottom: int
) -> tuple[Pixels, Pixels]:
    """Where pixels lie in an object's own square, float32 [height, width] each."""
    inverse = np.linalg.inv(item.matrix[:, :2])
    dx = np.arange(left, right)[None, :] + 0.5 - item.matrix[0, 2]
    dy = np.arange(top, bottom)[:, None] + 0.5 - item.matrix[1, 2]
    u = inverse[0, 0] * dx + inverse[0, 1] * dy
    v = inverse[1, 0] * dx + inverse[1, 1] * dy
    return u.astype(np.float32), v.astype(np.float32)


def _pattern(texture: str, u: Pixels, v: Pixels, rng: np.random.Generator) -> Pixels:
    """How much of the pattern's colour there is, 0 to 1, float32 [height, width]."""
    phase, slant = rng.uniform(0, 2 * np.pi, 2), float(rng.normal(0, 0.3))
    wave = np.float32(2 * np.pi / _STRIPE)
    across = wave * (np.cos(slant) * u + np.sin(slant) * v) + phase[0]
    if texture == "striped":
        strength = np.sin(across) * 2.5
    elif texture == "dotted":
        along = wave * (np.cos(slant) * v - np.sin(slant) * u) + phase[1]
        strength = (np.cos(across) + np.cos(along) - 0.35) * 1.8
    else:
        return np.zeros_like(u)
    return np.asarray(np.clip(0.5 + strength, 0, 1), dtype=np.float32)
