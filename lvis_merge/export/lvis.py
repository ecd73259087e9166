"""LVIS annotation files: what came from LVIS is written as it came.

Objects only: the format has no ignore regions. LVIS's own images and objects (COCO's in label space
coco) keep their ids and have the members of the published files; those of other sources say where
they come from as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.export import json_text
from lvis_merge.export.annotation_file import (
    MASK_COLUMNS,
    AnnotationFile,
    Fields,
    Texts,
    annotation_texts,
    credit_fields,
    image_fields,
    write_split,
)
from lvis_merge.export.options import BoxOnly, Exported
from lvis_merge.export.split_rows import SplitRows, boxes_of, one_chunk
from lvis_merge.manifest import Manifest

_COLUMNS = (
    "annotation_id", "image_id", "category_id", "bbox", "area", *MASK_COLUMNS, "role", "source",
    "source_annotation_id",
)  # fmt: skip

_NUMBERED = ("lvis", "coco")
"""Label spaces whose own source publishes images and annotations under numbers."""


def write_lvis(
    path: Path, name: str, split: SplitRows, box_only: BoxOnly, advance: Callable[[int], None]
) -> Exported:
    """Writes one split as an LVIS annotation file.

    Boxes and polygons are the shortest decimals that give the manifest's float32, areas those of
    its float64.

    Args:
        path: the file to be.
        name: what the summary calls it.
        split: the split.
        box_only: `segmentation` of objects without a mask: `[]`, their rectangle, or no row.
        advance: told how many annotations were written.

    Raises:
        InputError: a table is missing or damaged.
    """
    space = split.manifest.record.label_space
    base = space if space in _NUMBERED else ""
    form = AnnotationFile(
        columns=_COLUMNS,
        role="object",
        categories=lvis_categories(split.manifest),
        images=partial(_images, base),
        annotations=partial(_annotations, split, box_only, base, _highest_id(split, base)),
    )
    return write_split(path, name, split, form, advance)


def lvis_categories(manifest: Manifest) -> list[dict[str, Any]]:
    """The categories as LVIS spells them; what the label space does not know is left out.

    LVIS's groups and counts where there are any, those after the merge elsewhere: `frequency` is
    what LVIS's readers cannot do without.
    """
    rows = []
    for row in manifest.categories.to_pylist():
        published = row["frequency"] is not None
        values = {
            "id": row["category_id"],
            "name": row["name"],
            "synset": row["synset"],
            "synonyms": row["synonyms"],
            "def": row["definition"],
            "frequency": row["frequency"] if published else row["frequency_merged"],
            "image_count": row["image_count_published" if published else "image_count"],
            "instance_count": row["instance_count_published" if published else "instance_count"],
        }
        rows.append({name: value for name, value in values.items() if value is not None})
    return rows


def _images(base: str, images: pa.Table) -> Fields:
    """LVIS images have a file name if the file gave one; others always have."""
    published = pc.equal(one_chunk(images["source"]), base)
    given, ours = (one_chunk(images[name]) for name in ("source_file_name", "file_name"))
    names = json_text.strings(pc.if_else(published, given, ours))
    return {**image_fields(images), "file_name": names, **_unless(published, credit_fields(images))}


def _annotations(
    split: SplitRows, box_only: BoxOnly, base: str, highest: int, rows: pa.Table
) -> Texts:
    return annotation_texts(rows, split, box_only, partial(_fields, base, highest))


def _fields(base: str, highest: int, rows: pa.Table, masks: pa.Array) -> Fields:
    column = {name: one_chunk(rows[name]) for name in _COLUMNS}
    published = pc.equal(column["source"], base)
    own = pc.add(column["annotation_id"], highest)
    return {
        "id": pc.if_else(published, column["source_annotation_id"], json_text.numbers(own)),
        "image_id": json_text.numbers(column["image_id"]),
        "category_id": json_text.numbers(column["category_id"]),
        "bbox": json_text.number_lists(boxes_of(rows)),
        "area": json_text.numbers(column["area"]),
        "segmentation": masks,
        **_provenance(column, published),
    }


def _provenance(column: Mapping[str, pa.Array], published: pa.Array) -> Fields:
    """Where the rows come from that are not published by the label space's own source."""
    if published.true_count == len(published):
        return {}
    names = ("source", "source_annotation_id")
    return _unless(published, {name: json_text.strings(column[name]) for name in names})


def _unless(flags: pa.Array, fields: Fields) -> Fields:
    """Members of the rows where the flag is not set."""
    return {name: pc.if_else(flags, None, texts) for name, texts in fields.items()}


def _highest_id(split: SplitRows, base: str) -> int:
    """The highest published id of an object; the others are numbered above it."""
    rows = split.manifest.arrow("annotations", ["source", "role", "source_annotation_id"])
    published = pc.and_(pc.equal(rows["source"], base), pc.equal(rows["role"], "object"))
    ids = rows["source_annotation_id"].filter(published)
    try:
        return int(pc.max(ids.cast(pa.int64())).as_py() or 0)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{split.manifest.path}: an object of source {base} has a source_annotation_id that is"
            f" no number ({error}). Build the manifest again."
        ) from error
