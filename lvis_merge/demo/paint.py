"""Pixels of a composed scene: backdrop, objects with texture, light and shade, camera noise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFilter

from lvis_merge.demo.classes import DemoClass
from lvis_merge.demo.glyphs import load_glyphs
from lvis_merge.demo.polygons import Shape, extent, mask_image, pixel_points
from lvis_merge.demo.scene import POSTER_RIM, Item, Scene, to_pixels

_SCALE = 2  # painted at twice the size, then reduced: smooth edges
_NOISE = 3.5

Pixels = NDArray[np.float32]


@cache
def load_scenery() -> Mapping[str, Any]:
    """Backdrop colours, and the names in picture credits, from `data/scenery.json`."""
    text = resources.files("lvis_merge.demo").joinpath("data/scenery.json").read_text("utf-8")
    scenery: dict[str, Any] = json.loads(text)
    return scenery


def paint(scene: Scene, classes: Mapping[str, DemoClass], rng: np.random.Generator) -> Image.Image:
    """Paint a scene.

    Args:
        scene: what stands where.
        classes: looks of the classes in it, by name.
        rng: the only source of chance (colours, texture, noise).

    Returns:
        RGB image of the scene's size; every object covers just its visible outline.
    """
    canvas = _backdrop(scene, rng).resize(
        (scene.width * _SCALE, scene.height * _SCALE), Image.Resampling.NEAREST
    )
    for item in scene.items:
        if item.style == "inside":
            _paint_cabin(canvas)
        else:
            _paint_item(canvas, item, classes[item.class_name], rng)
    if scene.post is not None:
        _paint_post(canvas, scene.post)
    pixels = np.asarray(canvas.reduce(_SCALE), dtype=np.float32)
    noise = rng.normal(0.0, _NOISE, (scene.height, scene.width, 1)).astype(np.float32)
    return _image(pixels + noise)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _rgb(colour: str) -> Pixels:
    return np.array(ImageColor.getrgb(colour)[:3], dtype=np.float32)


def _backdrop(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """A wall or sky over a table or ground, with soft blotches of light."""
    choice = load_scenery()["backdrops"][int(rng.integers(len(load_scenery()["backdrops"])))]
    far, near = _rgb(choice["far"]), _rgb(choice["near"])
    horizon = float(choice["horizon"]) + float(rng.uniform(-0.08, 0.08))
    y = np.linspace(0, 1, scene.height, dtype=np.float32)[:, None, None]
    step = 1 / (1 + np.exp(-(y - horizon) * 60))
    light = 1.04 - 0.16 * np.where(y < horizon, y / horizon, (1 - y) / (1 - horizon))
    pixels = (far * (1 - step) + near * step) * light
    grid = rng.normal(0, 1, (6, 8)).astype(np.float32)
    blotches = Image.fromarray(grid).resize((scene.width, scene.height), Image.Resampling.BICUBIC)
    return _image(pixels + np.asarray(blotches)[:, :, None] * 5.0)


def _colours(cls: DemoClass, rng: np.random.Generator) -> dict[str, tuple[int, int, int]]:
    """The class's colours, each object a shade of its own."""
    shift = rng.normal(0, 7, 3)
    light = float(rng.uniform(0.9, 1.08))
    found = {}
    for key, colour in zip("abc", cls.colours, strict=True):
        red, green, blue = np.clip(_rgb(colour) * light + shift, 0, 255).astype(int)
        found[key] = (int(red), int(green), int(blue))
    return found | {"dark": (30, 28, 30), "light": (248, 246, 240)}


