"""LVIS v0.5 and COCO 2017 annotation files at their true size, as JSON text."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from text_columns import (
    as_text,
    lists,
    pick,
    rows,
    table_of_hundredths,
    write_json_rows,
    zero_padded,
)
from world_coco_images import CocoImages, coco_images, image_columns
from world_objects import Objects, draw_outlines, draw_runs, long_tailed_objects, random_boxes
from world_vocabularies import CocoClass, coco_classes, lvis_categories

COCO_ANNOTATIONS = 860_001
LVIS_VAL_ANNOTATIONS = 50_763
CROWD_SHARE = 0.0118
MEDIAN_POINTS = 24
CHUNK = 50_000
LICENSES = [
    {"name": f"Licence {i}", "url": f"http://creativecommons.org/licenses/{kind}/2.0/", "id": i}
    for i, kind in enumerate(("by-nc-sa", "by-nc", "by-nc-nd", "by", "by-sa", "by-nd"), 1)
] + [
    {"name": "No known copyright restrictions", "url": "http://flickr.com/commons/usage/", "id": 7},
    {"name": "US Government Work", "url": "http://www.usa.gov/copyright.shtml", "id": 8},
]
INFO = {"year": 2017, "version": "1.0", "description": "Generated, of the size of the real file"}


def write_coco_and_lvis(folder: Path, seed: int, scale: float) -> None:
    """Write ``lvis_v0.5_train.json``, ``lvis_v0.5_val.json``, ``instances_train2017.json``."""
    train, lvis, val = coco_images(seed, scale)
    categories = lvis_categories()
    rng = np.random.default_rng([seed, 3])
    objects = long_tailed_objects(rng, lvis, categories, scale)
    path = folder / "lvis_v0.5_train.json"
    _write_lvis(path, rng, lvis, objects, categories, "train")
    weights = np.array([c["instance_count"] for c in categories], np.float64)
    count = int(LVIS_VAL_ANNOTATIONS * scale)
    image = rng.integers(0, len(val.ids), count)
    ids = np.array([c["id"] for c in categories])
    drawn = rng.choice(ids, count, p=weights / weights.sum())
    held = Objects(image, drawn, random_boxes(rng, val.shapes[image]))
    unknown = [c | {"image_count": 0, "instance_count": 0} for c in categories]
    path = folder / "lvis_v0.5_val.json"
    _write_lvis(path, rng, val, held.by_image(rng, len(val.ids)), unknown, "val")
    rng = np.random.default_rng([seed, 4])
    _write_coco(folder / "instances_train2017.json", rng, train, objects, categories, scale)


def _write_lvis(
    path: Path,
    rng: np.random.Generator,
    images: CocoImages,
    objects: Objects,
    categories: list[dict[str, Any]],
    split: str,
) -> None:
    count = len(images.ids)
    pairs = np.unique(objects.image * 2048 + objects.category)
    partial = pairs[rng.random(len(pairs)) < 0.04]
    absent = np.repeat(np.arange(count), 12) * 2048 + rng.integers(
        1, len(categories) + 1, count * 12
    )
    absent = np.setdiff1d(absent, pairs)
    # Train2017 holds images of both 2014 sets, and LVIS v0.5 names them by those.
    from_val = rng.random(count) < (0.3 if split == "train" else 1.0)
    year = pick(pa.array(["COCO_train2014_", "COCO_val2014_"]), from_val.astype(np.int8))
    with path.open("wb") as file:
        head = {"info": INFO, "licenses": LICENSES, "categories": categories}
        file.write(json.dumps(head)[:-1].encode() + b', "images": [')
        shared = image_columns(rng, images, f"{split}2017")
        text = rows(
            ", {", *shared, ', "file_name": "', year, zero_padded(images.ids, 12),
            '.jpg", "not_exhaustive_category_ids": [', _category_lists(partial, count),
            '], "neg_category_ids": [', _category_lists(absent, count), "]}",
        )  # fmt: skip
        write_json_rows(file, text, first=True)
        file.write(b'], "annotations": [')
        _write_annotations(file, path.name, rng, images, objects, crowds=None)
        file.write(b"]}")


def _category_lists(pairs: NDArray[np.int64], images: int) -> pa.Array:
    """Lists of category ids per image, from sorted ``image * 2048 + category``."""
    return lists(as_text(pairs % 2048), np.bincount(pairs // 2048, minlength=images), ", ")


def _write_annotations(
    file: IO[bytes],
    name: str,
    rng: np.random.Generator,
    images: CocoImages,
    objects: Objects,
    crowds: NDArray[np.bool_] | None,
) -> None:
    """Write annotation rows; those of COCO say ``iscrowd``, those of LVIS do not."""
    total, started = len(objects.image), time.perf_counter()
    hundredths = table_of_hundredths(641)
    for start in range(0, total, CHUNK):
        part = slice(start, min(start + CHUNK, total))
        image = objects.image[part]
        drawn = draw_outlines(rng, objects.box[part], MEDIAN_POINTS, hundredths)
        segmentation: pa.Array = drawn.segmentation
        ending: list[pa.Array | str] = ["}"]
        if crowds is not None:
            crowd = pa.array(crowds[part])
            runs = draw_runs(rng, images.shapes[image[crowds[part]]])
            segmentation = pa.compute.replace_with_mask(segmentation, crowd, runs)
            ending = [', "iscrowd": ', pick(pa.array(["0}", "1}"]), crowds[part].astype(np.int8))]
        text = rows(
            ', {"segmentation": ', segmentation, ', "area": ', as_text(drawn.area.round(2)),
            ', "image_id": ', as_text(images.ids[image]),
            ', "bbox": [', *_box_columns(drawn.box, hundredths), '], "id": ',
            as_text(np.arange(part.start, part.stop) + 1),
            ', "category_id": ', as_text(objects.category[part]), *ending,
        )  # fmt: skip
        write_json_rows(file, text, first=start == 0)
        seconds = time.perf_counter() - started
        print(f"{name}: {part.stop:,}/{total:,} annotations, {seconds:.0f} s", file=sys.stderr)


def _box_columns(box: NDArray[np.int64], hundredths: pa.Array) -> list[pa.Array | str]:
    x, y, w, h = (pick(hundredths, box[:, i]) for i in range(4))
    return [x, ", ", y, ", ", w, ", ", h]


def _write_coco(
    path: Path,
    rng: np.random.Generator,
    images: CocoImages,
    lvis: Objects,
    categories: list[dict[str, Any]],
    scale: float,
) -> None:
    classes = coco_classes()
    objects = _coco_objects(rng, images, lvis, categories, classes, int(COCO_ANNOTATIONS * scale))
    listed = [{"supercategory": "thing", "id": c.category_id, "name": c.name} for c in classes]
    with path.open("wb") as file:
        head = {"info": INFO, "licenses": LICENSES, "categories": listed}
        file.write(json.dumps(head)[:-1].encode() + b', "images": [')
        shared = image_columns(rng, images, "train2017")
        name = rows(', "file_name": "', zero_padded(images.ids, 12), '.jpg"}')
        write_json_rows(file, rows(", {", *shared, name), first=True)
        file.write(b'], "annotations": [')
        crowds = rng.random(len(objects.image)) < CROWD_SHARE
        _write_annotations(file, path.name, rng, images, objects, crowds)
        file.write(b"]}")


def _coco_objects(
    rng: np.random.Generator,
    images: CocoImages,
    lvis: Objects,
    categories: list[dict[str, Any]],
    classes: list[CocoClass],
    count: int,
) -> Objects:
    """Objects of COCO: some are LVIS's own objects drawn anew, as in the real files."""
    of_synset = {c.synset: c.category_id for c in classes}
    to_coco = np.zeros(max(c["id"] for c in categories) + 1, np.int64)
    for category in categories:
        to_coco[category["id"]] = of_synset.get(category["synset"], 0)
    both = np.flatnonzero(to_coco[lvis.category])
    both = np.sort(rng.choice(both, min(len(both), int(count * 0.35)), replace=False))
    near = lvis.box[both] * rng.uniform(0.97, 1.03, (len(both), 4))
    # Neighbouring frames: a redrawn box must still end inside its image.
    near[:, :2] = np.minimum(near[:, :2], images.shapes[lvis.image[both]] - near[:, 2:]).clip(0)
    near[:, 2:] = np.minimum(near[:, 2:], images.shapes[lvis.image[both]])
    # The rest falls on images in proportion to what COCO has there beyond LVIS's objects.
    rest = count - len(both)
    weights = np.ones(len(images.ids))
    weights[: int(lvis.image.max()) + 1] *= 0.3
    image = rng.choice(len(images.ids), rest, p=weights / weights.sum())
    ids = np.array([c.category_id for c in classes])
    popular = 1 / np.arange(1, len(ids) + 1) ** 0.9
    drawn = rng.choice(ids, rest, p=popular / popular.sum())
    joined = Objects(
        np.concatenate([lvis.image[both], image]),
        np.concatenate([to_coco[lvis.category[both]], drawn]),
        np.concatenate([near, random_boxes(rng, images.shapes[image])]),
    )
    return joined.by_image(rng, len(images.ids))
