"""Generates what an ensemble is timed on: ground truth and three pools of LVIS v0.5's val size.

    python benchmarks/ensemble_world.py FOLDER [--images 5000]

Contents are random; the shapes are real ones: 5,000 images, 50,763 objects, 1,230 categories
(454 rare, 461 common, 315 frequent), and 1,000 detections an image from a model that knows all
categories, one that knows 75, most of them frequent (as COCO's), and one that knows 110 rare and
common ones (as Open Images'). Models find objects and, where they are wrong, partly the same
things: 1,200 places an image. Pools went through class-wise NMS at 0.5, as a model's own do.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lvis_merge.evaluation.detections import Detections
from lvis_merge.testing.fusion.nms import kept_by_nms
from lvis_merge.testing.fusion.overlaps import overlapping_pairs
from lvis_merge.testing.pools import POOL_SIZE, pool_writer

WIDTH, HEIGHT = 640, 480
RARE, COMMON, FREQUENT = 454, 461, 315
CATEGORIES = RARE + COMMON + FREQUENT
GROUPS = np.repeat(["r", "c", "f"], [RARE, COMMON, FREQUENT])
OBJECTS_PER_IMAGE = 50_763 / 5_000
PLACES_PER_IMAGE = 1200
IMAGES_AT_ONCE = 250


@dataclass(frozen=True)
class World:
    """Paths of the ground truth and of the pools, the main one first."""

    truth: Path
    pools: tuple[Path, ...]

    @classmethod
    def at(cls, folder: Path) -> World:
        """The files in a folder, there or yet to be made."""
        names = ("main", "coco", "open_images")
        return cls(folder / "lvis_val.json", tuple(folder / f"{name}.parquet" for name in names))


@dataclass(frozen=True)
class Objects:
    """What is on the images, by image: positions, categories (from 0), x, y, w, h."""

    image: np.ndarray
    category: np.ndarray
    bbox: np.ndarray


def make_world(folder: Path, images: int, seed: int = 0) -> None:
    """Writes the files, unless they are there."""
    world = World.at(folder)
    if all(path.is_file() for path in (world.truth, *world.pools)):
        return
    rng = np.random.default_rng(seed)
    every = np.arange(CATEGORIES)
    weight = category_weights(rng)
    objects = draw_objects(rng, images, weight)
    write_truth(world.truth, objects, images, rng)
    places = draw_places(rng, images, weight)
    coco = np.concatenate(
        [
            rng.choice(every[GROUPS == "f"], 70, replace=False),
            rng.choice(every[GROUPS == "c"], 5, replace=False),
        ]
    )
    open_images = rng.choice(every[GROUPS != "f"], 110, replace=False)
    for path, known in zip(world.pools, (every, coco, open_images), strict=True):
        _write_pool(path, objects, places, images, np.sort(known), weight, rng)


def category_weights(rng: np.random.Generator) -> np.ndarray:
    """How common the categories are, float64 [CATEGORIES]."""
    weight = np.select([GROUPS == "r", GROUPS == "c"], [0.01, 0.1], 1.0)
    return weight * rng.lognormal(0, 1, CATEGORIES)


def draw_objects(rng: np.random.Generator, images: int, weight: np.ndarray) -> Objects:
    """Places objects on images, about ten on each."""
    count = round(images * OBJECTS_PER_IMAGE)
    image = np.sort(rng.integers(0, images, count))
    category = rng.choice(CATEGORIES, count, p=weight / weight.sum())
    return Objects(image, category, np.round(_boxes_anywhere(rng, count, 10), 2))


def draw_places(rng: np.random.Generator, images: int, weight: np.ndarray) -> Objects:
    """Things that look like objects to every model."""
    count = images * PLACES_PER_IMAGE
    image = np.repeat(np.arange(images), PLACES_PER_IMAGE)
    category = rng.choice(CATEGORIES, count, p=weight**0.5 / (weight**0.5).sum())
    return Objects(image, category, _boxes_anywhere(rng, count, 8))


def _boxes_anywhere(rng: np.random.Generator, count: int, smallest: float) -> np.ndarray:
    side = np.exp(rng.uniform(np.log(smallest), np.log(300), (count, 2)))
    corner = rng.uniform(0, 1, (count, 2)) * (np.array([WIDTH, HEIGHT]) - side)
    return np.concatenate([corner, side], axis=1)


def write_truth(
    path: Path,
    objects: Objects,
    images: int,
    rng: np.random.Generator,
    polygons: list[list[float]] | None = None,
) -> None:
    """Writes an LVIS file, with a polygon for each object if there are any."""
    starts = np.searchsorted(objects.image, np.arange(images + 1))
    rows = []
    for number in range(images):
        present = np.unique(objects.category[starts[number] : starts[number + 1]])
        absent = np.setdiff1d(rng.integers(0, CATEGORIES, 6), present)
        partly = present[rng.random(len(present)) < 0.1]
        rows.append(
            {
                "id": number + 1, "width": WIDTH, "height": HEIGHT,
                "coco_url": f"http://images.cocodataset.org/val2017/{number + 1:012d}.jpg",
                "neg_category_ids": (absent + 1).tolist(),
                "not_exhaustive_category_ids": (partly + 1).tolist(),
            }
        )  # fmt: skip
    columns = (objects.image.tolist(), objects.category.tolist(), objects.bbox.tolist())
    annotations = [
        {
            "id": number, "image_id": image + 1, "category_id": category + 1, "bbox": box,
            "area": box[2] * box[3], "segmentation": [polygons[number - 1]] if polygons else [],
        }
        for number, (image, category, box) in enumerate(zip(*columns, strict=True), 1)
    ]  # fmt: skip
    categories = [
        {"id": c + 1, "name": f"c{c}", "synset": f"c{c}.n.01", "frequency": group}
        for c, group in enumerate(GROUPS.tolist())
    ]
    content = {"images": rows, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))


def _write_pool(
    path: Path,
    objects: Objects,
    places: Objects,
    images: int,
    known: np.ndarray,
    weight: np.ndarray,
    rng: np.random.Generator,
) -> None:
    listed = known + 1 if len(known) < CATEGORIES else None
    with pool_writer(path, known_category_ids=listed) as writer:
        for start in range(0, images, IMAGES_AT_ONCE):
            end = min(start + IMAGES_AT_ONCE, images)
            writer.write(_detections(objects, places, start, end, known, weight, rng))


def _detections(
    objects: Objects,
    places: Objects,
    start: int,
    end: int,
    known: np.ndarray,
    weight: np.ndarray,
    rng: np.random.Generator,
) -> Detections:
    """Copies of each object, moved, a few under another name; common places; the rest anywhere."""
    here = slice(*np.searchsorted(objects.image, [start, end]))
    copies = 12
    image = np.repeat(objects.image[here] - start, copies)
    category = np.repeat(objects.category[here], copies)
    box = np.repeat(objects.bbox[here], copies, axis=0)
    drift = rng.exponential(0.12, len(image))
    box = box + rng.normal(0, 1, box.shape) * drift[:, None] * box[:, [2, 3, 2, 3]]
    box[:, 2:] = np.maximum(box[:, 2:], 1)
    taken = known[rng.choice(len(known), len(image), p=weight[known] / weight[known].sum())]
    category = np.where(np.isin(category, known) & (rng.random(len(image)) < 0.7), category, taken)
    score = np.exp(-6 * drift) * rng.beta(2, 2, len(image)) * weight[category].clip(0.02, 1) ** 0.5
    here = np.arange(*np.searchsorted(places.image, [start, end]))
    seen = here[np.isin(places.category[here], known) & (rng.random(len(here)) < 0.8)]
    moved = places.bbox[seen]
    moved = moved + rng.normal(0, 0.05, moved.shape) * moved[:, [2, 3, 2, 3]]
    image = np.concatenate([image, places.image[seen] - start])
    category = np.concatenate([category, places.category[seen]])
    box = np.concatenate([box, moved])
    score = np.concatenate([score, 0.01 + rng.beta(0.5, 8, len(seen))])
    more = (end - start) * POOL_SIZE * 3 // 2
    image = np.concatenate([image, rng.integers(0, end - start, more)])
    spread = weight[known] ** 0.5 / (weight[known] ** 0.5).sum()
    category = np.concatenate([category, known[rng.choice(len(known), more, p=spread)]])
    box = np.concatenate([box, _boxes_anywhere(rng, more, 8)]).astype(np.float32)
    score = np.concatenate([score, 1e-4 + rng.beta(0.3, 12, more)]).clip(1e-4, 0.999)
    score = score.astype(np.float32).astype(np.float64)
    pairs = overlapping_pairs(image.astype(np.int32), category.astype(np.int32), box, 0.5)
    rows = np.flatnonzero(kept_by_nms(*pairs, score))
    rows = rows[np.lexsort((-score[rows], image[rows]))]
    first = np.searchsorted(image[rows], np.arange(end - start))
    rows = rows[np.arange(len(rows)) - first[image[rows]] < POOL_SIZE]
    return Detections(
        entry=np.arange(1, len(rows) + 1),
        image_id=image[rows] + start + 1,
        category_id=category[rows] + 1,
        score=score[rows],
        bbox=box[rows].astype(np.float64),
        mask=None,
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
