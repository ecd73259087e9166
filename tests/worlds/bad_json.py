"""Bad rows of LVIS and COCO JSON files: every reason, alone and two at a time."""

from __future__ import annotations

import copy
import math
from random import Random
from typing import Any


def spoil_images(rng: Random, images: list[Any], needs_lists: bool) -> list[Any]:
    """Adds 1 to 3 bad image rows, or spoils rows where they stand; two good ones stay."""
    rows = list(images)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(images))
        row = copy.deepcopy(images[place])
        kind = rng.choice(("columns", "value", "value", "duplicate_id"))
        if kind == "columns":
            row = without_field(rng, row, "id", "width", "height", *lists(needs_lists), "coco_url")
        elif kind == "value":
            bad_image_value(rng, row)
        else:
            row["width"] = 41  # the id of a row that stays
        untouched = sum(any(row is image for image in images) for row in rows)
        if kind != "duplicate_id" and untouched > 3 and rng.random() < 0.5:
            rows[place] = row
        else:
            rows.append(row)
    return rows


def lists(needed: bool) -> tuple[str, ...]:
    return ("neg_category_ids", "not_exhaustive_category_ids") if needed else ()


def without_field(rng: Random, row: dict[str, Any], *needed: str) -> Any:
    """The row without one needed field, or no object at all."""
    if rng.random() < 0.2:
        return rng.choice((5, "image", None, [1, 2]))
    row.pop(rng.choice(needed), None)
    row.pop("file_name", None)  # would stand in for a COCO image's coco_url
    return row


def bad_image_value(rng: Random, row: dict[str, Any]) -> None:
    choices: tuple[tuple[str, Any], ...] = (
        ("id", str(row["id"])),
        ("id", -1),
        ("id", 2**51),
        ("width", 0),
        ("height", 12.5),
        ("height", 2**31),
        ("width", None),
        ("coco_url", "http://images.cocodataset.org/only.jpg"),
        ("coco_url", 17),
        ("flickr_url", 17),
        ("neg_category_ids", ["1"]),
        ("not_exhaustive_category_ids", {}),
    )
    name, value = rng.choice([choice for choice in choices if choice[0] in row])
    row[name] = value


def spoil_annotations(rng: Random, annotations: list[Any], masks: bool) -> list[Any]:
    """Adds 1 to 5 bad annotation rows, some bad in two ways; in place now and then."""
    rows = list(annotations)
    for turn in range(rng.randint(1, 5)):
        place = rng.randrange(len(annotations))
        row: Any = copy.deepcopy(annotations[place])
        row["id"] = 10**6 + turn
        kinds = ["value", "unknown_image", "unknown_category", "duplicate_id", "box"]
        kinds += ["polygon", "polygon"] if masks else []
        for kind in rng.sample(kinds, rng.choice((1, 1, 2))):
            spoil_annotation(rng, row, kind, annotations, masks)
        if rng.random() < 0.15:
            row = without_field(rng, row, "id", "image_id", "category_id", "bbox")
        if turn == 0 and len(annotations) > 2 and rng.random() < 0.3:
            rows[place] = row
        else:
            rows.append(row)
    return rows


def spoil_annotation(
    rng: Random, row: dict[str, Any], kind: str, others: list[Any], masks: bool
) -> None:
    if kind == "value":
        choices: list[tuple[str, Any]] = [
            ("id", -1),
            ("id", "12"),
            ("id", 2**63),
            ("image_id", "5"),
            ("category_id", 1.5),
            ("bbox", [1, 2, 3]),
            ("bbox", [1, 2, 3, "4"]),
            ("bbox", {"x": 1}),
        ]
        if masks:
            choices += [("area", "large"), ("area", math.inf), ("segmentation", "none")]
            choices += [("segmentation", [1, 2, 3, 4, 5, 6])]
        if "iscrowd" in row:
            choices += [("iscrowd", 2), ("iscrowd", "0")] * 2
        name, value = rng.choice(choices)
        row[name] = value
    elif kind == "unknown_image":
        row["image_id"] = 987_654_321
    elif kind == "unknown_category":
        row["category_id"] = 88_888
    elif kind == "duplicate_id":
        row["id"] = rng.choice(others)["id"]
    elif kind == "box":
        box = list(row["bbox"]) if isinstance(row["bbox"], list) else [1, 1, 1, 1]
        place, value = rng.choice(
            ((2, 0), (3, 0), (2, -3.5), (3, -1), (0, math.inf), (2, math.inf))
        )
        row["bbox"] = [*box[:place], value, *box[place + 1 :]]
    elif kind == "polygon":
        if row.get("iscrowd") == 1:
            row["iscrowd"] = 0
        square = [1.0, 1.0, 5.0, 1.0, 5.0, 5.0]
        row["segmentation"] = rng.choice(
            (
                [square, [1, 2, 3, 4]],
                [[*square, 7.5]],
                [[]],
                [[*square[:5], math.inf]],
                {"size": [1, 1], "counts": [1]},
                {"size": [1, 1], "counts": "1"},
                [[*square * 60, 1.25]],
            )
        )
