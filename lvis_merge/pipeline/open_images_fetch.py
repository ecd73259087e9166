"""Second pass over the Open Images folder: all rows of the chosen images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_choice import Chosen
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.pipeline.open_images_sizes import chosen_sizes
from lvis_merge.sources.open_images import boxes as box_source
from lvis_merge.sources.open_images import labels as label_source
from lvis_merge.sources.open_images.images import details
from lvis_merge.sources.sizes import Sizes


@dataclass(frozen=True)
class ChosenRows:
    """Everything about the chosen images, places renumbered 0..n-1 in image list order.

    Attributes:
        ids: string [n], ImageIDs.
        image_ids: int64 [n].
        subset: list of n subset names.
        flickr_photo_id: int64 [n], nullable.
        width: int64 [n], pixels.
        height: int64 [n], pixels.
        details: the image list's columns, one row per image.
        boxes: good box rows, `image` the place.
        labels: verified labels: `image`, `mid`, `present`.
    """

    ids: pa.Array
    image_ids: np.ndarray
    subset: list[str]
    flickr_photo_id: pa.Array
    width: np.ndarray
    height: np.ndarray
    details: pa.Table
    boxes: pa.Table
    labels: pa.Table


def fetch_rows(inputs: Inputs, scanned: Scanned, chosen: Chosen, sizes: Sizes | None) -> ChosenRows:
    """Second pass: all rows of the chosen images.

    Raises:
        SizesMissingError: an image has no known size; the selection is written beside `--out`.
        InputError: an image file that cannot be read or does not fit its size.
    """
    places = np.flatnonzero(chosen.mask)
    number = np.cumsum(chosen.mask) - 1
    ids = scanned.images.ids.take(pa.array(places))
    subset = [scanned.subset_names[s] for s in scanned.images.subset[places]]
    width, height = chosen_sizes(inputs, ids, subset, sizes)
    with inputs.stages.stage("Open Images: rows of the chosen images") as advance:
        found = details(scanned.images, chosen.mask, advance)
        boxes = [
            box_source.chosen_boxes(
                scan, chosen.mask, index, dict.fromkeys(scanned.classes), advance
            )
            for scan, index in zip(scanned.boxes, scanned.indices, strict=True)
        ]
        labels = [
            label_source.chosen_labels(scan, chosen.mask, index, scanned.classes.keys(), advance)
            for scan, index in zip(scanned.labels, scanned.indices, strict=True)
            if scan is not None
        ]
    no_labels = pa.schema([("image", pa.int32()), ("mid", pa.string()), ("present", pa.bool_())])
    return ChosenRows(
        ids,
        scanned.image_ids[places],
        subset,
        scanned.images.flickr_photo_id.take(pa.array(places)),
        width,
        height,
        _one_row_each(_renumbered(found, number), len(places)),
        _renumbered(pa.concat_tables(boxes).combine_chunks(), number),
        _renumbered(pa.concat_tables([no_labels.empty_table(), *labels]).combine_chunks(), number),
    )


def _renumbered(table: pa.Table, number: np.ndarray) -> pa.Table:
    image = number[table["image"].to_numpy()] if len(table) else np.zeros(0, np.int64)
    return table.set_column(table.schema.get_field_index("image"), "image", pa.array(image))


def _one_row_each(table: pa.Table, images: int) -> pa.Table:
    """One row per image, null where the image has no row in a list."""
    row = np.full(images, -1, dtype=np.int64)
    row[table["image"].to_numpy()] = np.arange(len(table))
    return table.take(pa.array(row, mask=row < 0)).drop_columns("image").combine_chunks()
