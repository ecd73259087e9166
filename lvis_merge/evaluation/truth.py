"""Ground truth of an evaluation: the images, objects and categories of one split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.evaluation.known import Known
from lvis_merge.sources.tables import BBOX64, IDS

IMAGES = pa.schema(
    [
        ("image_id", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("neg_category_ids", IDS),
        ("not_exhaustive_category_ids", IDS),
    ]
)

OBJECTS = pa.schema(
    [
        ("image_id", pa.int64()),
        ("category_id", pa.int64()),
        ("bbox", BBOX64),
        ("area", pa.float64()),
        ("segmentation", pa.list_(pa.list_(pa.float64()))),
        ("mask_rle", pa.string()),
    ]
)
"""What is to be found; boxes are x, y, w, h in pixels."""

CATEGORIES = pa.schema(
    [
        ("category_id", pa.int64()),
        ("name", pa.string()),
        ("frequency", pa.string()),
        ("training_images", pa.int64()),
    ]
)


@dataclass(frozen=True)
class GroundTruth:
    """What detections are compared with.

    Attributes:
        name: where it comes from, for messages.
        images: `IMAGES`.
        objects: `OBJECTS`, in the order of the source.
        categories: `CATEGORIES`, by id; `frequency` r, c, f or null, `training_images` or null.
        left_out: how many rows of the source were bad, and what was wrong with the first.
    """

    name: str
    images: pa.Table
    objects: pa.Table
    categories: pa.Table
    left_out: tuple[int, str] = (0, "")

    @property
    def frequencies(self) -> npt.NDArray[np.str_]:
        """str [C]: r, c, f, or empty where the label space has no groups."""
        return np.array([group or "" for group in self.categories["frequency"].to_pylist()], "U1")

    @property
    def known(self) -> Known:
        """What results may name."""
        return Known.of(self.name, self.images, self.categories)

    def with_masks(self) -> GroundTruth:
        """The ground truth that masks are compared with.

        An object without a mask cannot be matched, and a mask found there cannot be judged: the
        object is left out, and its category is not exhaustive on its image.
        """
        objects = self.objects
        without = pc.and_(pc.is_null(objects["segmentation"]), pc.is_null(objects["mask_rle"]))
        boxes_only = objects.filter(without)
        if not boxes_only.num_rows:
            return self
        images = less_exhaustive(
            self.images, boxes_only["image_id"].to_pylist(), boxes_only["category_id"].to_pylist()
        )
        return replace(self, images=images, objects=objects.filter(pc.invert(without)))

    def with_area(self) -> GroundTruth:
        """Without objects of area 0, which lvis-api never sees (`area > 0` in `get_ann_ids`)."""
        return replace(self, objects=self.objects.filter(pc.greater(self.objects["area"], 0.0)))


def less_exhaustive(
    images: pa.Table, image_ids: Iterable[int], category_ids: Iterable[int]
) -> pa.Table:
    """Images on which more categories are not exhaustive.

    Args:
        images: `IMAGES`.
        image_ids: of some pairs of image and category.
        category_ids: of the same pairs, in the same order.

    Returns:
        `IMAGES`; the lists of the images named are sorted and longer by the categories.
    """
    more: dict[int, set[int]] = {}
    for image, category in zip(image_ids, category_ids, strict=True):
        more.setdefault(image, set()).add(category)
    lists = [
        sorted(more[image].union(listed)) if image in more else listed
        for image, listed in zip(
            images["image_id"].to_pylist(),
            images["not_exhaustive_category_ids"].to_pylist(),
            strict=True,
        )
    ]
    place = images.schema.get_field_index("not_exhaustive_category_ids")
    return images.set_column(place, "not_exhaustive_category_ids", pa.array(lists, type=IDS))


def checked(truth: GroundTruth) -> GroundTruth:
    """The ground truth, if it can be compared with.

    Raises:
        InputError: it has no objects, or a category twice.
    """
    if pc.count_distinct(truth.categories["category_id"]).as_py() < truth.categories.num_rows:
        raise InputError(f"{truth.name}: has a category id twice. Give each category its own.")
    if not truth.objects.num_rows:
        raise InputError(
            f"{truth.name}: has no objects to compare detections with. Give a split with"
            " annotations, such as val; test splits are scored by the LVIS server."
        )
    return truth


def as_published(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Float32 coordinates as float64, by their shortest decimals.

    The nearest float64 of 10.3 and of its float32 differ; the shortest decimal that gives the
    float32 is what the file said (up to 7 digits), so that a manifest and its source agree even
    where a polygon's corner lies on the edge between two pixels.

    Args:
        column: float32 values.
    """
    return column.cast(pa.string()).cast(pa.float64())


def polygons_as_published(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same for polygons by part.

    Args:
        column: list of lists of float32; null where there is no polygon.

    Returns:
        List of lists of float64, null where it was.
    """
    chunks = []
    for chunk in column.chunks:
        rows = pa.concat_arrays([chunk])  # offsets from 0
        parts = rows.flatten()
        values = as_published(pa.chunked_array([parts.flatten()])).combine_chunks()
        part_offsets = _offsets(pc.list_value_length(parts))
        lists = pa.ListArray.from_arrays(part_offsets, values)
        row_offsets = _offsets(pc.fill_null(pc.list_value_length(rows), 0))
        chunks.append(pa.ListArray.from_arrays(row_offsets, lists, mask=rows.is_null()))
    return pa.chunked_array(chunks, type=OBJECTS.field("segmentation").type)


def _offsets(lengths: pa.Array) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths.to_numpy(zero_copy_only=False), out=offsets[1:])
    return pa.array(offsets)
