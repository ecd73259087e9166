"""COCO instance files in the form of `instances_train2017.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvis_merge.demo.lvis_json import polygon_fields
from lvis_merge.demo.polygons import Shape, extent, raster


@dataclass(frozen=True)
class CocoCategory:
    """A category entry."""

    id: int
    name: str
    supercategory: str


@dataclass(frozen=True)
class CocoImage:
    """An image entry; `coco_url` ends in `train2017/<12 digits>.jpg`."""

    id: int
    width: int
    height: int
    coco_url: str
    flickr_url: str
    license: int
    date_captured: str


@dataclass(frozen=True)
class CocoAnnotation:
    """An object, or a crowd.

    Attributes:
        id: annotation id.
        image: the image that it is on.
        category_id: COCO category id.
        shape: polygons in pixels; of a crowd, those of all its members.
        crowd: written as an uncompressed run-length mask, `iscrowd` 1.
        bbox: written instead of the shape's extent (for a broken row); x, y, w, h.
    """

    id: int
    image: CocoImage
    category_id: int
    shape: Shape
    crowd: bool = False
    bbox: tuple[float, float, float, float] | None = None


def uncompressed_rle(mask: NDArray[np.bool_]) -> dict[str, list[int]]:
    """Run lengths of a mask in column order, zeros first, as COCO writes crowds.

    Args:
        mask: bool [height, width].

    Returns:
        `{"counts": [...], "size": [height, width]}`.
    """
    flat = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    return {"counts": [int(run) for run in counts], "size": [int(side) for side in mask.shape]}


def write_coco(
    path: Path,
    images: Sequence[CocoImage],
    annotations: Sequence[CocoAnnotation],
    categories: Sequence[CocoCategory],
    licenses: Sequence[dict[str, Any]],
) -> None:
    """Write one COCO instances file.

    Args:
        path: file to write; its folder exists.
        images: in the order of the file.
        annotations: in the order of the file.
        categories: in the order of the file.
        licenses: entries of the file's `licenses`.
    """
    document = {
        "info": {
            "description": "COCO-like boxes of a drawn world",
            "url": "http://cocodataset.org",
            "version": "1.0",
            "year": 2017,
            "contributor": "lvis-merge demo",
            "date_created": "2017/09/01",
        },
        "licenses": list(licenses),
        "images": [_image(image) for image in images],
        "annotations": [_annotation(annotation) for annotation in annotations],
        "categories": [
            {"supercategory": category.supercategory, "id": category.id, "name": category.name}
            for category in categories
        ],
    }
    path.write_text(json.dumps(document), encoding="utf-8")


def _image(image: CocoImage) -> dict[str, Any]:
    return {
        "license": image.license,
        "file_name": image.coco_url.rsplit("/", 1)[-1],
        "coco_url": image.coco_url,
        "height": image.height,
        "width": image.width,
        "date_captured": image.date_captured,
        "flickr_url": image.flickr_url,
        "id": image.id,
    }


def _annotation(annotation: CocoAnnotation) -> dict[str, Any]:
    if annotation.crowd:
        mask = raster(annotation.shape, annotation.image.width, annotation.image.height)
        fields: dict[str, Any] = {
            "segmentation": uncompressed_rle(mask),
            "bbox": [round(value, 2) for value in extent(annotation.shape)],
            "area": int(mask.sum()),
        }
    else:
        fields = polygon_fields(annotation.shape)
    if annotation.bbox is not None:
        fields["bbox"] = list(annotation.bbox)
    return {
        "segmentation": fields["segmentation"],
        "area": fields["area"],
        "iscrowd": int(annotation.crowd),
        "image_id": annotation.image.id,
        "bbox": fields["bbox"],
        "category_id": annotation.category_id,
        "id": annotation.id,
    }
