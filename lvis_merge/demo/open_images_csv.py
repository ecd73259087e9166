"""Open Images V5 files: boxes, image lists, image labels, class names and hierarchy."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lvis_merge.demo.classes import Hierarchy

Subset: TypeAlias = Literal["train", "validation"]
Row: TypeAlias = Sequence[str]

BOX_COLUMNS = [
    "ImageID",
    "Source",
    "LabelName",
    "Confidence",
    "XMin",
    "XMax",
    "YMin",
    "YMax",
    "IsOccluded",
    "IsTruncated",
    "IsGroupOf",
    "IsDepiction",
    "IsInside",
]
IMAGE_COLUMNS = [
    "ImageID",
    "Subset",
    "OriginalURL",
    "OriginalLandingURL",
    "License",
    "AuthorProfileURL",
    "Author",
    "Title",
    "OriginalSize",
    "OriginalMD5",
    "Thumbnail300KURL",
    "Rotation",
]
LABEL_COLUMNS = ["ImageID", "Source", "LabelName", "Confidence"]

IMAGE_LIST_NAMES: dict[Subset, str] = {
    "train": "train-images-boxable-with-rotation.csv",
    "validation": "validation-images-with-rotation.csv",
}


@dataclass(frozen=True)
class BoxRow:
    """A box in the published, normalised form.

    Attributes:
        image_id: 16 hex digits.
        source: `xclick` (drawn by a person) or `activemil` (by a machine, then verified).
        mid: class.
        box: XMin, XMax, YMin, YMax in [0, 1], of the stored frame.
        flags: IsOccluded, IsTruncated, IsGroupOf, IsDepiction, IsInside: 0, 1 or -1 (unknown).
    """

    image_id: str
    source: str
    mid: str
    box: tuple[float, float, float, float]
    flags: tuple[int, int, int, int, int]

    def fields(self) -> Row:
        """The row's text, in the order of `BOX_COLUMNS`."""
        numbers = [f"{value:.6f}" for value in self.box]
        return [self.image_id, self.source, self.mid, "1", *numbers, *map(str, self.flags)]


@dataclass(frozen=True)
class ImageRow:
    """A line of an image list; `rotation` as published (`0.0`, `90.0`, empty, ...)."""

    image_id: str
    subset: Subset
    original_url: str
    landing_url: str
    author_url: str
    author: str
    title: str
    original_size: int
    original_md5: str
    thumbnail_url: str
    rotation: str

    def fields(self) -> Row:
        """The row's text, in the order of `IMAGE_COLUMNS`."""
        license_url = "https://creativecommons.org/licenses/by/2.0/"
        return [
            self.image_id, self.subset, self.original_url, self.landing_url, license_url,
            self.author_url, self.author, self.title, str(self.original_size),
            self.original_md5, self.thumbnail_url, self.rotation,
        ]  # fmt: skip


@dataclass(frozen=True)
class LabelRow:
    """A class verified present (True) or absent (False) in an image."""

    image_id: str
    mid: str
    present: bool
    source: str = "verification"

    def fields(self) -> Row:
        """The row's text, in the order of `LABEL_COLUMNS`."""
        return [self.image_id, self.source, self.mid, "1" if self.present else "0"]


def write_boxes(folder: Path, subset: Subset, rows: Iterable[Row]) -> None:
    """Write `<subset>-annotations-bbox.csv`; rows as text, so that bad ones can be among them."""
    _write(folder / f"{subset}-annotations-bbox.csv", BOX_COLUMNS, rows)


def write_images(folder: Path, subset: Subset, rows: Iterable[Row]) -> None:
    """Write a subset's image list under its published name."""
    _write(folder / IMAGE_LIST_NAMES[subset], IMAGE_COLUMNS, rows)


def write_labels(folder: Path, subset: Subset, rows: Iterable[Row]) -> None:
    """Write `<subset>-annotations-human-imagelabels-boxable.csv`."""
    _write(folder / f"{subset}-annotations-human-imagelabels-boxable.csv", LABEL_COLUMNS, rows)


def write_classes(folder: Path, hierarchy: Hierarchy) -> None:
    """Write `class-descriptions-boxable.csv` (no header) and `bbox_labels_600_hierarchy.json`."""
    _write(folder / "class-descriptions-boxable.csv", None, list(hierarchy.names.items()))
    text = json.dumps(_node(hierarchy, hierarchy.root), indent=4)
    (folder / "bbox_labels_600_hierarchy.json").write_text(text, encoding="utf-8")


def write_table(path: Path, columns: Row, rows: Iterable[Row]) -> None:
    """Write any other CSV: sizes, exclusions, hold-out lists."""
    _write(path, columns, rows)


def _node(hierarchy: Hierarchy, mid: str) -> dict[str, Any]:
    """A class and everything below it; a class with two parents appears under both."""
    node: dict[str, Any] = {"LabelName": mid}
    for key, edges in (("Subcategory", hierarchy.subcategory), ("Part", hierarchy.part)):
        below = [_node(hierarchy, child) for parent, child in edges if parent == mid]
        if below:
            node[key] = below
    return node


def _write(path: Path, header: Row | None, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if header is not None:
            writer.writerow(header)
        writer.writerows(rows)
