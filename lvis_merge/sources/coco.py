"""COCO annotation files: ignore regions, a label space of their own, or any set in that format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.sources.json_annotations import AnnotationRows, CocoBox, CocoObject
from lvis_merge.sources.json_blocks import Document
from lvis_merge.sources.json_categories import CocoCategory, read_categories
from lvis_merge.sources.json_file import (
    category_ids,
    licence_urls,
    read_annotation_file,
    rejected_rows,
)
from lvis_merge.sources.json_images import CocoImage, ExtraImage, ImageRows, LookedUpImages
from lvis_merge.sources.json_sinks import RowSink
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
    _refuse_lvis(path, document.values["categories"])
    return _checked(path, document, "coco", looked_up.table(), IMAGE_ROWS.empty_table(), 0, {})


def _with_masks(path: Path) -> JsonSource:
    document = _read_with_masks(path, CocoImage)
    _refuse_lvis(path, document.values["categories"])
    return _checked_with_masks(path, document, "coco")


def read_extra(path: Path, *, name: str) -> JsonSource:
    """Reads and checks a COCO-format file of any data set; as `read_coco` with masks.

    `file_name` is the file's own where it has one. An image may have `neg_category_ids` and
    `not_exhaustive_category_ids` as in LVIS, in the file's own ids; null where it has none.

    Args:
        path: a local file, plain, `.gz` or `.zip`.
        name: of the extra source.

    Returns:
        As `read_coco`, and what the bad annotation rows are about.

    Raises:
        InputError: as `read_coco`; an LVIS file is one like any other.
    """
    document = _read_with_masks(path, ExtraImage)
    source = _checked_with_masks(path, document, name)
    given, published = (source.images[column] for column in ("source_file_name", "file_name"))
    names = pc.if_else(pc.equal(given, "").fill_null(True), published, given)
    at = source.images.schema.get_field_index("file_name")
    rows = cast("AnnotationRows[CocoObject]", document.sinks["annotations"])
    return replace(
        source,
        images=source.images.set_column(at, "file_name", names),
        bad_annotations=rows.bad_table(),
    )


def _read_with_masks(path: Path, image: type[CocoImage]) -> Document:
    sinks: dict[str, Callable[[], RowSink]] = {
        "images": lambda: ImageRows(image),
        "annotations": lambda: AnnotationRows(CocoObject),
    }
    return read_annotation_file(path, sinks, _KIND)


def _checked_with_masks(path: Path, document: Document, source: str) -> JsonSource:
    image_rows = cast("ImageRows[CocoImage]", document.sinks["images"])
    image_rows.check_needed(path, "images")
    images, bad = image_rows.finish(path, licence_urls(document), np.zeros(0, np.int64))
    return _checked(path, document, source, images, images, image_rows.seen, {"images": bad})


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
    source: str,
    known: pa.Table,
    images: pa.Table,
    image_count: int,
    found: dict[str, list[tuple[int, str]]],
) -> JsonSource:
    """Checks annotations against the `known` images and puts the parts together."""
    categories = read_categories(path, document.values["categories"], CocoCategory)
    rows = cast("AnnotationRows[CocoBox]", document.sinks["annotations"])
    rows.check_needed(path, "annotations")
    annotations, bad = rows.finish(known, category_ids(categories))
    return JsonSource(
        images=images,
        annotations=annotations,
        categories=categories,
        rejects=rejected_rows(path, document, source, {**found, "annotations": bad}),
        image_rows=image_count,
        annotation_rows=rows.seen,
        info=document.values.get("info"),
        licenses=document.values.get("licenses"),
    )
