"""Checks of the image and annotation rows of LVIS and COCO JSON files, and their manifest rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pycocotools import mask as coco_mask

from tests.reference.reading import Row
from tests.reference.tables import annotation
from tests.reference.values import flickr_photo_id, float32, is_integer, is_number

LVIS_IMAGE = ("id", "width", "height", "coco_url")
EVIDENCE_LISTS = ("neg_category_ids", "not_exhaustive_category_ids")


@dataclass(frozen=True)
class AnnotationFields:
    """Which fields of an annotation row are needed, and which optional ones are read."""

    needed: tuple[str, ...]
    area: bool
    segmentation: bool
    iscrowd: bool


LVIS_ANNOTATION = AnnotationFields(
    ("id", "image_id", "category_id", "bbox", "area", "segmentation"), True, True, False
)
COCO_IGNORE_REGION = AnnotationFields(("id", "image_id", "category_id", "bbox"), False, False, True)
COCO_ANNOTATION = AnnotationFields(("id", "image_id", "category_id", "bbox"), True, True, True)


def url_parts(url: str) -> list[str]:
    return [part for part in urlsplit(url).path.split("/") if part]


def is_image_id(value: Any) -> bool:
    return is_integer(value) and 0 <= value < 2**51


def image_problem(image: Any, needed: tuple[str, ...]) -> str | None:
    """`columns`, `value` or None; without a needed `coco_url`, `file_name` must stand in.

    Only a file that must have them, LVIS's, may not have null for its lists.
    """
    if not isinstance(image, dict) or any(name not in image for name in needed):
        return "columns"
    if image.get("coco_url") is None and "coco_url" not in needed and "file_name" not in image:
        return "columns"

    fine = is_image_id(image["id"])
    for name in ("width", "height"):
        fine &= is_integer(image[name]) and 1 <= image[name] < 2**31
    url = image.get("coco_url")
    if url is not None or "coco_url" in needed:
        fine &= isinstance(url, str) and len(url_parts(url)) >= 2
    else:
        fine &= isinstance(image["file_name"], str)
    for name in EVIDENCE_LISTS:
        if name in image and (image[name] is not None or "coco_url" in needed):
            fine &= isinstance(image[name], list) and all(map(is_integer, image[name]))
    for name in ("file_name", "flickr_url", "date_captured"):
        fine &= image.get(name) is None or isinstance(image[name], str)
    fine &= image.get("license") is None or is_integer(image["license"])
    return None if fine else "value"


def check_images(
    rows: list[Row], needed: tuple[str, ...], ids_in_use: frozenset[int] = frozenset()
) -> None:
    """Sets `reason` of image rows; an id in `ids_in_use` is a repeated one too."""
    seen = set(ids_in_use)
    for row in rows:
        row.reason = image_problem(row.data, needed)
        if row.reason is None:
            if row.data["id"] in seen:
                row.reason = "duplicate_id"
            seen.add(row.data["id"])


def is_crowd(data: dict[str, Any], fields: AnnotationFields) -> bool:
    return fields.iscrowd and data.get("iscrowd", 0) == 1


def annotation_problem(data: Any, fields: AnnotationFields) -> str | None:
    """`columns`, `value` or None of one annotation row; a crowd's area and mask are not read."""
    if not isinstance(data, dict) or any(name not in data for name in fields.needed):
        return "columns"
    fine = is_integer(data["id"]) and 0 <= data["id"] < 2**63
    fine &= is_integer(data["image_id"]) and is_integer(data["category_id"])
    bbox = data["bbox"]
    fine &= isinstance(bbox, list) and len(bbox) == 4 and all(map(is_number, bbox))
    if fields.iscrowd and "iscrowd" in data:
        fine &= is_integer(data["iscrowd"]) and data["iscrowd"] in (0, 1)
    crowd = is_crowd(data, fields)
    if fields.area and not crowd and "area" in data:
        fine &= is_number(data["area"]) and math.isfinite(data["area"])
    if fields.segmentation and not crowd and "segmentation" in data:
        fine &= is_segmentation(data["segmentation"])
    return None if fine else "value"


