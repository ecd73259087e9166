"""Generates what an evaluation is timed on: ground truth of LVIS v0.5's val size, and results.

    python benchmarks/evaluation_world.py FOLDER [--images 5000]

Contents are random; the shapes are real ones: 5,000 images, 50,763 objects as polygons of 24
points, 1,230 categories, of which each image judges some, and 300 detections an image: four near
each object, most under its name, the others anywhere. Two results files hold the same detections,
one their boxes, the other their masks (ellipses, as run lengths).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ensemble_world import (
    CATEGORIES,
    HEIGHT,
    WIDTH,
    Objects,
    category_weights,
    draw_objects,
    write_truth,
)
from pycocotools import mask as coco_mask

DETECTIONS = 300
"""An image."""

COPIES = 4
POINTS = 24
IMAGES_AT_ONCE = 100


@dataclass(frozen=True)
class World:
    """Paths of the ground truth and of the results."""

    truth: Path
    boxes: Path
    masks: Path

    @classmethod
    def at(cls, folder: Path) -> World:
        """The files in a folder, there or yet to be made."""
        return cls(folder / "lvis_val.json", folder / "boxes.json", folder / "masks.json")


def make_world(folder: Path, images: int, seed: int = 0) -> None:
    """Writes the files, unless they are there."""
    world = World.at(folder)
    if all(path.is_file() for path in (world.truth, world.boxes, world.masks)):
        return
    rng = np.random.default_rng(seed)
    weight = category_weights(rng)
    objects = draw_objects(rng, images, weight)
    corners = outlines(objects.bbox, rng)
    tight = np.concatenate([corners.min(axis=1), np.ptp(corners, axis=1)], axis=1).round(2)
    objects = Objects(objects.image, objects.category, tight)
    write_truth(world.truth, objects, images, rng, corners.reshape(len(corners), -1).tolist())
    chance = weight**0.5 / (weight**0.5).sum()
    with world.boxes.open("w") as boxes, world.masks.open("w") as masks:
        for start in range(0, images, IMAGES_AT_ONCE):
            end = min(start + IMAGES_AT_ONCE, images)
            rows = detections(objects, start, end, chance, rng)
            write(rows, boxes, masks, opening="," if start else "[")
        boxes.write("\n]\n")
        masks.write("\n]\n")


def outlines(boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Uneven ellipses in boxes, float64 [N, POINTS, 2]."""
    turn = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    radius = rng.uniform(0.8, 1, (len(boxes), POINTS, 1))
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius
    centre, half = boxes[:, None, :2] + boxes[:, None, 2:] / 2, boxes[:, None, 2:] / 2
    return np.round(centre + unit * half, 2)


def detections(
    objects: Objects, start: int, end: int, chance: np.ndarray, rng: np.random.Generator
) -> list[tuple[int, int, float, list[float]]]:
    """(image id, category id, score, box) of some images, by image."""
    here = slice(*np.searchsorted(objects.image, [start, end]))
    image = np.repeat(objects.image[here], COPIES)
    box = np.repeat(objects.bbox[here], COPIES, axis=0)
    drift = rng.exponential(0.08, len(image))
    box = box + rng.normal(0, 1, box.shape) * drift[:, None] * box[:, [2, 3, 2, 3]]
    own = np.repeat(objects.category[here], COPIES)
    category = np.where(
        rng.random(len(image)) < 0.7, own, rng.choice(CATEGORIES, len(image), p=chance)
    )
    score = np.exp(-6 * drift) * rng.beta(2, 2, len(image))
    near = np.bincount(image - start, minlength=end - start)
    more = np.repeat(np.arange(start, end), np.maximum(DETECTIONS - near, 0))
    side = np.exp(rng.uniform(np.log(8), np.log(300), (len(more), 2)))
    corner = rng.uniform(0, 1, (len(more), 2)) * (np.array([WIDTH, HEIGHT]) - side)
    image = np.concatenate([image, more])
    category = np.concatenate([category, rng.choice(CATEGORIES, len(more), p=chance)])
    score = np.concatenate([score, rng.beta(0.3, 12, len(more))])
    box = np.concatenate([box, np.concatenate([corner, side], axis=1)])
    box[:, :2] = box[:, :2].clip(0, [WIDTH - 2, HEIGHT - 2])
    box[:, 2:] = box[:, 2:].clip(1, [WIDTH, HEIGHT] - box[:, :2])
    order = np.lexsort((-score, image))
    columns = (image + 1, category + 1, score.clip(1e-4, 1).round(6), box.round(2))
    return list(zip(*(column[order].tolist() for column in columns), strict=True))


def write(rows: list[tuple[int, int, float, list[float]]], boxes, masks, opening: str) -> None:
    """Appends entries to both files."""
    heads = [
        f'{{"image_id": {image}, "category_id": {category}, "score": {score}, '
        for image, category, score, _ in rows
    ]
    found = np.array([row[3] for row in rows])
    turn = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=1) / 2
    corners = found[:, None, :2] + found[:, None, 2:] * (unit + 0.5)
    runs = coco_mask.frPyObjects(corners.reshape(len(rows), -1).tolist(), HEIGHT, WIDTH)
    boxes.write(f"{opening}\n")
    boxes.write(
        ",\n".join(f'{head}"bbox": {row[3]}}}' for head, row in zip(heads, rows, strict=True))
    )
    masks.write(f"{opening}\n")
    masks.write(
        ",\n".join(
            f'{head}"segmentation": {json.dumps({**run, "counts": run["counts"].decode()})}}}'
            for head, run in zip(heads, runs, strict=True)
        )
    )


def main() -> None:
    """Make the files in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=5000)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    make_world(arguments.folder, arguments.images)


if __name__ == "__main__":
    main()
