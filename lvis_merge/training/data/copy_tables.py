"""The Arrow copy of a manifest: what training needs of it, in a form that is mapped, not read.

`images.arrow` has a row per image with the number of its annotations; `annotations.arrow` has
those, in the manifest's order, which is by image. Categories have become labels 0..C-1, in the
order of `category_id`, and what kind of row it is, one small number.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.schema import BBOX
from lvis_merge.merge.rules import IGNORE_REASONS, SPLITS
from lvis_merge.sources.tables import POLYGONS

IMAGES_FILE, ANNOTATIONS_FILE, HEAD_FILE = "images.arrow", "annotations.arrow", "head.json"

LAYOUT = 1
"""Of these tables; part of a copy's key."""

OBJECT = 0
MATCHED_COCO_BOX = len(IGNORE_REASONS) + 1
"""Kinds of rows: an object, the ignore reasons from 1 on, a COCO box that has its LVIS object."""

_EVIDENCE = ("neg", "pos", "not_exhaustive")
_IMAGE_COLUMNS = (
    *("image_id", "source", "split", "file_name", "width", "height"),
    *(f"{name}_category_ids" for name in _EVIDENCE),
)
_ANNOTATION_COLUMNS = (
    *("image_id", "category_id", "bbox", "segmentation", "mask_rle"),
    *("role", "ignore_reason", "matched_annotation_id"),
)

_LABELS = pa.list_(pa.int32())
IMAGES = pa.schema(
    {
        "image_id": pa.int64(),
        "source": pa.int16(),  # place in CopyHead.sources
        "split": pa.int8(),  # place in SPLITS
        "file_name": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "annotations": pa.int32(),  # how many
        "neg": _LABELS,
        "pos": _LABELS,
        "not_exhaustive": _LABELS,
    }
)
ANNOTATIONS = pa.schema(
    {
        "label": pa.int32(),  # -1: none
        "kind": pa.int8(),
        "bbox": BBOX,  # x, y, w, h in pixels
        "segmentation": POLYGONS,
        "mask_rle": pa.string(),
    }
)


class CopyHead(msgspec.Struct, frozen=True):
    """What is the same for all rows.

    Attributes:
        manifest: the folder that the copy was made of.
        sources: of the images, sorted.
        category_ids: by label.
        names: of the categories, by label.
        frequencies: r, c, f or None, by label.
    """

    manifest: str
    sources: tuple[str, ...]
    category_ids: tuple[int, ...]
    names: tuple[str, ...]
    frequencies: tuple[str | None, ...]


def write_copy(manifest: Manifest, folder: Path) -> None:
    """Writes the copy of a manifest.

    Args:
        manifest: an open one.
        folder: gets the three files.

    Raises:
        InputError: a table is missing or damaged, or its rows are out of order.
        OSError: the folder cannot be written.
    """
    images = manifest.arrow("images", _IMAGE_COLUMNS).combine_chunks()
    categories = manifest.arrow("categories", ["category_id", "name", "frequency"])
    head = CopyHead(
        manifest=str(manifest.path.resolve()),
        sources=tuple(sorted(pc.unique(images["source"]).to_pylist())),
        category_ids=tuple(categories["category_id"].to_pylist()),
        names=tuple(categories["name"].to_pylist()),
        frequencies=tuple(categories["frequency"].to_pylist()),
    )
    category_ids = categories["category_id"]
    table, image_of_row = _annotations(manifest, category_ids)
    _write(folder / ANNOTATIONS_FILE, ANNOTATIONS, table)
    counts = _rows_of_images(manifest, images["image_id"].to_numpy(), image_of_row)
    _write(
        folder / IMAGES_FILE,
        IMAGES,
        {
            **{name: images[name] for name in ("image_id", "file_name", "width", "height")},
            "source": pc.index_in(images["source"], pa.array(head.sources)),
            "split": pc.index_in(images["split"], pa.array(SPLITS)),
            "annotations": pa.array(counts),
            **{
                name: _as_labels(images[f"{name}_category_ids"], category_ids) for name in _EVIDENCE
            },
        },
    )
    (folder / HEAD_FILE).write_bytes(msgspec.json.encode(head))


def _annotations(
    manifest: Manifest, category_ids: pa.ChunkedArray
) -> tuple[dict[str, pa.ChunkedArray], np.ndarray]:
    """Columns of `ANNOTATIONS`, and int64 [A], the image of each row."""
    rows = manifest.arrow("annotations", _ANNOTATION_COLUMNS)
    is_object = pc.equal(rows["role"], "object")
    labels = pc.index_in(rows["category_id"], category_ids)
    if pc.any(pc.and_(is_object, pc.is_null(labels))).as_py():
        raise _invalid(manifest, "annotations", "an object has no category of categories.parquet")
    reason = pc.index_in(rows["ignore_reason"], pa.array(IGNORE_REASONS))
    if pc.any(pc.and_(pc.invert(is_object), pc.is_null(reason))).as_py():
        raise _invalid(manifest, "annotations", "an ignore row has no known reason")
    matched = pc.and_(
        pc.equal(rows["ignore_reason"], "coco_box"), pc.is_valid(rows["matched_annotation_id"])
    )
    kind = pc.if_else(is_object, OBJECT, pc.if_else(matched, MATCHED_COCO_BOX, pc.add(reason, 1)))
    columns = {
        "label": pc.fill_null(labels, -1),
        "kind": kind,
        **{name: rows[name] for name in ("bbox", "segmentation", "mask_rle")},
    }
    return columns, rows["image_id"].to_numpy()


def _rows_of_images(
    manifest: Manifest, image_id: np.ndarray, image_of_row: np.ndarray
) -> np.ndarray:
    """int64 [I]: how many annotations each image has; they must be in the order of the images."""
    if (np.diff(image_id) <= 0).any() or (np.diff(image_of_row) < 0).any():
        raise _invalid(manifest, "annotations", "the rows are not in the order of image_id")
    counts = np.searchsorted(image_of_row, image_id, "right") - np.searchsorted(
        image_of_row, image_id, "left"
    )
    if counts.sum() != len(image_of_row):
        raise _invalid(manifest, "annotations", "a row is of an image that images.parquet lacks")
    return counts


def _as_labels(lists: pa.ChunkedArray, category_ids: pa.ChunkedArray) -> pa.Array:
    """Lists of category ids as lists of labels; ids that are no category are left out."""
    column = lists.combine_chunks()
    values = pc.index_in(column.flatten(), category_ids)
    lengths = np.diff(column.offsets.to_numpy())
    row = np.repeat(np.arange(len(column)), lengths)[values.is_valid().to_numpy(False)]
    known = np.bincount(row, minlength=len(column))
    offsets = np.concatenate([[0], np.cumsum(known)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, values.drop_null())


def _write(path: Path, schema: pa.Schema, columns: dict[str, pa.ChunkedArray]) -> None:
    """One record batch, so that every column is one piece of the file."""
    arrays = [columns[field.name].cast(field.type) for field in schema]
    table = pa.table(arrays, schema=schema).combine_chunks()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table)


def _invalid(manifest: Manifest, table: str, what: str) -> InputError:
    return InputError(
        f"{manifest.path / f'{table}.parquet'}: {what}. `lvis-merge validate {manifest.path}` says"
        " where; build the manifest again."
    )
