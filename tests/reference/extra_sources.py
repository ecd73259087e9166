"""Extra sources: COCO-format files of other sets, merged into LVIS's label space."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.reference import coco_json
from tests.reference.coco_json import object_annotation
from tests.reference.hold_out import HoldOut
from tests.reference.reading import Row, csv_dicts, good, json_members, json_rows
from tests.reference.tables import annotation
from tests.reference.values import is_integer
from tests.worlds.world import Options


def image_number(name: str, published: int) -> int:
    """`image_id` of an image of an extra source."""
    digest = hashlib.sha256(f"{name}:{published}".encode()).digest()
    return 2**51 + int.from_bytes(digest[:8], "big") % 2**51


def coco_image(url: str | None) -> int | None:
    """The COCO image that a URL is of."""
    found = re.fullmatch(r"https?://images\.cocodataset\.org/[^/]+/([0-9]+)\.jpg", url or "")
    return int(found[1]) if found else None


def read_map(path: Path) -> dict[int, tuple[str, str]]:
    """Class -> (synset, relation), rows with a synset."""
    return {
        int(str(row["source_id"])): (str(row["lvis_synset"]), str(row["relation"]))
        for row in csv_dicts(path)
        if row["lvis_synset"]
    }


def merge_extra(
    options: Options,
    value: str,
    synsets: dict[str, int],
    held: HoldOut,
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    events: Counter[str],
) -> dict[tuple[str, str], list[Row]]:
    """Appends one source's rows to the tables; gives back its checked rows."""
    name, path, mapping = re.fullmatch(r"(\w+)=coco-json:(.*):(.*)", value).groups()  # type: ignore[union-attr]
    members = json_members(Path(path))
    names = {category["id"]: category["name"] for category, _ in members["categories"]}
    licences = coco_json.licence_urls(members)
    image_rows = json_rows(Path(path), members, "images", name, "image")
    coco_json.check_images(image_rows, ("id", "width", "height"))
    rows = json_rows(Path(path), members, "annotations", name, "annotation")
    by_id = {image["id"]: image for image in good(image_rows)}
    coco_json.check_annotations(rows, coco_json.COCO_ANNOTATION, by_id, set(names))
    said = read_map(Path(mapping))
    category_of = {
        label: synsets[synset]
        for label, (synset, _) in said.items()
        if synset in synsets and label in names
    }
    classes_of: dict[int, set[int]] = {}  # also those that the file lacks
    for label, (synset, _) in said.items():
        if synset in synsets:
            classes_of.setdefault(synsets[synset], set()).add(label)

    for image_row in image_rows:
        if image_row.reason is not None:
            continue
        data = image_row.data
        image = coco_json.manifest_image(data, name, "train", licences)
        image["image_id"] = image_number(name, data["id"])
        image["file_name"] = data.get("file_name") or image["file_name"]
        mine = [r for r in rows if not r.reason and r.data["image_id"] == data["id"]]
        objects = [r for r in mine if r.data["category_id"] in category_of and not is_crowd(r.data)]
        coco_id = coco_image(data.get("coco_url"))
        rule = None
        if held.leaks(image["image_id"], image["flickr_photo_id"]) or coco_id in held.image_ids:
            rule = "holdout"
            if coco_id in held.image_ids:
                events["hold-out: COCO's URL"] += 1
        elif not objects:
            rule = "not_a_candidate"
        if rule:
            for row in (image_row, *mine):
                row.rule = rule
            continue
        for row in mine:
            label = row.data["category_id"]
            if label not in category_of and options.unmapped == "drop":
                row.rule = "option"
                continue
            annotations.append(
                manifest_row(name, row.data, data, names[label], category_of.get(label), said)
            )
            annotations[-1]["image_id"] = image["image_id"]
        bad = [r.data for r in rows if r.reason and is_about(r.data, data["id"])]
        image.update(
            lists(
                data,
                [r.data for r in mine],
                bad,
                set(names),
                category_of,
                classes_of,
                name in options.extra_exhaustive,
                events,
            )
        )
        images.append(image)
    return {(name, "image"): image_rows, (name, "annotation"): rows}


def is_crowd(data: dict[str, Any]) -> bool:
    return bool(data.get("iscrowd", 0) == 1)


def is_about(data: Any, image_id: int) -> bool:
    """Whether a bad row says that it is of an image."""
    number = data.get("image_id") if isinstance(data, dict) else None
    return is_integer(number) and number == image_id


def manifest_row(
    name: str,
    data: dict[str, Any],
    image: dict[str, Any],
    label: str,
    category: int | None,
    said: dict[int, tuple[str, str]],
) -> dict[str, Any]:
    """The `annotations` row of a good row."""
    number = image_number(name, image["id"])
    if category is not None and not is_crowd(data):
        row = object_annotation(data, name, image, label)
        row["category_id"] = category
        row["map_relation"] = said[data["category_id"]][1]
        row["order"] = (number, *row["order"][1:])
        return row
    _, _, w, h = data["bbox"]
    return annotation(
        number,
        name,
        data["id"],
        data["bbox"],
        category_id=category,
        area=float(w * h),
        role="ignore",
        ignore_reason="unmapped" if category is None else "crowd",
        source_annotation_id=str(data["id"]),
        source_label=label,
        map_relation=None if category is None else said[data["category_id"]][1],
    )


def lists(
    image: dict[str, Any],
    mine: list[dict[str, Any]],
    bad: list[dict[str, Any]],
    classes: set[int],
    category_of: dict[int, int],
    classes_of: dict[int, set[int]],
    exhaustive: bool,
    events: Counter[str],
) -> dict[str, list[int]]:
    """The evidence of one image: category by category, what its classes say."""
    unclear = any(
        not is_integer(data.get("category_id")) or data["category_id"] not in classes
        for data in bad
    )
    events["extra: unclear image"] += unclear
    listed_absent = image.get("neg_category_ids")
    listed_partial = image.get("not_exhaustive_category_ids")
    pos, neg, partial = [], [], []
    for category in sorted(set(category_of.values())):
        wanted = classes_of[category]
        lacking = not wanted <= classes
        rows = [data for data in mine if data["category_id"] in wanted]
        spoilt = any(data.get("category_id") in wanted for data in bad)
        if rows:
            pos.append(category)
            complete = exhaustive or listed_partial is not None
            complete &= not unclear and not lacking and not spoilt
            complete &= not any(map(is_crowd, rows))
            complete &= wanted.isdisjoint(listed_partial or [])
            if not complete:
                partial.append(category)
            events["extra: complete" if complete else "extra: not complete"] += 1
            events["extra: stated absent and annotated"] += wanted <= set(listed_absent or [])
            continue
        absent = exhaustive or wanted <= set(listed_absent or [])
        if absent and lacking:
            events["extra: absent but for a class that the file lacks"] += 1
        elif absent and spoilt:
            events["extra: absent but for a bad row"] += 1
        elif absent and not unclear:
            neg.append(category)
            events["extra: absent"] += 1
            events["extra: absent, several classes"] += len(wanted) > 1
        elif not exhaustive and not wanted.isdisjoint(listed_absent or []):
            events["extra: one of several classes absent"] += 1
    return {
        "pos_category_ids": pos,
        "neg_category_ids": neg,
        "not_exhaustive_category_ids": partial,
    }