def _paint_item(canvas: Image.Image, item: Item, cls: DemoClass, rng: np.random.Generator) -> None:
    """Paint one object onto the canvas, inside its silhouette only."""
    glyph = load_glyphs()[cls.glyph]
    whole = to_pixels(item.matrix, glyph.silhouette)
    x, y, width, height = extent(whole)
    rim = POSTER_RIM * _SCALE if item.style == "depiction" else 6
    left, top = int(x * _SCALE) - rim, int(y * _SCALE) - rim
    right, bottom = int((x + width) * _SCALE) + rim + 1, int((y + height) * _SCALE) + rim + 1
    if item.style == "depiction":
        _paint_poster(canvas, (left, top, right - 1, bottom - 1))
    patch = canvas.crop((left, top, right, bottom))
    corner = np.array([left, top], dtype=np.float64) / _SCALE

    def local(shape: Shape) -> Shape:
        return tuple(part - corner for part in shape)

    frame = (-(-patch.width // _SCALE), -(-patch.height // _SCALE))
    mask = mask_image(local(whole), *frame, _SCALE).crop((0, 0, *patch.size))
    layer = Image.new("RGB", patch.size)
    draw = ImageDraw.Draw(layer)
    colours = _colours(cls, rng)
    for part in (*glyph.parts, *glyph.details):
        (polygon,) = local(to_pixels(item.matrix, (part.polygon,)))
        draw.polygon(pixel_points(polygon, _SCALE), fill=colours[part.fill])
    pixels = np.asarray(layer, dtype=np.float32)
    pixels = pixels * _surface(item, cls.texture, patch.size, (left, top), rng)[:, :, None]
    pixels[_rim(np.asarray(mask) > 0)] *= 0.55
    if item.style == "depiction":
        grey = pixels.mean(axis=2, keepdims=True)
        pixels = grey * np.array([0.82, 0.72, 0.55], dtype=np.float32) + 30
    elif not item.in_crowd:
        shade = mask.filter(ImageFilter.BoxBlur(4)).point([value // 5 for value in range(256)])
        patch.paste((20, 18, 22), (2, 4), shade.crop((0, 0, patch.width - 2, patch.height - 4)))
    patch.paste(_image(pixels), (0, 0), mask)
    canvas.paste(patch, (left, top))


def _rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask that touch its outside, same shape."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return mask & ~inner


def _surface(
    item: Item,
    texture: str,
    size: tuple[int, int],
    corner: tuple[int, int],
    rng: np.random.Generator,
) -> Pixels:
    """Brightness over a patch of the canvas, float32 [height, width], 1 = unchanged."""
    columns = (np.arange(size[0], dtype=np.float32) + corner[0] + 0.5) / _SCALE
    rows = (np.arange(size[1], dtype=np.float32) + corner[1] + 0.5) / _SCALE
    inverse = np.linalg.inv(item.matrix[:, :2]).astype(np.float32)
    dx = columns[None, :] - np.float32(item.matrix[0, 2])
    dy = rows[:, None] - np.float32(item.matrix[1, 2])
    u = inverse[0, 0] * dx + inverse[0, 1] * dy
    v = inverse[1, 0] * dx + inverse[1, 1] * dy
    scale = np.float32(np.sqrt(abs(np.linalg.det(item.matrix[:, :2]))))
    light = 1.03 - 0.09 * (dx + 2 * dy) / (2 * scale)  # light from the upper left
    if texture == "gloss":
        light = light + 0.4 * np.exp(-((u + 0.35) ** 2 + (v + 0.4) ** 2) / 0.06)
    elif texture == "stripes":
        light = light * (1 + 0.14 * np.sign(np.sin(11 * u + 3 * v)))
    elif texture == "dots":
        light = light * (1 - 0.16 * ((np.sin(9 * u) * np.sin(9 * v)) > 0.55))
    elif texture == "grain":
        light = light * (1 + 0.1 * np.sin(24 * u + 4 * np.sin(3 * v)))
    elif texture == "speckle":
        coarse = rng.normal(0, 0.11, (-(-size[1] // 4), -(-size[0] // 4))).astype(np.float32)
        fine = Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)
        light = light * (1 + np.asarray(fine))
    return np.asarray(light, dtype=np.float32)


def _paint_poster(canvas: Image.Image, box: tuple[int, int, int, int]) -> None:
    """A framed sheet of paper behind a depicted object."""
    colours = load_scenery()["poster"]
    draw = ImageDraw.Draw(canvas)
    draw.rectangle(box, fill=colours["frame"])
    inner = (box[0] + 4, box[1] + 4, box[2] - 4, box[3] - 4)
    draw.rectangle(inner, fill=colours["paper"])


def _paint_cabin(canvas: Image.Image) -> None:
    """The view out of a cabin: walls, two windows, a panel."""
    colours = load_scenery()["cabin"]
    width, height = canvas.size
    outside = canvas.copy()
    walls = Image.new("L", canvas.size, 255)
    draw = ImageDraw.Draw(walls)
    for low, high in ((0.06, 0.48), (0.52, 0.94)):
        window = (low * width, 0.1 * height, high * width, 0.74 * height)
        draw.rounded_rectangle(window, radius=0.06 * width, fill=0)
    canvas.paste(colours["wall"], (0, 0, width, height))
    trim = walls.filter(ImageFilter.MinFilter(9))
    canvas.paste(colours["trim"], (0, 0), walls.point([255 - v for v in range(256)]))
    canvas.paste(outside, (0, 0), trim.point([255 - v for v in range(256)]))
    draw = ImageDraw.Draw(canvas)
    for step in range(7):
        x = (0.2 + 0.1 * step) * width
        y, r = 0.87 * height, 0.022 * width
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colours["trim"])


def _paint_post(canvas: Image.Image, post: tuple[float, float]) -> None:
    """The upright post in front of everything."""
    colours = load_scenery()["post"]
    left, right = (edge * _SCALE for edge in post)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left, 0, right - 1, canvas.height), fill=colours["colour"])
    draw.rectangle((left + 2, 0, left + 4, canvas.height), fill=colours["light"])
