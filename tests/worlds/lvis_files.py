"""LVIS train, val and test files of one world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pycocotools import mask as coco_mask

from tests.worlds.bad_json import spoil_annotations, spoil_images
from tests.worlds.photos import Photos
from tests.worlds.vocabulary import Vocabulary
from tests.worlds.writing import Writer

INFO = {"description": "a generated world", "year": 2019, "version": "x"}


@dataclass(frozen=True)
class LvisFiles:
    """Paths, and the good train rows that other files of the world refer to."""

    train: Path
    val: Path | None
    test: Path | None
    train_images: list[dict[str, Any]]
    train_annotations: list[dict[str, Any]]
    val_ids: list[int]


def quarter(rng: Random, low: float, high: float) -> float:
    """A number on a grid of quarters: sums and products of such are exact in float64."""
    return rng.randint(round(low * 4), round(high * 4)) / 4


def draw_box(rng: Random, image: dict[str, Any]) -> list[float]:
    """x, y, w, h; sometimes over the image's edge, sometimes with two decimals."""
    w = quarter(rng, 1, max(2, image["width"] / 2))
    h = quarter(rng, 1, max(2, image["height"] / 2))
    x = quarter(rng, -2, image["width"])
    y = quarter(rng, -2, image["height"])
    if rng.random() < 0.3:
        return [round(value + rng.random() / 3 + 0.01, 2) for value in (x, y, w, h)]
    return [int(value) if value == int(value) else value for value in (x, y, w, h)]


def polygon(rng: Random, box: list[float]) -> list[float]:
    corners: list[float] = []
    for _ in range(rng.randint(3, 7)):
        corners += [
            round(box[0] + rng.random() * box[2], 2),
            round(box[1] + rng.random() * box[3], 2),
        ]
    return corners


def run_lengths(rng: Random, image: dict[str, Any], compressed: bool) -> dict[str, Any]:
    """A segmentation object of a random bitmap, counts as a list or as a string."""
    left = image["width"] * image["height"]
    counts: list[int] = []
    while left > 0 and len(counts) < 7:
        counts.append(rng.randint(1, left))
        left -= counts[-1]
    counts[-1] += left
    size = [image["height"], image["width"]]
    if not compressed:
        return {"size": size, "counts": counts}
    packed = coco_mask.frPyObjects({"size": size, "counts": counts}, *size)
    return {"size": size, "counts": packed["counts"].decode("ascii")}


def segmentation(rng: Random, image: dict[str, Any], box: list[float]) -> Any:
    kind = rng.random()
    if kind < 0.08:
        return []
    if kind < 0.12:
        return run_lengths(rng, image, rng.random() < 0.5)
    return [polygon(rng, box) for _ in range(rng.choice((1, 1, 1, 2, 3)))]


def draw_image(
    rng: Random, number: int, folder: str, photos: Photos, vocabulary: Vocabulary, v05: bool
) -> dict[str, Any]:
    name = f"{number:012d}.jpg"
    ids = [category["id"] for category in vocabulary.lvis] + [77777]
    active = vocabulary.active
    image: dict[str, Any] = {
        "id": number,
        "width": rng.choice((40, 64, 100, 333, 640)),
        "height": rng.choice((40, 48, 97, 427, 640)),
        "coco_url": f"http://images.cocodataset.org/{folder}2017/{name}",
        "neg_category_ids": [
            rng.choice(rng.choice((ids, active))) for _ in range(rng.randint(0, 4))
        ],
        "not_exhaustive_category_ids": [
            rng.choice(active) for _ in range(rng.choice((0, 0, 1, 2)))
        ],
        "flickr_url": photos.coco_url(),
        "license": rng.randint(1, 8),
        "date_captured": f"2013-11-{rng.randint(10, 28)} 10:00:00",
    }
    if v05:
        image["file_name"] = f"COCO_{folder}2014_{name}"
    for optional in ("flickr_url", "license", "date_captured"):
        kind = rng.random()
        if kind < 0.06:
            del image[optional]
        elif kind < 0.12:
            image[optional] = None
    return image


