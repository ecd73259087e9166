"""COCO annotation files: ignore regions for LVIS images, or a label space of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.sources.json_annotations import AnnotationRows, CocoBox, CocoObject
from lvis_merge.sources.json_blocks import Document, RowSink
from lvis_merge.sources.json_categories import CocoCategory, read_categories
from lvis_merge.sources.json_file import (
    category_ids,
    licence_urls,
    read_annotation_file,
    rejected_rows,
)
from lvis_merge.sources.json_images import CocoImage, ImageRows, LookedUpImages
from lvis_merge.sources.tables import IMAGE_ROWS, JsonSource

_KIND = "a COCO instances file"


def read_coco(path: Path, *, masks: bool) -> JsonSource:
    """Reads and checks a COCO file.

    Boxes are x, y, w, h in pixels, polygons x, y in turn, both as published. `area` is the
    published one; w·h for crowds, without masks, and where the file has none.

    Args:
        path: a local file, plain, `.gz` or `.zip`.
        masks: whether images and masks are wanted, for the label space coco. Without, image rows
            are only looked up by id and counted as none, `area` and `segmentation` are not read.

    Returns:
        Good rows in file order and bad rows with their reasons; no mask on crowds. What JSON calls
        a number with a fraction (`1.0`) is no integer.

    Raises:
        InputError: a file that cannot be used at all: cut short, of another kind, without a needed
            array, with a malformed or repeated category or an unsafe file name.
    """
    return _with_masks(path) if masks else _boxes(path)


def _boxes(path: Path) -> JsonSource:
    sinks: dict[str, Callable[[], RowSink]] = {
        "images": LookedUpImages,
        "annotations": lambda: AnnotationRows(CocoBox),
    }
    document = read_annotation_file(path, sinks, _KIND)
    looked_up = cast("LookedUpImages", document.sinks["images"])
    looked_up.check_needed(path, "images")
    return _checked(path, document, looked_up.table(), IMAGE_ROWS.empty_table(), 0, {})


def _with_masks(path: Path) -> JsonSource:
    sinks: dict[str, Callable[[], RowSink]] = {
        "images": lambda: ImageRows(CocoImage),
        "annotations": lambda: AnnotationRows(CocoObject),
    }
    document = read_annotation_file(path, sinks, _KIND)
    image_rows = cast("ImageRows[CocoImage]", document.sinks["images"])
    image_rows.check_needed(path, "images")
    images, bad = image_rows.finish(path, licence_urls(document), np.zeros(0, np.int64))
    return _checked(path, document, images, images, image_rows.seen, {"images": bad})


def _refuse_lvis(path: Path, categories: Any) -> None:
    """An LVIS file has all that is read of a COCO file, but its category ids mean other things."""
    rows = categories if isinstance(categories, list) else []
    if rows and all(
        isinstance(row, dict) and {"synset", "frequency"} <= row.keys() for row in rows
    ):
        raise InputError(
            f"{path}: its categories have a synset and a frequency, so it is an LVIS file. Give it"
            f" to --lvis, and {_KIND} to --coco."
        )


def _checked(
    path: Path,
    document: Document,
    known: pa.Table,
    images: pa.Table,
    image_count: int,
    found: dict[str, list[tuple[int, str]]],
) -> JsonSource:
    """Checks annotations against the `known` images and puts the parts together."""
    _refuse_lvis(path, document.values["categories"])
    categories = read_categories(path, document.values["categories"], CocoCategory)
    rows = cast("AnnotationRows[CocoBox]", document.sinks["annotations"])
    rows.check_needed(path, "annotations")
    annotations, bad = rows.finish(known, category_ids(categories))
    return JsonSource(
        images=images,
        annotations=annotations,
        categories=categories,
        rejects=rejected_rows(path, document, "coco", {**found, "annotations": bad}),
        image_rows=image_count,
        annotation_rows=rows.seen,
        info=document.values.get("info"),
        licenses=document.values.get("licenses"),
    )
