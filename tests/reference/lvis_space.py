"""Label space lvis: LVIS objects, COCO ignore regions, Open Images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.reference import coco_json, label_maps
from tests.reference.coco_json import object_annotation
from tests.reference.extra_sources import merge_extra
from tests.reference.hold_out import read_hold_out
from tests.reference.matching import matched
from tests.reference.merge_open_images import merge_open_images
from tests.reference.reading import Row, good, json_members, json_rows
from tests.reference.result import Reference
from tests.reference.tables import annotation, finished, plain_category
from tests.worlds.world import Options


def read_lvis(
    path: Path, split: str, ids_in_use: frozenset[int] = frozenset()
) -> tuple[list[Row], list[Row], dict[str, Any]]:
    """Checked image rows and annotation rows (none in a test file), and the file's members."""
    members = json_members(path)
    needed = coco_json.LVIS_IMAGE + (() if split == "test" else coco_json.EVIDENCE_LISTS)
    images = json_rows(path, members, "images", "lvis", "image")
    coco_json.check_images(images, needed, ids_in_use)
    if split == "test":
        return images, [], members
    annotations = json_rows(path, members, "annotations", "lvis", "annotation")
    categories = {category["id"] for category, _ in members["categories"]}
    by_id = {image["id"]: image for image in good(images)}
    coco_json.check_annotations(annotations, coco_json.LVIS_ANNOTATION, by_id, categories)
    return images, annotations, members


def build_lvis_space(options: Options) -> Reference:
    assert options.lvis is not None
    events: Counter[str] = Counter()
    train_images, train_annotations, members = read_lvis(options.lvis, "train")
    categories = [category for category, _ in members["categories"]]
    names = {category["id"]: category["name"] for category in categories}
    synsets = {category["synset"]: category["id"] for category in categories}
    licences = coco_json.licence_urls(members)

    parts = [("train", train_images, train_annotations, licences)]
    ids_in_use: frozenset[int] = frozenset()
    for split, path in (("val", options.lvis_val), ("test", options.lvis_test)):
        if path is not None:
            rows, annotations, its_members = read_lvis(path, split, ids_in_use)
            parts.append((split, rows, annotations, coco_json.licence_urls(its_members)))
            ids_in_use = frozenset(image["id"] for image in good(rows))
    held = read_hold_out([row for part in parts[1:] for row in part[1]], options.holdout)

    left_out = set()
    for row in train_images:
        if row.reason is None:
            image = coco_json.manifest_image(row.data, "lvis", "train", licences)
            if held.leaks(image["image_id"], image["flickr_photo_id"]):
                row.rule = "holdout"
                left_out.add(row.data["id"])
                by_id = row.data["id"] in held.image_ids
                events[f"hold-out: {'id' if by_id else 'photo'}"] += 1
    for row in train_annotations:
        if row.reason is None and row.data["image_id"] in left_out:
            row.rule = "holdout"

    images: list[dict[str, Any]] = []
    table: list[dict[str, Any]] = []  # of annotations
    for split, image_rows, annotation_rows, its_licences in parts:
        kept_rows = [row.data for row in annotation_rows if not row.reason and not row.rule]
        for row in image_rows:
            if row.reason or row.rule:
                continue
            mine = [data for data in kept_rows if data["image_id"] == row.data["id"]]
            image = coco_json.manifest_image(row.data, "lvis", split, its_licences)
            image["pos_category_ids"] = sorted({data["category_id"] for data in mine})
            images.append(image)
            for data in mine:
                label = names[data["category_id"]]
                table.append(object_annotation(data, "lvis", row.data, label))

    inputs = {
        ("lvis", "image"): [row for part in parts for row in part[1]],
        ("lvis", "annotation"): [row for part in parts for row in part[2]],
    }
    if options.coco is not None:
        inputs["coco", "annotation"] = merge_coco(
            options, options.coco, good(train_images), left_out, good(train_annotations),
            synsets, table, events,
        )  # fmt: skip
    for value in options.extra:
        inputs |= merge_extra(options, value, synsets, held, images, table, events)
    contradictory = 0
    if options.openimages is not None:
        synset_of = {number: synset for synset, number in synsets.items()}
        merged = merge_open_images(
            options,
            lambda classes: label_maps.open_images_map(options.mapping, classes, synsets),
            lambda mid, category: synset_of[category],
            held,
            events,
        )
        images += merged.images
        table += merged.annotations
        inputs |= merged.inputs
        contradictory = merged.contradictory_labels
    categories_table = lvis_categories(categories, good(train_annotations))
    return finished(images, table, categories_table, inputs, contradictory, events)


def lvis_categories(
    categories: list[dict[str, Any]], train_rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The `categories` table without merged counts; `train_rows` are those before hold-out."""
    version = label_maps.lvis_version(categories)
    annotated_images = len({data["image_id"] for data in train_rows})
    table = []
    for category in categories:
        mine = [data for data in train_rows if data["category_id"] == category["id"]]
        image_count = len({data["image_id"] for data in mine})
        if version == "custom":
            is_tail = category["frequency"] in ("r", "c")
        else:
            is_tail = image_count < label_maps.LAMBDA[version] * annotated_images
        row = plain_category(category["id"], category["name"], "")
        row.update(
            source_label=None,
            synset=category["synset"],
            synonyms=category.get("synonyms"),
            definition=category.get("def"),
            frequency=category["frequency"],
            image_count_published=category.get("image_count"),
            instance_count_published=category.get("instance_count"),
            image_count_lvis=image_count,
            instance_count_lvis=len(mine),
            is_tail=is_tail,
        )
        table.append(row)
    return table


def merge_coco(
    options: Options,
    path: Path,
    train_images: list[dict[str, Any]],
    left_out: set[int],
    train_rows: list[dict[str, Any]],
    synsets: dict[str, int],
    annotations: list[dict[str, Any]],
    events: Counter[str],
) -> list[Row]:
    """Appends COCO's ignore regions to `annotations`; gives back COCO's checked rows."""
    members = json_members(path)
    names = {category["id"]: category["name"] for category, _ in members["categories"]}
    known = {
        image["id"]: image
        for image, _ in members["images"]
        if isinstance(image, dict) and coco_json.is_image_id(image.get("id"))
    }
    rows = json_rows(path, members, "annotations", "coco", "annotation")
    coco_json.check_annotations(rows, coco_json.COCO_IGNORE_REGION, known, set(names))
    mapping = label_maps.coco_map(options.coco_mapping, synsets)
    train_ids = {image["id"] for image in train_images}

    for row in rows:
        if row.reason is not None:
            continue
        data = row.data
        category, relation = mapping.get(data["category_id"], (None, None))
        crowd = data.get("iscrowd", 0) == 1
        if data["image_id"] not in train_ids:
            row.rule = "not_on_an_lvis_image"
            continue
        if data["image_id"] in left_out:
            row.rule = "holdout"
            continue
        match = None
        if not crowd:
            match = matched(data["bbox"], data["image_id"], category, train_rows, events)
        if options.coco_boxes == "off" or (options.coco_boxes == "unmatched" and match):
            row.rule = "option"
            continue
        if match:
            events["matching: matched row kept"] += 1
        _, _, w, h = data["bbox"]
        annotations.append(
            annotation(
                data["image_id"],
                "coco",
                data["id"],
                data["bbox"],
                category_id=category,
                area=float(w * h),
                role="ignore",
                ignore_reason="crowd" if crowd else "coco_box",
                source_annotation_id=str(data["id"]),
                source_label=names[data["category_id"]],
                map_relation=relation,
                matched=match["id"] if match else None,
            )
        )
    return rows
