"""A JSON annotation file of one split, LVIS's or COCO's, written as a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.export import json_text
from lvis_merge.export.in_order import in_order
from lvis_merge.export.options import BoxOnly, Exported
from lvis_merge.export.split_rows import SplitRows, boxes_of, one_chunk

MASK_COLUMNS = ("segmentation", "mask_rle")

_IMAGES_AT_A_TIME = 1 << 14

Fields = Mapping[str, pa.Array]
"""JSON texts of the values of rows, by key."""


@dataclass(frozen=True)
class Texts:
    """Annotations as text.

    Attributes:
        rows: JSON objects, each followed by a comma and a new line.
        objects: how many of them are objects.
        box_only: objects without a mask among the rows given, written or not.
        bitmaps: objects whose mask is written as run lengths.
    """

    rows: pa.Array
    objects: int
    box_only: int
    bitmaps: int


def annotation_texts(
    rows: pa.Table,
    split: SplitRows,
    box_only: BoxOnly,
    fields: Callable[[pa.Table, pa.Array], Fields],
) -> Texts:
    """Annotations as text.

    Args:
        rows: of the split, in one chunk, with `role`, `image_id`, `bbox` and `MASK_COLUMNS`.
        split: the split.
        box_only: what becomes of objects without a mask. Ignore regions without one always have
            their rectangle.
        fields: the members of each row's object, from the rows and their `segmentation`.
    """
    is_object = pc.equal(one_chunk(rows["role"]), "object")
    no_mask = pc.and_(*(one_chunk(rows[name]).is_null() for name in MASK_COLUMNS))
    box_only_rows = pc.and_(is_object, no_mask)
    count = _count(box_only_rows)
    if count and box_only is BoxOnly.drop:
        rows = rows.filter(pc.invert(box_only_rows)).combine_chunks()
        is_object = pc.equal(one_chunk(rows["role"]), "object")
    rectangle = pc.invert(is_object)
    if box_only is BoxOnly.rectangle:
        rectangle = pa.repeat(True, len(rows))
    bitmaps = pc.and_(is_object, pc.is_valid(one_chunk(rows["mask_rle"])))
    texts = json_text.objects(fields(rows, mask_texts(rows, split, rectangle)))
    return Texts(texts, _count(is_object), count, _count(bitmaps))


def _count(flags: pa.Array) -> int:
    return int(pc.sum(flags).as_py() or 0)


def mask_texts(rows: pa.Table, split: SplitRows, rectangle: pa.Array) -> pa.Array:
    """`segmentation` as JSON texts: polygons, run lengths, or `[]` without a mask.

    Args:
        rows: of the split, in one chunk, with `image_id`, `bbox` and `MASK_COLUMNS`.
        split: the split.
        rectangle: bool, rows whose box is written as a polygon if they have no mask.
    """
    masks = json_text.polygons(one_chunk(rows["segmentation"]))
    counts = one_chunk(rows["mask_rle"])
    if counts.null_count < len(counts):
        places = pa.array(split.image_rows(one_chunk(rows["image_id"])))
        height, width = (
            json_text.numbers(one_chunk(split.images[name]).take(places))
            for name in ("height", "width")
        )
        bitmaps = pc.binary_join_element_wise(
            '{"size":[', height, ",", width, '],"counts":', json_text.strings(counts), "}", ""
        )
        masks = pc.coalesce(masks, bitmaps)
    if masks.null_count:
        wanted = pc.and_(rectangle, masks.is_null())
        boxes = json_text.rectangles(boxes_of(rows.filter(wanted)))
        masks = pc.replace_with_mask(masks, wanted, boxes)
        masks = pc.coalesce(masks, "[]")
    return masks


def image_fields(images: pa.Table) -> dict[str, pa.Array]:
    """What LVIS and COCO files say of an image in the same words.

    Args:
        images: `schema.IMAGES`, in one chunk.
    """
    column = {name: one_chunk(images[name]) for name in images.column_names}
    return {
        "id": json_text.numbers(column["image_id"]),
        "width": json_text.numbers(column["width"]),
        "height": json_text.numbers(column["height"]),
        "coco_url": json_text.strings(column["url"]),
        "flickr_url": json_text.strings(column["original_url"]),
        "license": json_text.numbers(column["license_id"]),
        "date_captured": json_text.strings(column["date_captured"]),
        "neg_category_ids": json_text.id_lists(column["neg_category_ids"]),
        "not_exhaustive_category_ids": json_text.id_lists(column["not_exhaustive_category_ids"]),
    }


def credit_fields(images: pa.Table) -> dict[str, pa.Array]:
    """Where an image comes from and what its licence asks to keep.

    Args:
        images: `schema.IMAGES`, in one chunk.
    """
    names = ("source", "landing_url", "author", "author_url", "title")
    fields = {name: json_text.strings(one_chunk(images[name])) for name in names}
    return {**fields, "license_url": json_text.strings(one_chunk(images["license"]))}


def head(split: SplitRows, categories: list[dict[str, Any]]) -> dict[str, Any]:
    """What stands before the images: `info` and `licenses` as the split's file had them."""
    origin = split.manifest.record.splits.get(split.split)
    members = {"info": origin.info, "licenses": origin.licenses} if origin else {}
    given = {name: value for name, value in members.items() if value is not None}
    return {**given, "categories": categories}


