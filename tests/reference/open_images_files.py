"""Open Images files to checked rows, one `Subset` each of train, validation and test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reference import values
from tests.reference.reading import Row, csv_records, csv_rows, read_text

SUBSETS = ("train", "validation", "test")
BOX_COLUMNS = (
    "ImageID", "Source", "LabelName", "XMin", "XMax", "YMin", "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside",
)  # fmt: skip
COORDINATES = ("XMin", "XMax", "YMin", "YMax")
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")


@dataclass
class Subset:
    """The files of one subset.

    Attributes:
        listing: rows of the image list, or None where the subset has no list.
        boxes: all box rows.
        labels: all label rows, or None where the subset has no label file.
        image_ids: ids of the good images.
    """

    name: str
    listing: list[Row] | None
    boxes: list[Row]
    labels: list[Row] | None
    image_ids: set[str]


def find(folder: Path, *names: str) -> Path | None:
    """The one file of that kind in the folder, plain or compressed."""
    found = [
        folder / (name + suffix)
        for name in names
        for suffix in ("", ".gz", ".zip")
        if (folder / (name + suffix)).exists()
    ]
    assert len(found) <= 1, f"two files of one kind: {found}"
    return found[0] if found else None


def read_classes(folder: Path) -> dict[str, str]:
    """MID -> name."""
    headed = find(folder, "oidv7-class-descriptions-boxable.csv")
    plain = find(folder, "class-descriptions-boxable.csv")
    path = headed or plain
    assert path is not None
    assert not (headed and plain)
    records = csv_records(read_text(path))
    return {mid: name for _, (mid, name) in (records[1:] if headed else records)}


def read_hierarchy(folder: Path) -> dict[str, set[str]]:
    """MID -> MIDs of its children by `Subcategory`, over all nodes of that MID."""
    path = find(folder, "bbox_labels_600_hierarchy.json")
    children: dict[str, set[str]] = {}

    def walk(node: dict[str, Any]) -> None:
        mine = children.setdefault(node["LabelName"], set())
        for child in node.get("Subcategory", []):
            mine.add(child["LabelName"])
            walk(child)
        for part in node.get("Part", []):
            walk(part)

    if path is not None:
        walk(json.loads(read_text(path)))
    return children


def read_subsets(folder: Path, classes: dict[str, str]) -> list[Subset]:
    """Reads and checks every subset that has a box file."""
    subsets = []
    listed_before: set[str] = set()
    for name in SUBSETS:
        boxes = find(folder, f"{name}-annotations-bbox.csv", f"oidv6-{name}-annotations-bbox.csv")
        if boxes is None:
            continue
        part = "train-images-boxable" if name == "train" else f"{name}-images"
        listing = find(folder, f"{part}-with-rotation.csv")
        stem = f"{name}-annotations-human-imagelabels-boxable.csv"
        labels = find(folder, stem, f"oidv7-{stem}")

        subset = Subset(name, None, parsed_boxes(boxes), None, set())
        if listing is None:
            subset.image_ids = {row.data["ImageID"] for row in subset.boxes if not row.reason}
        else:
            subset.listing = checked_listing(listing, listed_before)
            subset.image_ids = {row.data["ImageID"] for row in subset.listing if not row.reason}
        check_boxes(subset.boxes, subset.image_ids, classes)
        if labels is not None:
            subset.labels = checked_labels(labels, subset.image_ids, classes)
        subsets.append(subset)
    return subsets


def checked_listing(path: Path, listed_before: set[str]) -> list[Row]:
    """Image list rows; `listed_before` holds the ids of earlier subsets and is added to."""
    rows = csv_rows(path, "open_images", "image", ("ImageID",))
    for row in rows:
        if row.reason:
            continue
        try:
            row.data["ImageID"] = values.image_id(row.data["ImageID"])
            row.data["Rotation"] = values.rotation(row.data.get("Rotation"))
        except values.NotAValueError:
            row.reason = "value"
            continue
        if row.data["ImageID"] in listed_before:
            row.reason = "duplicate_id"
        listed_before.add(row.data["ImageID"])
    return rows


def parsed_boxes(path: Path) -> list[Row]:
    """Box rows checked for `columns` and `value`, fields parsed."""
    rows = csv_rows(path, "open_images", "box", BOX_COLUMNS)
    for row in rows:
        if row.reason:
            continue
        try:
            row.data["ImageID"] = values.image_id(row.data["ImageID"])
            for name in COORDINATES:
                row.data[name] = values.number(row.data[name])
            for name in FLAGS:
                row.data[name] = values.flag(row.data[name])
        except values.NotAValueError:
            row.reason = "value"
    return rows


def check_boxes(rows: list[Row], image_ids: set[str], classes: dict[str, str]) -> None:
    """The checks of a box row that come after `columns` and `value`."""
    for row in rows:
        if row.reason:
            continue
        box = row.data
        if box["ImageID"] not in image_ids:
            row.reason = "unknown_image"
        elif box["LabelName"] not in classes:
            row.reason = "unknown_category"
        elif not (0 <= box["XMin"] < box["XMax"] <= 1 and 0 <= box["YMin"] < box["YMax"] <= 1):
            row.reason = "box"


def checked_labels(path: Path, image_ids: set[str], classes: dict[str, str]) -> list[Row]:
    rows = csv_rows(path, "open_images", "label", ("ImageID", "LabelName", "Confidence"))
    for row in rows:
        if row.reason:
            continue
        try:
            row.data["ImageID"] = values.image_id(row.data["ImageID"])
            row.data["Confidence"] = values.confidence(row.data["Confidence"])
        except values.NotAValueError:
            row.reason = "value"
            continue
        if row.data["ImageID"] not in image_ids:
            row.reason = "unknown_image"
        elif row.data["LabelName"] not in classes:
            row.reason = "unknown_category"
    return rows


def box_order(box: dict[str, Any]) -> tuple[Any, ...]:
    """The order of good box rows of one image: numbers as numbers, nulls first."""
    keys = ("LabelName", *COORDINATES, *FLAGS, "Source")
    return tuple((0, 0) if box[key] is None else (1, box[key]) for key in keys)