def draw_annotations(
    rng: Random, images: list[dict[str, Any]], active: list[int], most: int
) -> list[dict[str, Any]]:
    """0 to `most` objects an image; some are twins: same category and size, a little apart."""
    annotations: list[dict[str, Any]] = []
    for image in images:
        for _ in range(rng.randint(0 if most > 1 else 1, most)):
            box = draw_box(rng, image)
            category = rng.choice(active)
            boxes = [box]
            if rng.random() < 0.2:
                boxes.append([box[0] + rng.choice((0, 2)), *box[1:]])
            for each in boxes:
                annotations.append(
                    {
                        "id": 0,
                        "image_id": image["id"],
                        "category_id": category,
                        "bbox": each,
                        "area": round(each[2] * each[3] * rng.uniform(0.5, 1), 2),
                        "segmentation": segmentation(rng, image, each),
                    }
                )
    # ids of different lengths, one above 2^53: order is by number, and exact
    numbers = rng.sample(range(1, 5 * len(annotations) + 100), len(annotations))
    for annotation, number in zip(annotations, numbers, strict=True):
        annotation["id"] = number
    if annotations and rng.random() < 0.3:
        rng.choice(annotations)["id"] = 2**53 + 1 + rng.randint(0, 10) * 2
    return annotations


def write_lvis(
    rng: Random, writer: Writer, vocabulary: Vocabulary, photos: Photos, large: bool
) -> LvisFiles:
    """Writes the train file and, by chance, a val and a test file."""
    v05 = vocabulary.version == "v0.5" or (vocabulary.version == "custom" and rng.random() < 0.4)
    count = 1300 if large else rng.randint(3, 25)
    numbers = rng.sample(range(600_000), count)
    if rng.random() < 0.1:
        numbers[0] = 2**51 - 1
    train = [draw_image(rng, n, "train", photos, vocabulary, v05) for n in numbers]
    annotations = draw_annotations(rng, train, large_mix(vocabulary, large), 1 if large else 6)
    train_path = write_part(rng, writer, "train", train, annotations, vocabulary, not large)

    val_path = test_path = None
    val_ids: list[int] = []
    if rng.random() < 0.6:
        val_ids = [n for n in numbers if rng.random() < 0.08]
        val_ids += rng.sample(range(600_000, 700_000), rng.randint(2, 8))
        val = [draw_image(rng, n, "val", photos, vocabulary, v05) for n in val_ids]
        rows = draw_annotations(rng, val, vocabulary.active, 4)
        val_path = write_part(rng, writer, "val", val, rows, vocabulary, True)
    if rng.random() < 0.5:
        test_ids = [n for n in (*numbers, *val_ids) if rng.random() < 0.08]
        test_ids += rng.sample(range(700_000, 800_000), rng.randint(2, 6))
        test = [
            draw_image(rng, n, "test", photos, vocabulary, v05) for n in dict.fromkeys(test_ids)
        ]
        if rng.random() < 0.7:
            for image in test:
                del image["neg_category_ids"], image["not_exhaustive_category_ids"]
        test_path = write_part(rng, writer, "test", test, None, vocabulary, True)
    return LvisFiles(train_path, val_path, test_path, train, annotations, val_ids)


def large_mix(vocabulary: Vocabulary, large: bool) -> list[int]:
    """In a large world one category has most objects, so that all frequency bins occur."""
    if not large:
        return vocabulary.active
    first, second, *others = vocabulary.active
    return [first] * 60 + [second] * 4 + others[:1]


def write_part(
    rng: Random,
    writer: Writer,
    split: str,
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]] | None,
    vocabulary: Vocabulary,
    may_spoil: bool,
) -> Path:
    image_rows: list[Any] = list(images)
    annotation_rows: list[Any] = list(annotations or [])
    if may_spoil and rng.random() < 0.4:
        image_rows = spoil_images(rng, image_rows, needs_lists=split != "test")
    if may_spoil and annotation_rows and rng.random() < 0.5:
        annotation_rows = spoil_annotations(rng, annotation_rows, masks=True)
    rng.shuffle(image_rows)
    rng.shuffle(annotation_rows)
    members: dict[str, Any] = {
        "info": INFO,
        "licenses": [
            {"id": number, "url": f"http://example.org/licence/{number}", "name": str(number)}
            for number in range(1, 7)
        ],
        "categories": vocabulary.lvis,
        "images": image_rows,
    }
    if rng.random() < 0.1:
        del members["licenses"]
    if annotations is not None:
        members["annotations"] = annotation_rows
    return writer.json(f"lvis_{split}.json", members)
