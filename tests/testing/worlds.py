"""Generated worlds for the ensemble: detections of several models, and the tail crowded out."""

from __future__ import annotations

from typing import Any

import numpy as np

from lvis_merge.evaluation.pairs import Bools
from lvis_merge.testing.logits import clipped
from lvis_merge.testing.stack import Stack
from tests.evaluation.world import HEIGHT, WIDTH, World, category, found, image, thing

RARE, COMMON, FREQUENT = range(1, 7), range(7, 11), range(11, 17)
GROUPS = {**dict.fromkeys(RARE, "r"), **dict.fromkeys(COMMON, "c"), **dict.fromkeys(FREQUENT, "f")}


def random_stack(
    seed: int,
    knowing: Bools,
    images: int = 4,
    coarse: bool = True,
    boxes: int = 90,
    places: int = 3,
) -> Stack:
    """Boxes around a few places, so that many overlap.

    Args:
        seed: of the drawing.
        knowing: bool [K, C]; models find what they know.
        images: how many.
        coarse: coarse scores, so that many are equal; else all differ.
        boxes: how many an image, about; those of categories that a model does not know are not.
        places: how many there are; fewer have more overlaps.
    """
    rng = np.random.default_rng(seed)
    count = boxes * images
    models, categories = knowing.shape
    place = rng.integers(0, places, (count, 1)) * 22.0
    corner = place + rng.normal(0, 3, (count, 2)).round(1)
    side = rng.choice([16.0, 20.0, 24.0], (count, 2))
    side[rng.random(count) < 0.03] = 0.0
    model, category = rng.integers(0, models, count), rng.integers(0, categories, count)
    rows = np.flatnonzero(knowing[model, category])
    image = rng.integers(0, images, count)
    rows = rows[np.lexsort((model[rows], image[rows]))]
    score = rng.integers(0, 20, count) / 20 if coarse else rng.uniform(0.01, 0.99, count)
    return Stack(
        images=np.arange(images),
        image=image[rows].astype(np.int32),
        category=category[rows].astype(np.int32),
        model=model[rows].astype(np.int8),
        score=clipped(score[rows]),
        bbox=np.concatenate([corner, side], axis=1)[rows],
    )


def known_by(*members: str) -> Bools:
    """bool [K, C] of one text of 0 and 1 per model."""
    return np.array([[letter == "1" for letter in text] for text in members])


def crowded(seed: int, images: int = 24, clutter: int = 330) -> World:
    """The rare categories' right detections score low, below `clutter` others on every image."""
    rng = np.random.default_rng(seed)
    truth_images, objects, results = [], [], []
    for number in range(1, images + 1):
        present = [int(rng.choice(group)) for group in (RARE, RARE, COMMON, FREQUENT, FREQUENT)]
        truth_images.append(image(number, neg=sorted(set(GROUPS) - set(present))[:6]))
        for c in present:
            box = _box(rng)
            objects.append(thing(len(objects) + 1, number, c, box))
            low = {"r": (0.01, 0.05), "c": (0.5, 0.9), "f": (0.6, 0.95)}[GROUPS[c]]
            results.append(found(number, c, _moved(rng, box), _score(rng, *low)))
        for _ in range(4):
            results.append(
                found(number, int(rng.choice(RARE)), _box(rng), _score(rng, 0.001, 0.02))
            )
        for _ in range(clutter):
            c = int(rng.choice([*COMMON, *FREQUENT]))
            results.append(found(number, c, _box(rng), _score(rng, 0.06, 0.3)))
    rng.shuffle(results)  # type: ignore[arg-type]
    names = [category(c, group) for c, group in GROUPS.items()]
    return World({"images": truth_images, "annotations": objects, "categories": names}, results)


def expert_of(world: World, known: range, seed: int, lift: float) -> list[dict[str, Any]]:
    """A second model's detections: the objects of known categories, and some clutter."""
    rng = np.random.default_rng(seed)
    results = []
    for row in world.truth["annotations"]:
        if row["category_id"] in known:
            box = _moved(rng, row["bbox"])
            results.append(
                found(row["image_id"], row["category_id"], box, _score(rng, lift, lift + 0.1))
            )
    for row in world.truth["images"]:
        for _ in range(6):
            c = int(rng.choice(known))
            results.append(found(row["id"], c, _box(rng), _score(rng, 0.001, lift)))
    return results


def _box(rng: np.random.Generator) -> list[float]:
    w, h = rng.uniform(10, 60, 2)
    return [float(v) for v in (rng.uniform(0, WIDTH - w), rng.uniform(0, HEIGHT - h), w, h)]


def _moved(rng: np.random.Generator, box: list[float]) -> list[float]:
    return [float(v) for v in np.array(box) + rng.normal(0, 0.6, 4)]


def _score(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))
