"""Generated federated worlds: an LVIS file with its two lists, and results partly right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

WIDTH, HEIGHT = 160, 120


@dataclass(frozen=True)
class World:
    """The content of an LVIS file and of a results file."""

    truth: dict[str, Any]
    results: list[dict[str, Any]]

    def write(self, folder: Path) -> tuple[str, str]:
        """Writes both; their paths."""
        paths = folder / "lvis_val.json", folder / "results.json"
        for path, content in zip(paths, (self.truth, self.results), strict=True):
            path.write_text(json.dumps(content))
        return str(paths[0]), str(paths[1])


def category(number: int, frequency: str = "f", images: int = 5) -> dict[str, Any]:
    return {
        "id": number, "name": f"thing {number}", "synset": f"thing.n.{number:02d}",
        "frequency": frequency, "image_count": images,
    }  # fmt: skip


def image(number: int, neg: list[int] = [], partly: list[int] = []) -> dict[str, Any]:  # noqa: B006
    return {
        "id": number, "width": WIDTH, "height": HEIGHT,
        "coco_url": f"http://images.cocodataset.org/val2017/{number:012d}.jpg",
        "neg_category_ids": neg, "not_exhaustive_category_ids": partly,
    }  # fmt: skip


def thing(
    number: int, image_id: int, category_id: int, box: list[float], area: float | None = None
) -> dict[str, Any]:
    """An object whose mask is its box."""
    x, y, w, h = box
    return {
        "id": number, "image_id": image_id, "category_id": category_id, "bbox": box,
        "area": w * h if area is None else area,
        "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]],
    }  # fmt: skip


def found(
    image_id: int, category_id: int, box: list[float], score: float, mask: bool = False
) -> dict[str, Any]:
    """A detection, with its box as mask where one is wanted."""
    entry = {"image_id": image_id, "category_id": category_id, "bbox": box, "score": score}
    return {**entry, "segmentation": box_mask(box)} if mask else entry


def box_mask(box: list[float], height: int = HEIGHT, width: int = WIDTH) -> dict[str, Any]:
    """A box as compressed run lengths."""
    run = coco_mask.frPyObjects(np.array([box], np.float64), height, width)[0]
    return {"size": [height, width], "counts": run["counts"].decode()}


def generate(
    seed: int, *, images: int = 14, categories: int = 12, crowded: int = 380, masks: bool = True
) -> World:
    """A world in which every rule of the evaluation has work to do.

    Scores are coarse, so that many are equal; one image has `crowded` detections, over the cap;
    some categories have no ground truth, some objects and detections no area, and detections fall
    on categories annotated, verified absent, not exhaustive and never looked for.
    """
    rng = np.random.default_rng(seed)
    groups = rng.choice(["r", "c", "f"], categories)
    unseen = {categories, categories - 1}  # categories without ground truth
    truth_images, objects, results = [], [], []
    for number in range(1, images + 1):
        order = (rng.permutation(categories) + 1).tolist()
        present = [c for c in order[:4] if c not in unseen]
        absent = order[4:7]
        partly = [c for c in present if rng.random() < 0.3]
        truth_images.append(image(number, absent, partly))
        for c in present:
            for _ in range(rng.integers(1, 4)):
                objects.append(_object(rng, len(objects) + 1, number, c))
        here = [row for row in objects if row["image_id"] == number]
        for row in here:
            for _ in range(rng.integers(0, 4)):
                results.append(_near(rng, row, order))
        more = crowded - len(here) if number == 1 else rng.integers(5, 25)
        results += [_anywhere(rng, number, order) for _ in range(more)]
    if masks:
        results = [{**row, "segmentation": _blob(rng, row["bbox"])} for row in results]
    rng.shuffle(results)  # type: ignore[arg-type]
    names = [
        category(n, str(groups[n - 1]), int(rng.integers(1, 300))) for n in range(1, categories + 1)
    ]
    return World({"images": truth_images, "annotations": objects, "categories": names}, results)


def _box(rng: np.random.Generator) -> list[float]:
    w, h = rng.uniform(4, 150), rng.uniform(4, 112)
    x, y = rng.uniform(0, WIDTH - w), rng.uniform(0, HEIGHT - h)
    return [round(float(v), 2) for v in (x, y, w, h)]


def _object(rng: np.random.Generator, number: int, image_id: int, c: int) -> dict[str, Any]:
    """An ellipse as polygons, in two parts now and then."""
    x, y, w, h = _box(rng)
    row = thing(number, image_id, c, [x, y, w, h], round(w * h * 0.78, 2))
    turns = np.linspace(0, 2 * np.pi, 13)
    # coordinates of one decimal lie on the edges of the rasteriser's fifths of a pixel
    corners = np.round(
        np.stack([x + w / 2 * (1 + np.cos(turns)), y + h / 2 * (1 + np.sin(turns))], axis=1), 1
    )
    row["segmentation"] = (
        [corners[:7].ravel().tolist(), corners[6:].ravel().tolist()]
        if rng.random() < 0.5
        else [corners[:-1].ravel().tolist()]
    )
    if rng.random() < 0.03:
        row["area"] = 0.0
    return row


def _near(rng: np.random.Generator, row: dict[str, Any], order: list[int]) -> dict[str, Any]:
    shift = rng.normal(0, 0.06, 4) * np.array(row["bbox"])[[2, 3, 2, 3]]
    box = [round(max(0.0, float(v)), 2) for v in np.array(row["bbox"]) + shift]
    c = row["category_id"] if rng.random() < 0.8 else int(rng.choice(order))
    return found(row["image_id"], c, box, _score(rng))


def _anywhere(rng: np.random.Generator, number: int, order: list[int]) -> dict[str, Any]:
    box = _box(rng)
    if rng.random() < 0.05:
        box[2] = 0.0
    return found(number, int(rng.choice(order)), box, _score(rng))


def _score(rng: np.random.Generator) -> float:
    return round(float(rng.beta(1, 2)), 2)


def _blob(rng: np.random.Generator, box: list[float]) -> dict[str, Any]:
    """An ellipse in the box, sometimes of no pixel."""
    x, y, w, h = box
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = ((columns - x - w / 2) / (w / 2 + 1e-6)) ** 2 + (
        (rows - y - h / 2) / (h / 2 + 1e-6)
    ) ** 2 <= rng.uniform(0.9, 1.1)
    run = coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))
    return {"size": [HEIGHT, WIDTH], "counts": run["counts"].decode()}
