"""Objects of the generated images: their categories, places and polygons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from text_columns import lists, pick, rows
from world_coco_images import CocoImages

ANNOTATED_SHARE = 56_740 / 57_263


@dataclass(frozen=True)
class Objects:
    """Objects as columns, those of an image together."""

    image: NDArray[np.int64]
    """Place of the image in its table."""
    category: NDArray[np.int64]
    """Category id."""
    box: NDArray[np.float64]
    """x, y, w, h in pixels, ``[n, 4]``: where the object lies before its outline is drawn."""

    def take(self, index: NDArray[Any]) -> Objects:
        """The objects at these places."""
        return Objects(self.image[index], self.category[index], self.box[index])

    def by_image(self, rng: np.random.Generator, images: int) -> Objects:
        """Images in random order, the objects of an image one after the other."""
        return self.take(np.argsort(rng.permutation(images)[self.image], kind="stable"))


def random_boxes(rng: np.random.Generator, shapes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw a box inside each image of the given width and height: mostly small ones."""
    extent = shapes * rng.beta(0.7, 3.0, shapes.shape).clip(0.02, 1.0)
    return np.concatenate([rng.random(shapes.shape) * (shapes - extent), extent], axis=1)


def long_tailed_objects(
    rng: np.random.Generator, images: CocoImages, categories: list[dict[str, Any]], scale: float
) -> Objects:
    """Give each category as many images and instances as the category list says."""
    annotated = round(len(images.ids) * ANNOTATED_SHARE)
    # The first categories share out the images, so that every annotated image has an object.
    waiting = rng.permutation(annotated)
    placed, drawn = [], []
    for place in rng.permutation(len(categories)):
        category = categories[place]
        instances = max(1, round(category["instance_count"] * scale))
        count = min(annotated, instances, max(1, round(category["image_count"] * scale)))
        chosen, waiting = waiting[:count], waiting[count:]
        if len(chosen) < count:
            others = np.setdiff1d(np.arange(annotated), chosen)
            more = rng.choice(others, count - len(chosen), replace=False)
            chosen = np.concatenate([chosen, more])
        again = chosen[rng.integers(0, count, instances - count)]
        placed.append(np.concatenate([chosen, again]))
        drawn.append(np.full(instances, category["id"], np.int64))
    image = np.concatenate(placed)
    boxes = random_boxes(rng, images.shapes[image])
    return Objects(image, np.concatenate(drawn), boxes).by_image(rng, len(images.ids))


@dataclass(frozen=True)
class Outlines:
    """Rendered outlines of some objects."""

    segmentation: pa.Array
    """JSON text, a list of polygons."""
    box: NDArray[np.int64]
    """x, y, w, h tight around the outline, in hundredths of a pixel, ``[n, 4]``."""
    area: NDArray[np.float64]
    """Square pixels."""


def draw_outlines(
    rng: np.random.Generator, box: NDArray[np.float64], median: int, hundredths: pa.Array
) -> Outlines:
    """Draw one or several uneven ellipses in each box; about 10% have more than one part.

    Args:
        rng: for the shapes.
        box: x, y, w, h in pixels, ``[n, 4]``.
        median: points of the middling object.
        hundredths: rendered coordinates, entry i is i / 100.
    """
    count = len(box)
    parts = 1 + (rng.random(count) < 0.1) * rng.integers(1, 4, count)
    points = rng.lognormal(np.log(median), 0.85, count).astype(np.int64).clip(4, 500)
    owner = np.repeat(np.arange(count), parts)
    per_part = np.maximum(points[owner] // parts[owner], 3)
    first = np.cumsum(per_part) - per_part
    part = np.repeat(np.arange(len(owner)), per_part)
    step = np.arange(len(part)) - first[part]
    angle = 2 * np.pi * (step + 0.6 * rng.random(len(part))) / per_part[part]
    radius = 0.85 + 0.15 * rng.random(len(part))
    # The parts of an object stand side by side, each in its share of the width.
    rank = np.arange(len(owner)) - (np.cumsum(parts) - parts)[owner]
    half = box[owner, 2:] / 2 / np.stack([parts[owner], np.ones(len(owner))], axis=1)
    centre = box[owner, :2] + half * np.stack([2 * rank + 1, np.ones(len(owner))], axis=1)
    x = np.rint(100 * (centre[part, 0] + half[part, 0] * radius * np.cos(angle))).astype(np.int64)
    y = np.rint(100 * (centre[part, 1] + half[part, 1] * radius * np.sin(angle))).astype(np.int64)
    x, y = np.maximum(x, 0), np.maximum(y, 0)
    following = np.arange(1, len(part) + 1)
    following[first + per_part - 1] = first
    start = first[np.cumsum(parts) - parts]
    area = np.add.reduceat(x * y[following] - x[following] * y, start) / 20_000
    left, top = np.minimum.reduceat(x, start), np.minimum.reduceat(y, start)
    right, bottom = np.maximum.reduceat(x, start), np.maximum.reduceat(y, start)
    numbers = pick(hundredths, np.stack([x, y], axis=1).reshape(-1))
    polygons = lists(numbers, 2 * per_part, ", ")
    return Outlines(
        rows("[[", lists(polygons, parts, "], ["), "]]"),
        np.stack([left, top, right - left, bottom - top], axis=1),
        area,
    )


def draw_runs(rng: np.random.Generator, shapes: NDArray[np.int64]) -> pa.Array:
    """Render uncompressed run-length masks that cover images of the given width and height."""
    count = len(shapes)
    runs = rng.integers(60, 400, count)
    pixels = shapes.prod(axis=1)
    owner = np.repeat(np.arange(count), runs)
    length = 1 + (rng.random(len(owner)) * 1.9 * (pixels // runs)[owner]).astype(np.int64)
    last = np.cumsum(runs) - 1
    length[last] = 0
    rest = pixels - np.add.reduceat(length, last - runs + 1)
    # Where the runs overshoot the image they are shrunk; the last one takes what is left.
    over = (rest <= 0)[owner]
    length[over] = 1 + length[over] // 3
    length[last] = 0
    length[last] = pixels - np.add.reduceat(length, last - runs + 1)
    counts = lists(pa.array(length).cast(pa.string()), runs, ", ")
    height, width = (pa.array(shapes[:, i]).cast(pa.string()) for i in (1, 0))
    return rows('{"counts": [', counts, '], "size": [', height, ", ", width, "]}")