def is_segmentation(value: Any) -> bool:
    """A list of lists of numbers, or an RLE object."""
    if isinstance(value, dict):
        size, counts = value.get("size"), value.get("counts")
        return (
            isinstance(size, list)
            and len(size) == 2
            and all(map(is_integer, size))
            and (
                isinstance(counts, str)
                or (isinstance(counts, list) and all(map(is_integer, counts)))
            )
        )
    return isinstance(value, list) and all(
        isinstance(part, list) and all(map(is_number, part)) for part in value
    )


def is_bad_mask(segmentation: Any, image: dict[str, Any]) -> bool:
    if isinstance(segmentation, dict):
        return bool(segmentation["size"] != [image["height"], image["width"]])
    return any(
        len(part) < 6 or len(part) % 2 == 1 or not all(map(math.isfinite, part))
        for part in segmentation
    )


def check_annotations(
    rows: list[Row],
    fields: AnnotationFields,
    images: dict[int, dict[str, Any]],
    category_ids: set[int],
) -> None:
    """Sets `reason` of annotation rows; `images` are the good ones of the same file by id."""
    seen: set[int] = set()
    for row in rows:
        row.reason = annotation_problem(row.data, fields)
        if row.reason is not None:
            continue
        data = row.data
        repeated = data["id"] in seen
        seen.add(data["id"])
        bbox = data["bbox"]
        if data["image_id"] not in images:
            row.reason = "unknown_image"
        elif data["category_id"] not in category_ids:
            row.reason = "unknown_category"
        elif repeated:
            row.reason = "duplicate_id"
        elif not all(map(math.isfinite, bbox)) or bbox[2] <= 0 or bbox[3] <= 0:
            row.reason = "box"
        elif fields.segmentation and not is_crowd(data, fields):
            segmentation = data.get("segmentation", [])
            if is_bad_mask(segmentation, images[data["image_id"]]):
                row.reason = "polygon"


def mask_columns(
    segmentation: Any, image: dict[str, Any]
) -> tuple[list[list[float]] | None, str | None]:
    """(segmentation, mask_rle) of one object; at most one is not None."""
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        if isinstance(counts, list):
            compressed = coco_mask.frPyObjects(segmentation, image["height"], image["width"])
            counts = compressed["counts"].decode("ascii")
        return None, counts
    if not segmentation:
        return None, None
    return [[float32(value) for value in part] for part in segmentation], None


def licence_urls(members: dict[str, Any]) -> dict[int | None, str | None]:
    return {licence["id"]: licence.get("url") for licence, _ in members.get("licenses", [])}


def manifest_image(
    image: dict[str, Any], source: str, split: str, licences: dict[int | None, str | None]
) -> dict[str, Any]:
    """The `images` row of a good LVIS or COCO image, without `pos_category_ids`."""
    url = image.get("coco_url")
    name = image.get("file_name")
    return {
        "image_id": image["id"],
        "source": source,
        "source_image_id": str(image["id"]),
        "split": split,
        "file_name": name if url is None else "/".join(url_parts(url)[-2:]),
        "source_file_name": name,
        "url": url,
        "original_url": image.get("flickr_url"),
        "landing_url": None,
        "width": image["width"],
        "height": image["height"],
        "flickr_photo_id": flickr_photo_id(image.get("flickr_url")),
        "license": licences.get(image.get("license")),
        "license_id": image.get("license"),
        "author": None,
        "author_url": None,
        "title": None,
        "date_captured": image.get("date_captured"),
        "neg_category_ids": list(image.get("neg_category_ids") or []),
        "not_exhaustive_category_ids": list(image.get("not_exhaustive_category_ids") or []),
    }


def object_annotation(
    data: dict[str, Any], source: str, image: dict[str, Any], label: str
) -> dict[str, Any]:
    """The `annotations` row of an LVIS object, or of a COCO one in its own label space."""
    segmentation, rle = mask_columns(data.get("segmentation", []), image)
    _, _, w, h = data["bbox"]
    return annotation(
        image["id"],
        source,
        data["id"],
        data["bbox"],
        category_id=data["category_id"],
        area=float(data["area"] if "area" in data else w * h),
        segmentation=segmentation,
        mask_rle=rle,
        role="object",
        source_annotation_id=str(data["id"]),
        source_label=label,
    )
