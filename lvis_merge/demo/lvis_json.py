"""LVIS annotation files, as the LVIS API reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvis_merge.demo.polygons import Shape, area, extent, rounded


@dataclass(frozen=True)
class LvisCategory:
    """A category entry; `frequency` is r, c or f, the counts are those of the file."""

    id: int
    name: str
    synset: str
    synonyms: tuple[str, ...]
    definition: str
    frequency: str
    image_count: int
    instance_count: int


@dataclass(frozen=True)
class LvisImage:
    """An image entry.

    Attributes:
        id: COCO image id.
        width: pixels.
        height: pixels.
        coco_url: of the image in its COCO 2017 folder.
        flickr_url: of the original; its name starts with the Flickr photo id.
        license: id in the file's list of licences.
        date_captured: `YYYY-MM-DD hh:mm:ss`.
        file_name: COCO 2014 name, as v0.5 has it; None leaves it out, as v1 does.
        neg: ids of the categories verified absent; None leaves both lists out (test files).
        not_exhaustive: ids of the categories of which some objects are not annotated.
    """

    id: int
    width: int
    height: int
    coco_url: str
    flickr_url: str
    license: int
    date_captured: str
    file_name: str | None
    neg: tuple[int, ...] | None = None
    not_exhaustive: tuple[int, ...] = ()


@dataclass(frozen=True)
class LvisAnnotation:
    """An object: its polygons in pixels; `bbox` and `area` follow from them."""

    id: int
    image_id: int
    category_id: int
    shape: Shape


def polygon_fields(shape: Shape) -> dict[str, Any]:
    """`segmentation`, `bbox` and `area` of a shape as COCO and LVIS write them.

    Two decimals, the box the exact extent of the written points, the area theirs too.
    """
    written = rounded(shape)
    return {
        "segmentation": [[round(float(v), 2) for v in part.ravel()] for part in written],
        "bbox": [round(value, 2) for value in extent(written)],
        "area": round(area(written), 2),
    }


def write_lvis(
    path: Path,
    images: Sequence[LvisImage],
    annotations: Sequence[LvisAnnotation] | None,
    categories: Sequence[LvisCategory],
    licenses: Sequence[dict[str, Any]],
    description: str,
) -> None:
    """Write one LVIS file.

    Args:
        path: file to write; its folder exists.
        images: in the order of the file.
        annotations: in the order of the file; None (test files) leaves them out.
        categories: in the order of the file.
        licenses: entries of the file's `licenses`.
        description: text of its `info`.
    """
    document: dict[str, Any] = {
        "info": {
            "description": description,
            "version": "demo",
            "year": 2019,
            "contributor": "lvis-merge demo",
            "date_created": "2019-06-01 00:00:00.000000",
            "url": "https://www.lvisdataset.org/",
        },
        "licenses": list(licenses),
        "categories": [_category(category) for category in categories],
        "images": [_image(image) for image in images],
    }
    if annotations is not None:
        document["annotations"] = [
            {
                "id": annotation.id,
                "image_id": annotation.image_id,
                "category_id": annotation.category_id,
                **polygon_fields(annotation.shape),
            }
            for annotation in annotations
        ]
    path.write_text(json.dumps(document), encoding="utf-8")


def _category(category: LvisCategory) -> dict[str, Any]:
    return {
        "id": category.id,
        "name": category.name,
        "synset": category.synset,
        "synonyms": list(category.synonyms),
        "def": category.definition,
        "frequency": category.frequency,
        "image_count": category.image_count,
        "instance_count": category.instance_count,
    }


def _image(image: LvisImage) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": image.id,
        "width": image.width,
        "height": image.height,
        "license": image.license,
        "flickr_url": image.flickr_url,
        "coco_url": image.coco_url,
        "date_captured": image.date_captured,
    }
    if image.file_name is not None:
        entry["file_name"] = image.file_name
    if image.neg is not None:
        entry["neg_category_ids"] = list(image.neg)
        entry["not_exhaustive_category_ids"] = list(image.not_exhaustive)
    return entry
