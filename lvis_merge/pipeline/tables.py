"""Rows of the sources as rows of the manifest's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.schema import ANNOTATIONS, CATEGORIES, IMAGES
from lvis_merge.merge.assemble import Part, join_annotations
from lvis_merge.merge.evidence import Evidence
from lvis_merge.merge.frequencies import (
    Counts,
    count_objects,
    frequency_group,
    image_fraction,
    repeat_factor,
)
from lvis_merge.pipeline.open_images_fetch import ChosenRows

IMAGE_URL = "https://open-images-dataset.s3.amazonaws.com/"
_SPLIT_OF_SUBSET = {"train": "train", "validation": "val", "test": "test"}


def constant(value: str, rows: int) -> pa.Array:
    """string [rows], all the same."""
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def json_images(source: str, split: str, images: pa.Table, evidence: Evidence) -> pa.Table:
    """LVIS or COCO images as manifest rows.

    Args:
        source: lvis or coco.
        split: train, val or test.
        images: `IMAGE_ROWS`.
        evidence: lists per image.
    """
    columns = {name: images[name] for name in images.schema.names}
    columns |= {
        "source": constant(source, len(images)),
        "split": constant(split, len(images)),
        "neg_category_ids": evidence.neg,
        "not_exhaustive_category_ids": evidence.not_exhaustive,
        "pos_category_ids": evidence.pos,
    }
    return IMAGES.build(columns)


def open_images_images(rows: ChosenRows, evidence: Evidence, train_only: bool) -> pa.Table:
    """Open Images images as manifest rows.

    Args:
        rows: the chosen images.
        evidence: lists per image.
        train_only: every image is a train image; else the subset gives the split.
    """
    files = [f"{s}/{i}.jpg" for s, i in zip(rows.subset, rows.ids.to_pylist(), strict=True)]
    file_name = pa.array(files, pa.string())
    splits = ["train" if train_only else _SPLIT_OF_SUBSET[subset] for subset in rows.subset]
    return IMAGES.build(
        {
            "image_id": pa.array(rows.image_ids, pa.int64()),
            "source": constant("open_images", len(rows.ids)),
            "source_image_id": rows.ids,
            "split": pa.array(splits, pa.string()),
            "file_name": file_name,
            "url": pc.binary_join_element_wise(IMAGE_URL, file_name, ""),
            "original_url": rows.details["OriginalURL"],
            "landing_url": rows.details["OriginalLandingURL"],
            "width": pa.array(rows.width),
            "height": pa.array(rows.height),
            "flickr_photo_id": rows.flickr_photo_id,
            "license": rows.details["License"],
            "author": rows.details["Author"],
            "author_url": rows.details["AuthorProfileURL"],
            "title": rows.details["Title"],
            "neg_category_ids": evidence.neg,
            "not_exhaustive_category_ids": evidence.not_exhaustive,
            "pos_category_ids": evidence.pos,
        }
    )


def join_images(tables: Sequence[pa.Table]) -> pa.Table:
    """All images by id."""
    table = pa.concat_tables([IMAGES.empty(), *tables]).combine_chunks()
    return table.take(pc.sort_indices(table["image_id"])).combine_chunks()


def object_rows(
    annotations: pa.Table, categories: pa.Table, relation: pa.Array | None = None
) -> pa.Table:
    """LVIS or COCO annotations as manifest object rows, `order` being their id.

    Args:
        annotations: `ANNOTATION_ROWS`.
        categories: `CATEGORY_ROWS`, for the names.
        relation: string [N], of the map row that gave the category, if any.
    """
    place = pc.index_in(annotations["category_id"], value_set=categories["category_id"])
    columns = {
        "image_id": annotations["image_id"],
        "order": annotations["source_id"],
        "category_id": annotations["category_id"],
        "bbox": annotations["bbox"],
        "area": annotations["area"],
        "segmentation": annotations["segmentation"],
        "mask_rle": annotations["mask_rle"],
        "role": constant("object", len(annotations)),
        "ignore_reason": pa.nulls(len(annotations), pa.string()),
        "source_annotation_id": pc.cast(annotations["source_id"], pa.string()),
        "source_label": categories["name"].take(place),
    }
    if relation is not None:
        columns["map_relation"] = relation
    return pa.table(columns)


def labels_of(annotations: pa.Table, categories: pa.Table) -> Callable[[np.ndarray], list[str]]:
    """What the source calls some rows, given by position: int64 [k] -> k category names."""

    def labels(places: np.ndarray) -> list[str]:
        ids = annotations["category_id"].take(pa.array(places))
        row = pc.index_in(ids, value_set=categories["category_id"])
        return categories["name"].take(row).to_pylist()  # type: ignore[no-any-return]

    return labels


def box_areas(annotations: pa.Table) -> pa.Array:
    """float64 [N]: w * h of the published boxes."""
    boxes = xywh(annotations)
    return pa.array(boxes[:, 2] * boxes[:, 3])


def xywh(rows: pa.Table) -> np.ndarray:
    """float64 [N, 4]: the rows' boxes in pixels."""
    return np.asarray(rows["bbox"].combine_chunks().flatten().to_numpy().reshape(-1, 4))


def join_rows(parts: Sequence[Part], first_id: int = 1) -> pa.Table:
    """All annotations of the parts in the manifest's order, numbered from `first_id`."""
    joined = join_annotations(parts, ANNOTATIONS.schema, first_id)
    return pa.concat_tables([ANNOTATIONS.empty(), *map(ANNOTATIONS.build, joined)])


def merged_counts(images: pa.Table, annotations: pa.Table, category_ids: np.ndarray) -> Counts:
    """Objects on train images per category."""
    train = images["image_id"].filter(pc.equal(images["split"], "train"))
    objects = annotations.select(["image_id", "category_id"]).filter(
        pc.and_(
            pc.equal(annotations["role"], "object"),
            pc.is_in(annotations["image_id"], value_set=train.combine_chunks()),
        )
    )
    return count_objects(
        objects["image_id"].to_numpy(),
        objects["category_id"].to_numpy().astype(np.int64),
        category_ids,
    )


def category_table(categories: pa.Table, counts: Counts, more: dict[str, pa.Array]) -> pa.Table:
    """The categories with their counts after the merge.

    Args:
        categories: columns of `schema.CATEGORIES` that the source gives, by id.
        counts: objects on train images after the merge.
        more: further columns.
    """
    fraction = image_fraction(counts)
    columns = {name: categories[name] for name in categories.schema.names}
    return CATEGORIES.build(
        {
            **columns,
            **more,
            "image_count": pa.array(counts.images),
            "instance_count": pa.array(counts.instances),
            "frequency_merged": frequency_group(counts.images),
            "f": pa.array(fraction),
            "repeat_factor": pa.array(repeat_factor(fraction)),
        }
    )
