"""`lvis-merge build`, slow and obvious, for each of the three label spaces."""

from __future__ import annotations

from collections import Counter

from tests.reference import coco_json, label_maps
from tests.reference.coco_json import object_annotation
from tests.reference.hold_out import HoldOut, read_hold_out
from tests.reference.lvis_space import build_lvis_space
from tests.reference.merge_open_images import merge_open_images
from tests.reference.reading import good, json_members, json_rows
from tests.reference.result import Reference
from tests.reference.tables import annotation, finished, plain_category
from tests.worlds.world import Options


def build_reference(options: Options) -> Reference:
    """What `build` must write for these options (those of a `World`)."""
    if options.label_space == "coco":
        return build_coco_space(options)
    if options.label_space == "open_images":
        return build_open_images_space(options)
    return build_lvis_space(options)


def build_coco_space(options: Options) -> Reference:
    assert options.coco is not None
    events: Counter[str] = Counter()
    members = json_members(options.coco)
    names = {category["id"]: category["name"] for category, _ in members["categories"]}
    licences = coco_json.licence_urls(members)
    image_rows = json_rows(options.coco, members, "images", "coco", "image")
    coco_json.check_images(image_rows, ("id", "width", "height"))
    rows = json_rows(options.coco, members, "annotations", "coco", "annotation")
    by_id = {image["id"]: image for image in good(image_rows)}
    coco_json.check_annotations(rows, coco_json.COCO_ANNOTATION, by_id, set(names))
    held = read_hold_out([], options.holdout)

    images, annotations = [], []
    for image_row in image_rows:
        if image_row.reason is not None:
            continue
        image = coco_json.manifest_image(image_row.data, "coco", "train", licences)
        mine = [r for r in rows if not r.reason and r.data["image_id"] == image["image_id"]]
        if held.leaks(image["image_id"], image["flickr_photo_id"]):
            for row in (image_row, *mine):
                row.rule = "holdout"
            continue
        any_row, with_crowd = set(), set()
        for row in mine:
            data = row.data
            label = names[data["category_id"]]
            any_row.add(data["category_id"])
            if data.get("iscrowd", 0) == 1:
                with_crowd.add(data["category_id"])
                _, _, w, h = data["bbox"]
                annotations.append(
                    annotation(
                        image["image_id"],
                        "coco",
                        data["id"],
                        data["bbox"],
                        category_id=data["category_id"],
                        area=float(w * h),
                        role="ignore",
                        ignore_reason="crowd",
                        source_annotation_id=str(data["id"]),
                        source_label=label,
                    )
                )
            else:
                annotations.append(object_annotation(data, "coco", image_row.data, label))
        image["pos_category_ids"] = sorted(any_row)
        image["neg_category_ids"] = sorted(set(names) - any_row)
        image["not_exhaustive_category_ids"] = sorted(with_crowd)
        images.append(image)

    inputs = {("coco", "image"): image_rows, ("coco", "annotation"): rows}
    table = [plain_category(number, name, name) for number, name in names.items()]
    return finished(images, annotations, table, inputs, 0, events)


def build_open_images_space(options: Options) -> Reference:
    events: Counter[str] = Counter()
    held: HoldOut = read_hold_out([], options.holdout)
    merged = merge_open_images(
        options,
        lambda classes: label_maps.open_images_own_map(options.mapping, classes),
        lambda mid, category: mid,
        held,
        events,
    )
    table = [
        plain_category(category, merged.classes[mid], mid)
        for mid, (category, _) in merged.mapping.items()
    ]
    return finished(
        merged.images, merged.annotations, table, merged.inputs, merged.contradictory_labels, events
    )
