"""Second pass over the Open Images folder: all rows of the chosen images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_choice import Chosen
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.pipeline.open_images_sizes import chosen_sizes
from lvis_merge.sources.open_images import boxes as box_source
from lvis_merge.sources.open_images import labels as label_source
from lvis_merge.sources.open_images.ids import IdIndex
from lvis_merge.sources.open_images.images import details
from lvis_merge.sources.sizes import Sizes


@dataclass(frozen=True)
class ChosenRows:
    """Everything about the chosen images, in image list order.

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
    images = chosen.images
    ids, subset = images["id"].combine_chunks(), images["subset"].to_numpy()
    names = [scanned.subset_names[place] for place in subset]
    width, height = chosen_sizes(inputs, ids, names, sizes)
    with inputs.stages.stage("Open Images: rows of the chosen images") as advance:
        found = details(scanned.lists, images, advance)
        boxes, labels = [], []
        for place, files in enumerate(zip(scanned.boxes, scanned.labels, strict=True)):
            here = np.flatnonzero(subset == place)
            index = IdIndex(ids.take(pa.array(here)), here)
            runs = [
                table.filter(pc.equal(table["subset"], place))
                for table in (chosen.boxes, chosen.labels)
            ]
            box_scan, label_scan = files
            classes = scanned.classes
            boxes.append(box_source.chosen_boxes(box_scan, runs[0], index, classes, advance))
            if label_scan is not None:
                labels.append(
                    label_source.chosen_labels(label_scan, runs[1], index, classes, advance)
                )
    no_labels = pa.schema([("image", pa.int32()), ("mid", pa.string()), ("present", pa.bool_())])
    return ChosenRows(
        ids,
        images["image_id"].to_numpy(),
        names,
        images["flickr_photo_id"].combine_chunks(),
        width,
        height,
        _one_row_each(found, len(ids)),
        pa.concat_tables(boxes).combine_chunks(),
        pa.concat_tables([no_labels.empty_table(), *labels]).combine_chunks(),
    )


def _one_row_each(table: pa.Table, images: int) -> pa.Table:
    """One row per image, null where the image has no row in a list."""
    row = np.full(images, -1, dtype=np.int64)
    row[table["image"].to_numpy()] = np.arange(len(table))
    return table.take(pa.array(row, mask=row < 0)).drop_columns("image").combine_chunks()
