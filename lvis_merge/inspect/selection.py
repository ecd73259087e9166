"""Which images of a manifest are shown: all, a sample, those of a category or of a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.manifest import Manifest
from lvis_merge.merge.corrections import CategoryNames

if TYPE_CHECKING:
    from daft import DataFrame

IMAGE_COLUMNS = ("image_id", "source_image_id", "split", "file_name", "width", "height")
BOX_COLUMNS = (
    "annotation_id", "category_id", "area", "role", "ignore_reason", "source",
    "source_annotation_id", "source_label", "map_relation", "annotation_method",
    "matched_annotation_id", "is_occluded", "is_truncated", "is_group_of", "is_depiction",
    "is_inside", "relabelled_from",
)  # fmt: skip
CONDITION_COLUMNS = (
    *IMAGE_COLUMNS, "image_source", *BOX_COLUMNS, "category", "frequency", "x", "y", "w", "h",
    "has_mask",
)  # fmt: skip
"""What a condition may speak of: the image's columns, and one box's."""


@dataclass(frozen=True)
class Selection:
    """What was asked for; at most one of them.

    Attributes:
        sample: how many images, at random; None for all.
        category: name or synset: images with a box of it.
        where: a condition in SQL over `CONDITION_COLUMNS`: images with a box that meets it.
    """

    sample: int | None = None
    category: str | None = None
    where: str | None = None

    @property
    def text(self) -> str:
        """For people and for the key of what was loaded; empty for all images."""
        if self.sample is not None:
            return f"sample {self.sample}"
        if self.category is not None:
            return f"category {self.category}"
        return "" if self.where is None else f"where {self.where}"


def chosen_images(manifest: Manifest, selection: Selection) -> np.ndarray:
    """The images to show.

    Args:
        manifest: an open manifest.
        selection: what was asked for.

    Returns:
        int64 [K], ascending rows of `images`.

    Raises:
        InputError: an unknown category, a condition that is none, or no image is left.
    """
    images = manifest.arrow("images", ["image_id"])["image_id"]
    if selection.sample is not None:
        number = min(selection.sample, len(images))
        rows = np.random.default_rng(0).choice(len(images), number, replace=False)
        return np.asarray(np.sort(rows))
    if selection.category is not None:
        chosen = _of_category(manifest, selection.category)
    elif selection.where is not None:
        chosen = _of_condition(manifest, selection.where)
    else:
        return np.arange(len(images))
    places = pc.index_in(chosen, value_set=images.combine_chunks()).to_numpy()
    if not len(places):
        raise InputError(
            f"{manifest.path}: no image has a box of {selection.text}. Ask for another."
        )
    return np.asarray(np.unique(places), np.int64)


def _of_category(manifest: Manifest, name: str) -> pa.ChunkedArray:
    names = CategoryNames(manifest.categories)
    category = names.find(name, name)
    if category is None:
        raise InputError(
            f"--category {name}: {manifest.path} has no such category{names.like(name)}"
            " `lvis-merge stats` and categories.parquet list them."
        )
    rows = manifest.arrow("annotations", ["image_id", "category_id"])
    return rows["image_id"].filter(pc.equal(rows["category_id"], category))


def _of_condition(manifest: Manifest, where: str) -> pa.ChunkedArray:
    import daft

    frame = condition_rows(manifest)
    try:
        met = frame.where(daft.sql_expr(where)).select("image_id").distinct().to_arrow()
    except Exception as error:  # daft has a type of its own for each thing that can be wrong
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"--where {where}: {said}. Give a condition in SQL, such as"
            f" \"category = 'mug' AND source = 'open_images' AND w < 20\". Columns:"
            f" {', '.join(CONDITION_COLUMNS)}."
        ) from error
    return met["image_id"]


def condition_rows(manifest: Manifest) -> DataFrame:
    """One row per box with its image's columns, `CONDITION_COLUMNS`; images without boxes once."""
    import daft

    images = manifest.arrow("images", [*IMAGE_COLUMNS, "source"])
    images = images.rename_columns([*IMAGE_COLUMNS, "image_source"])
    boxes = manifest.arrow(
        "annotations", ["image_id", *BOX_COLUMNS, "bbox", "segmentation", "mask_rle"]
    )
    without = pc.and_(pc.is_null(boxes["segmentation"]), pc.is_null(boxes["mask_rle"]))
    sides = pc.list_flatten(boxes["bbox"]).to_numpy().reshape(-1, 4)
    categories = manifest.arrow("categories", ["category_id", "name", "frequency"])
    row = pc.index_in(boxes["category_id"], value_set=categories["category_id"].combine_chunks())
    row = pc.if_else(pc.is_null(boxes["category_id"]), pa.scalar(None, pa.int32()), row)
    table = boxes.drop_columns(["bbox", "segmentation", "mask_rle"])
    # an image without boxes has a row of nulls
    table = table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))
    for name, column in (
        ("category", categories["name"].take(row)),
        ("frequency", categories["frequency"].take(row)),
        *((side, pa.array(sides[:, place])) for place, side in enumerate("xywh")),
        ("has_mask", pc.invert(without)),
    ):
        table = table.append_column(name, column)
    empty = pc.invert(pc.is_in(images["image_id"], value_set=table["image_id"].combine_chunks()))
    alone = pa.table({"image_id": images["image_id"].filter(empty)})
    table = pa.concat_tables([table, alone], promote_options="default")
    place = pc.index_in(table["image_id"], value_set=images["image_id"].combine_chunks())
    for name in (*IMAGE_COLUMNS[1:], "image_source"):
        table = table.append_column(name, images[name].take(place))
    return daft.from_arrow(table.select(list(CONDITION_COLUMNS)))