@dataclass(frozen=True)
class AnnotationFile:
    """How one format spells a split.

    Attributes:
        columns: of `schema.ANNOTATIONS`, what `annotations` reads.
        categories: the category list.
        images: members of the image objects, from `schema.IMAGES` rows in one chunk.
        annotations: texts of annotations, from rows with `columns`.
        role: of the annotations written; empty for all.
    """

    columns: tuple[str, ...]
    categories: list[dict[str, Any]]
    images: Callable[[pa.Table], Fields]
    annotations: Callable[[pa.Table], Texts]
    role: str = ""


def write_split(
    path: Path, name: str, split: SplitRows, form: AnnotationFile, advance: Callable[[int], None]
) -> Exported:
    """Writes the file of one split.

    Args:
        path: the file to be.
        name: what the summary calls it.
        split: the split.
        form: the format.
        advance: told how many annotations were written.
    """
    found: list[Texts] = []

    def annotations() -> Iterator[pa.Array]:
        for texts in in_order(form.annotations, split.annotations(form.columns, form.role)):
            found.append(Texts(texts.rows[:0], texts.objects, texts.box_only, texts.bitmaps))
            written.append(len(texts.rows))
            advance(written[-1])
            yield texts.rows

    def images() -> Iterator[pa.Array]:
        for start in range(0, len(split.images), _IMAGES_AT_A_TIME):
            rows = split.images.slice(start, _IMAGES_AT_A_TIME).combine_chunks()
            yield json_text.objects(form.images(rows))

    written: list[int] = []
    with path.open("wb") as file:
        _write_head(file, head(split, form.categories))
        _write_array(file, "images", images())
        file.write(b",\n")
        _write_array(file, "annotations", annotations())
        file.write(b"}\n")
    objects = sum(texts.objects for texts in found)
    return Exported(
        split.split,
        name,
        len(split.images),
        objects,
        sum(written) - objects,
        {
            "box_only": sum(texts.box_only for texts in found),
            "bitmaps": sum(texts.bitmaps for texts in found),
        },
    )


def _write_head(file: IO[bytes], members: dict[str, Any]) -> None:
    file.write(json.dumps(members, ensure_ascii=False).encode()[:-1])
    file.write(b",\n")


def _write_array(file: IO[bytes], name: str, chunks: Iterable[pa.Array]) -> None:
    """An array of objects; the comma behind the last one is held back."""
    file.write(f'"{name}":['.encode())
    held = b"\n"
    for chunk in chunks:
        text = json_text.raw(chunk)
        if len(text):
            file.write(held)
            file.write(text[:-2])
            held = b",\n"
    file.write(b"\n]")
