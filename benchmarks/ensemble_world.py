"""Generates what an ensemble is timed on: ground truth and three pools of LVIS v0.5's val size.

Contents are random; the shapes are real ones: 5,000 images, 50,763 objects, 1,230 categories
(454 rare, 461 common, 315 frequent), and 1,000 detections an image from a model that knows all
categories, one that knows 75, most of them frequent (as COCO's), and one that knows 110 rare and
common ones (as Open Images'). Pools went through class-wise NMS at 0.5, as a model's own do.
"""

from __future__ import annotations

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
OBJECTS_PER_IMAGE = 50_763 / 5_000
IMAGES_AT_ONCE = 250


@dataclass(frozen=True)
class World:
    """Paths of the ground truth and of the pools, the main one first."""

    truth: Path
    pools: tuple[Path, ...]


@dataclass(frozen=True)
class Objects:
    """What is on the images, by image: positions, categories (from 0), x, y, w, h."""

    image: np.ndarray
    category: np.ndarray
    bbox: np.ndarray


def make_world(folder: Path, images: int, seed: int = 0) -> World:
    """Writes the files, unless they are there."""
    names = ("main", "coco", "open_images")
    world = World(folder / "lvis_val.json", tuple(folder / f"{name}.parquet" for name in names))
    if all(path.is_file() for path in (world.truth, *world.pools)):
        return world
    rng = np.random.default_rng(seed)
    every = np.arange(CATEGORIES)
    groups = np.repeat(["r", "c", "f"], [RARE, COMMON, FREQUENT])
    weight = np.select([groups == "r", groups == "c"], [0.01, 0.1], 1.0)
    weight *= rng.lognormal(0, 1, CATEGORIES)
    objects = _objects(rng, images, weight)
    _write_truth(world.truth, objects, images, groups, rng)
    coco = np.concatenate(
        [
            rng.choice(every[groups == "f"], 70, replace=False),
            rng.choice(every[groups == "c"], 5, replace=False),
        ]
    )
    open_images = rng.choice(every[groups != "f"], 110, replace=False)
    for path, known in zip(world.pools, (every, coco, open_images), strict=True):
        _write_pool(path, objects, images, np.sort(known), weight, rng)
    return world


def _objects(rng: np.random.Generator, images: int, weight: np.ndarray) -> Objects:
    count = round(images * OBJECTS_PER_IMAGE)
    image = np.sort(rng.integers(0, images, count))
    category = rng.choice(CATEGORIES, count, p=weight / weight.sum())
    side = np.exp(rng.uniform(np.log(10), np.log(300), (count, 2)))
    corner = rng.uniform(0, 1, (count, 2)) * (np.array([WIDTH, HEIGHT]) - side)
    return Objects(image, category, np.round(np.concatenate([corner, side], axis=1), 2))


def _write_truth(
    path: Path, objects: Objects, images: int, groups: np.ndarray, rng: np.random.Generator
) -> None:
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
            "area": box[2] * box[3], "segmentation": [],
        }
        for number, (image, category, box) in enumerate(zip(*columns, strict=True), 1)
    ]  # fmt: skip
    categories = [
        {"id": c + 1, "name": f"c{c}", "synset": f"c{c}.n.01", "frequency": group}
        for c, group in enumerate(groups.tolist())
    ]
    content = {"images": rows, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))


def _write_pool(
    path: Path,
    objects: Objects,
    images: int,
    known: np.ndarray,
    weight: np.ndarray,
    rng: np.random.Generator,
) -> None:
    listed = known + 1 if len(known) < CATEGORIES else None
    with pool_writer(path, known_category_ids=listed) as writer:
        for start in range(0, images, IMAGES_AT_ONCE):
            end = min(start + IMAGES_AT_ONCE, images)
            writer.write(_detections(objects, start, end, known, weight, rng))


def _detections(
    objects: Objects,
    start: int,
    end: int,
    known: np.ndarray,
    weight: np.ndarray,
    rng: np.random.Generator,
) -> Detections:
    """Some copies of each object, moved, a few under another name; the rest anywhere."""
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
    more = (end - start) * POOL_SIZE * 3 // 2
    side = np.exp(rng.uniform(np.log(8), np.log(300), (more, 2)))
    corner = rng.uniform(0, 1, (more, 2)) * (np.array([WIDTH, HEIGHT]) - side)
    image = np.concatenate([image, rng.integers(0, end - start, more)])
    spread = weight[known] ** 0.5 / (weight[known] ** 0.5).sum()
    category = np.concatenate([category, known[rng.choice(len(known), more, p=spread)]])
    box = np.concatenate([box, np.concatenate([corner, side], axis=1)]).astype(np.float32)
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
