"""The COCO file of one world: boxes beside LVIS images, or images of its own."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from tests.worlds.bad_json import spoil_annotations, spoil_images
from tests.worlds.lvis_files import INFO, LvisFiles, draw_box, quarter, run_lengths, segmentation
from tests.worlds.photos import Photos
from tests.worlds.vocabulary import Vocabulary
from tests.worlds.writing import Writer


def near_box(rng: Random, box: list[float]) -> list[float]:
    """A box that overlaps `box`; several kinds have an IoU of exactly 0.5."""
    x, y, w, h = box
    kind = rng.randrange(6)
    if kind == 0:
        return [x, y, w, h]
    if kind == 1:
        return [x, y, w / 2, h]  # exactly a half
    if kind == 2:
        return [x, y, w, h * 2]  # exactly a half
    if kind == 3:
        return [x + 1, y, w, h]  # between twins that lie 2 apart
    if kind == 4:
        return [x + w / 4, y + h / 4, w, h]
    return [x + w * rng.uniform(0, 0.4), y, w * rng.uniform(0.8, 1.2), h]


def ignore_boxes(rng: Random, lvis: LvisFiles, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Rows near LVIS objects of the mapped category, and rows that match nothing."""
    coco_of: dict[int, list[int]] = {}
    for coco_id, lvis_id in vocabulary.lvis_of_coco.items():
        coco_of.setdefault(lvis_id, []).append(coco_id)
    coco_ids = [number for number, _ in vocabulary.coco]
    rows: list[dict[str, Any]] = []
    for annotation in lvis.train_annotations:
        if len(rows) > 150 or rng.random() < 0.4:
            continue
        same = coco_of.get(annotation["category_id"])
        for _ in range(rng.choice((1, 1, 2))):
            category = rng.choice(same if same and rng.random() < 0.85 else coco_ids)
            box = near_box(rng, annotation["bbox"])
            rows.append({"image_id": annotation["image_id"], "category_id": category, "bbox": box})
    elsewhere = [*(image["id"] for image in lvis.train_images[:25]), *lvis.val_ids, 999_001]
    for number in elsewhere:
        for _ in range(rng.choice((0, 0, 1, 2))):
            box = draw_box(rng, {"width": 100, "height": 90})
            rows.append({"image_id": number, "category_id": rng.choice(coco_ids), "bbox": box})
    return rows


def write_coco_boxes(rng: Random, writer: Writer, lvis: LvisFiles, vocabulary: Vocabulary) -> Path:
    """COCO as a source of ignore regions on LVIS images."""
    rows: list[Any] = ignore_boxes(rng, lvis, vocabulary)
    finish_rows(rng, rows)
    numbers = {row["image_id"] for row in rows} | {999_002}
    images: list[Any] = [{"id": n, "width": 5, "height": 5} for n in sorted(numbers)]
    if rng.random() < 0.2:
        lost = rng.randrange(len(images))
        images[lost] = rng.choice(({"width": 5}, {"id": "x"}, {"id": -4}))
    if len(rows) > 2 and rng.random() < 0.5:
        rows = spoil_annotations(rng, rows, masks=False)
    return write(rng, writer, vocabulary, images, rows)


def write_coco_own(
    rng: Random, writer: Writer, vocabulary: Vocabulary, photos: Photos
) -> tuple[Path, list[int]]:
    """COCO as the only source: sizes, polygons, crowds. Also gives the image ids."""
    numbers = rng.sample(range(600_000), rng.randint(4, 25))
    images: list[Any] = []
    for number in numbers:
        name = f"{number:012d}.jpg"
        image: dict[str, Any] = {
            "id": number,
            "width": rng.choice((40, 100, 640)),
            "height": rng.choice((48, 97, 480)),
            "file_name": name,
            "coco_url": f"http://images.cocodataset.org/train2017/{name}",
            "flickr_url": photos.coco_url(),
            "license": rng.randint(1, 8),
            "date_captured": "2013-11-14 11:18:45",
        }
        for optional in ("coco_url", "flickr_url", "license", "date_captured", "file_name"):
            if rng.random() < 0.1 and (optional != "file_name" or "coco_url" in image):
                del image[optional]
        images.append(image)
    rows: list[Any] = []
    for image in images:
        for _ in range(rng.randint(0, 5)):
            box = draw_box(rng, image)
            row: dict[str, Any] = {
                "image_id": image["id"],
                "category_id": rng.choice(vocabulary.coco)[0],
                "bbox": box,
                "segmentation": segmentation(rng, image, box),
                "area": round(box[2] * box[3] * 0.7, 3),
            }
            for optional in ("segmentation", "area"):
                if rng.random() < 0.1:
                    del row[optional]
            rows.append(row)
    finish_rows(rng, rows)
    by_id = {image["id"]: image for image in images}
    for row in rows:
        if row.get("iscrowd") == 1:
            row["segmentation"] = run_lengths(rng, by_id[row["image_id"]], False)
    if rng.random() < 0.5:
        images = spoil_images(rng, images, needs_lists=False)
    if len(rows) > 2 and rng.random() < 0.6:
        rows = spoil_annotations(rng, rows, masks=True)
    return write(rng, writer, vocabulary, images, rows), numbers


def finish_rows(rng: Random, rows: list[dict[str, Any]]) -> None:
    """Adds ids and, mostly, `iscrowd`."""
    has_crowds = rng.random() < 0.85
    numbers = rng.sample(range(1, 4 * len(rows) + 50), len(rows))
    for row, number in zip(rows, numbers, strict=True):
        row["id"] = number
        if has_crowds and rng.random() < 0.9:
            row["iscrowd"] = int(rng.random() < 0.15)
    if rows and rng.random() < 0.2:
        rows[0]["bbox"] = [quarter(rng, 0, 5), 1, 30, 20]
        rows[0]["id"] = 900_100_000_000 + rng.randint(1, 9)  # COCO's crowd ids are this long


def write(
    rng: Random, writer: Writer, vocabulary: Vocabulary, images: list[Any], rows: list[Any]
) -> Path:
    rng.shuffle(images)
    rng.shuffle(rows)
    members = {
        "info": INFO,
        "licenses": [{"id": n, "url": f"http://example.org/licence/{n}"} for n in range(1, 7)],
        "images": images,
        "annotations": rows,
        "categories": [
            {"id": number, "name": name, "supercategory": "thing"}
            for number, name in vocabulary.coco
        ],
    }
    return writer.json("instances_train2017.json", members)
