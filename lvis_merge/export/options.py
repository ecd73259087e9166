"""What to export, where to, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lvis_merge.image_roots import ImageRoot


class Format(StrEnum):
    """Formats of an export."""

    lvis = "lvis"
    coco = "coco"
    yolo = "yolo"
    fiftyone = "fiftyone"
    huggingface = "huggingface"


class BoxOnly(StrEnum):
    """What becomes of objects without a mask in a format that wants one."""

    keep = "keep"
    rectangle = "rectangle"
    drop = "drop"


@dataclass(frozen=True)
class ExportOptions:
    """An export.

    Attributes:
        out: the file or folder to be.
        format: of the export.
        splits: to take; none for all that have images.
        image_roots: where images are, for the formats that point to them.
        box_only: what becomes of objects without a mask.
        copy_images: yolo: copy the images, instead of linking to them.
    """

    out: Path
    format: Format
    splits: Sequence[str] = ()
    image_roots: Sequence[ImageRoot] = ()
    box_only: BoxOnly = BoxOnly.keep
    copy_images: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written of one split.

    Attributes:
        split: train, val or test.
        file: the file or folder, relative to the export's folder; `.` for the export itself.
        images: images written.
        objects: objects written.
        ignore_regions: ignore regions written.
        counts: what else is to be told, by name: rows left out, boxes clipped, images missing.
    """

    split: str
    file: str
    images: int
    objects: int
    ignore_regions: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
