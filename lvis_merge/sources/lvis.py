"""LVIS annotation files (v0.5, v1 or the same format with other categories)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from lvis_merge.sources.json_annotations import AnnotationRows, LvisAnnotation
from lvis_merge.sources.json_categories import LvisCategory, read_categories
from lvis_merge.sources.json_file import (
    category_ids,
    licence_urls,
    read_annotation_file,
    rejected_rows,
)
from lvis_merge.sources.json_images import ImageRows, LvisImage, LvisTestImage
from lvis_merge.sources.json_sinks import RowSink
from lvis_merge.sources.tables import ANNOTATION_ROWS, JsonSource

_NOTHING_TAKEN = np.zeros(0, np.int64)


def read_lvis(
    path: Path, *, test: bool = False, taken: npt.NDArray[np.int64] = _NOTHING_TAKEN
) -> JsonSource:
    """Reads and checks an LVIS file.

    Boxes are x, y, w, h in pixels, polygons x, y in turn, both as published.

    Args:
        path: a local file, plain, `.gz` or `.zip`.
        test: a test file: images and categories only; annotations are not looked for.
        taken: int64, image ids that this file may not repeat: those of val, for a test file.

    Returns:
        Good rows in file order and bad rows with their reasons. What JSON calls a number with a
        fraction (`1.0`) is no integer.

    Raises:
        InputError: a file that cannot be used at all: cut short, of another kind, without a needed
            array, with a malformed or repeated category or an unsafe file name.
    """
    sinks: dict[str, Callable[[], RowSink]] = {
        "images": lambda: ImageRows(LvisTestImage) if test else ImageRows(LvisImage)
    }
    if not test:
        sinks["annotations"] = lambda: AnnotationRows(LvisAnnotation)
    document = read_annotation_file(path, sinks, "an LVIS annotation file")
    categories = read_categories(path, document.values["categories"], LvisCategory)

    image_rows = cast("ImageRows[LvisImage]", document.sinks["images"])
    image_rows.check_needed(path, "images")
    image_table, bad_images = image_rows.finish(path, licence_urls(document), taken)
    found = {"images": bad_images}
    annotations = ANNOTATION_ROWS.empty_table()
    annotation_count = 0
    if not test:
        annotation_rows = cast("AnnotationRows[LvisAnnotation]", document.sinks["annotations"])
        annotation_rows.check_needed(path, "annotations")
        annotation_count = annotation_rows.seen
        annotations, found["annotations"] = annotation_rows.finish(
            image_table, category_ids(categories)
        )
    return JsonSource(
        images=image_table,
        annotations=annotations,
        categories=categories,
        rejects=rejected_rows(path, document, "lvis", found),
        image_rows=image_rows.seen,
        annotation_rows=annotation_count,
        info=document.values.get("info"),
        licenses=document.values.get("licenses"),
    )
