"""Extra sources of one world: COCO-format files of other sets, and their label maps."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.worlds.bad_json import spoil_annotations, spoil_images
from tests.worlds.coco_files import finish_rows
from tests.worlds.lvis_files import INFO, draw_box, run_lengths, segmentation
from tests.worlds.photos import Photos
from tests.worlds.vocabulary import RELATIONS, Vocabulary
from tests.worlds.writing import Writer

MAP_COLUMNS = ("source_id", "source_name", "lvis_synset", "lvis_name", "relation", "note")
NAMES = ("acme", "objects365", "zoo_2")


def write_extras(
    rng: Random, writer: Writer, vocabulary: Vocabulary, photos: Photos, coco_ids: list[int]
) -> dict[str, Any]:
    """None to two sources, as options.

    Args:
        rng: their own, so that worlds are what they were before there were extra sources.
        writer: likewise.
        vocabulary: of the world.
        photos: whose shared ones may be here too.
        coco_ids: of COCO images that may be here too, under COCO's URL.
    """
    names = rng.sample(NAMES, rng.choice((0, 0, 1, 1, 2)))
    values, exhaustive = [], []
    for name in names:
        classes, rows = draw_classes(rng, vocabulary)
        mapping = writer.csv(f"{name}_map.csv", MAP_COLUMNS, rows)
        members = draw_file(rng, classes, photos, coco_ids)
        path = writer.json(f"{name}.json", members)
        values.append(f"{name}=coco-json:{path}:{mapping}")
        if rng.random() < 0.5:
            exhaustive.append(name)
    return {"extra": tuple(values), "extra_exhaustive": tuple(exhaustive)}


def draw_classes(
    rng: Random, vocabulary: Vocabulary
) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """2 to 7 classes, several of one category now and then, and the rows of their map."""
    by_id = {category["id"]: category for category in vocabulary.lvis}
    numbers = sorted(rng.sample(range(600), rng.randint(2, 7)))
    wanted = rng.sample(vocabulary.active, min(len(vocabulary.active), 4))
    classes, rows = [], []
    for number in numbers:
        category = by_id[rng.choice(wanted)]
        synset, name, relation = category["synset"], category["name"], rng.choice(RELATIONS)
        kind = rng.random()
        if kind < 0.1:
            synset, name, relation = "", "", ""
        elif kind < 0.15:
            synset, name = "no_such.n.01", "no_such"
        if kind < 0.9:
            rows.append([str(number), f"class {number}", synset, name, relation, "a, b"])
        if rng.random() < 0.93 or not classes:
            shown = f"class {number}" if rng.random() < 0.9 else f"Class {number}"
            classes.append({"id": number, "name": shown})
    return rng.sample(classes, len(classes)), rows


def draw_file(
    rng: Random, classes: list[dict[str, Any]], photos: Photos, coco_ids: list[int]
) -> dict[str, Any]:
    """The members of the file."""
    has_lists = rng.random() < 0.4
    numbers = rng.sample([*coco_ids[:20], *range(400)], rng.randint(3, 20))
    images: list[Any] = [
        draw_image(rng, number, classes, photos, coco_ids, has_lists) for number in set(numbers)
    ]
    rows: list[Any] = []
    for image in images:
        for _ in range(rng.randint(0, 5)):
            box = draw_box(rng, image)
            row: dict[str, Any] = {
                "image_id": image["id"],
                "category_id": rng.choice(classes)["id"],
                "bbox": box,
                "segmentation": segmentation(rng, image, box),
                "area": round(box[2] * box[3] * 0.7, 3),
            }
            for optional in ("segmentation", "area"):
                if rng.random() < 0.2:
                    del row[optional]
            rows.append(row)
    finish_rows(rng, rows)
    by_id = {image["id"]: image for image in images}
    for row in rows:
        if row.get("iscrowd") == 1:
            row["segmentation"] = run_lengths(rng, by_id[row["image_id"]], False)
    if rng.random() < 0.5:
        images = spoil_images(rng, images, needs_lists=False)
    if len(rows) > 2 and rng.random() < 0.9:
        rows = spoil_annotations(rng, rows, masks=True)
        of_other_classes(rng, classes, rows)
    return {
        "info": INFO,
        "licenses": [{"id": n, "url": f"http://example.org/terms/{n}"} for n in range(1, 7)],
        "images": rng.sample(images, len(images)),
        "annotations": rng.sample(rows, len(rows)),
        "categories": classes,
    }


def of_other_classes(rng: Random, classes: list[dict[str, Any]], rows: list[Any]) -> None:
    """Some bad rows are of a class that their image has no good row of."""
    for row in rows:
        spoilt = isinstance(row, dict) and row.get("id") in range(10**6, 10**6 + 10)
        if spoilt and rng.random() < 0.7:
            row["category_id"] = rng.choice(classes)["id"]


def draw_image(
    rng: Random,
    number: int,
    classes: list[dict[str, Any]],
    photos: Photos,
    coco_ids: list[int],
    has_lists: bool,
) -> dict[str, Any]:
    image: dict[str, Any] = {
        "id": number,
        "width": rng.choice((40, 100, 640)),
        "height": rng.choice((48, 97, 480)),
        "file_name": f"images/patch_{number % 3}/{number}.jpg",
        "license": rng.randint(1, 8),
        "date_captured": "2019-11-14 11:18:45",
    }
    for optional in ("license", "date_captured"):
        if rng.random() < 0.2:
            del image[optional]
    if rng.random() < 0.4:
        image["flickr_url"] = photos.coco_url()
    kind = rng.random()
    if kind < 0.3 and coco_ids:
        coco_id = rng.choice(coco_ids)
        url = f"http://images.cocodataset.org/train2017/{coco_id:012d}.jpg"
        image["coco_url"] = url
    elif kind < 0.4:
        image["coco_url"] = f"https://example.org/a/{number:012d}.jpg"
    if "coco_url" in image and rng.random() < 0.5:
        image["file_name"] = rng.choice(("", None, f"{number}.png"))
    if has_lists:
        ids = [one["id"] for one in classes] + [7777, -3]
        for name in ("neg_category_ids", "not_exhaustive_category_ids"):
            if rng.random() < 0.8:
                image[name] = [rng.choice(ids) for _ in range(rng.randint(0, 5))]
            elif rng.random() < 0.3:
                image[name] = None
    return image
