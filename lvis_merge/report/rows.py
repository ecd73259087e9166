"""Annotation and image rows as numpy arrays, decoded once for every count of the summary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.rules import IGNORE_REASONS, SOURCE_ORDER, SPLITS

IMAGE_COLUMNS = (
    "image_id",
    "source",
    "split",
    "neg_category_ids",
    "not_exhaustive_category_ids",
    "pos_category_ids",
)
ANNOTATION_COLUMNS = (
    "image_id",
    "category_id",
    "source",
    "role",
    "ignore_reason",
    "matched_annotation_id",
)
MASK_COLUMNS = ("segmentation", "mask_rle")
"""What the counts need of `images` and `annotations`."""


@dataclass(frozen=True)
class Rows:
    """What the counts need of `images`, `annotations` and `categories`.

    I images, A annotations, C categories; positions are rows of the tables given.

    Attributes:
        sources: names, the known ones in the order of the merge, extras after them by name.
        image_source: [I] int8, position in `sources`.
        image_split: [I] int8, position in `SPLITS`.
        image: [A] int64, position of the annotation's image.
        category: [A] int64, position of the annotation's category, -1 where it has none.
        source: [A] int8, position in `sources`.
        is_object: [A] bool, objects; the others are ignore regions.
        has_mask: [A] bool, polygons or a bitmap.
        reason: [A] int8, position in `IGNORE_REASONS`, -1 on objects.
        is_matched: [A] bool, ignore rows that lie on an LVIS object of their category.
        categories: C.
    """

    sources: tuple[str, ...]
    image_source: np.ndarray
    image_split: np.ndarray
    image: np.ndarray
    category: np.ndarray
    source: np.ndarray
    is_object: np.ndarray
    has_mask: np.ndarray
    reason: np.ndarray
    is_matched: np.ndarray
    categories: int

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.image_source)

    @cached_property
    def is_train_image(self) -> np.ndarray:
        """[I] bool."""
        return np.asarray(self.image_split == SPLITS.index("train"))

    @cached_property
    def is_train_object(self) -> np.ndarray:
        """[A] bool: objects with a category on train images."""
        return np.asarray(
            self.is_object & (self.category >= 0) & self.is_train_image[self.image], bool
        )

    @cached_property
    def object_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct (image, category) of the objects on train images: two int64 arrays [P]."""
        chosen = self.is_train_object
        keys = self.image[chosen] * max(self.categories, 1) + self.category[chosen]
        keys.sort()
        keys = keys[np.diff(keys, prepend=-1) > 0]
        return keys // max(self.categories, 1), keys % max(self.categories, 1)

    @cached_property
    def objects_per_image(self) -> np.ndarray:
        """[I] int64: objects of any split."""
        return np.asarray(np.bincount(self.image[self.is_object], minlength=self.images))


def read_rows(images: pa.Table, annotations: pa.Table, categories: pa.Table) -> Rows:
    """Decodes the columns that the counts need.

    Args:
        images: the manifest's `images`: `image_id`, `source`, `split` are read.
        annotations: its `annotations`: `ANNOTATION_COLUMNS` and either `MASK_COLUMNS` or a bool
            `has_mask`.
        categories: its `categories`: `category_id` is read.

    Returns:
        The arrays. An annotation whose image is not in `images` is left out.
    """
    names = set(pc.unique(images["source"]).to_pylist())
    names |= set(pc.unique(annotations["source"]).to_pylist())
    sources = tuple(s for s in SOURCE_ORDER if s in names)
    sources += tuple(sorted(names - set(SOURCE_ORDER)))

    image, known = _positions(images["image_id"], annotations["image_id"])
    if not known.all():
        annotations = annotations.filter(pa.array(known))
        image = image[known]
    category, has_category = _positions(
        categories["category_id"], pc.fill_null(annotations["category_id"], -1)
    )
    return Rows(
        sources=sources,
        image_source=_codes(images["source"], sources),
        image_split=_codes(images["split"], SPLITS),
        image=image,
        category=np.where(has_category, category, -1),
        source=_codes(annotations["source"], sources),
        is_object=_codes(annotations["role"], ("object",)) == 0,
        has_mask=(
            annotations["has_mask"]
            if "has_mask" in annotations.column_names
            else has_mask(annotations)
        ).to_numpy(),
        reason=_codes(annotations["ignore_reason"], IGNORE_REASONS),
        is_matched=pc.is_valid(annotations["matched_annotation_id"]).to_numpy(),
        categories=len(categories),
    )


def has_mask(annotations: pa.Table) -> pa.ChunkedArray:
    """Whether each annotation has polygons or a bitmap: bool [A].

    Args:
        annotations: `MASK_COLUMNS`.
    """
    polygons, bitmap = (pc.is_valid(annotations[column]) for column in MASK_COLUMNS)
    return pc.or_(polygons, bitmap)


def _positions(keys: pa.ChunkedArray, wanted: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Row of each wanted id among the keys (any order), and whether it is there at all."""
    ids = keys.to_numpy().astype(np.int64)
    values = wanted.to_numpy().astype(np.int64)
    if not len(ids):
        return np.zeros(len(values), np.int64), np.zeros(len(values), bool)
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    place = np.minimum(np.searchsorted(ids, values), len(ids) - 1)
    return order[place], ids[place] == values


def _codes(column: pa.ChunkedArray, names: tuple[str, ...]) -> np.ndarray:
    """Position of each value in `names` as int8, -1 for null and for other values."""
    found = pc.index_in(column, value_set=pa.array(names, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int8)
