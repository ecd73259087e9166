"""Which box a mask of Open Images belongs to, and the mask at the size of its image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.open_images.boxes import COORDINATES
from lvis_merge.sources.open_images.masks import BOX_COLUMNS

SAME_BOX = 1e-6
"""Largest difference of normalised coordinates: masks have six decimals, boxes up to nine."""


def match_masks(masks: pa.Table, boxes: pa.Table, places: Mapping[str, int]) -> np.ndarray:
    """For each mask the row of the box that it was drawn from.

    A box has one mask at most: of several masks the first has it, of equal boxes a mask has the
    first that is free.

    Args:
        masks: of `read_mask_rows`.
        boxes: `image` (place), `LabelName` and coordinates.
        places: ImageID -> place.

    Returns:
        int64 [N], rows of `boxes`, -1 without one.
    """
    corners = np.stack([boxes[name].to_numpy() for name in COORDINATES], axis=1)
    wanted = np.stack([masks[name].to_numpy() for name in BOX_COLUMNS], axis=1)
    images = pa.array([places[image] for image in masks["ImageID"].to_pylist()], pa.int64())
    labels = pc.unique(pa.concat_arrays([_one(masks["LabelName"]), _one(boxes["LabelName"])]))
    key = _keys(boxes["image"], boxes["LabelName"], labels)
    order = np.argsort(key, kind="stable")
    mask_key = _keys(images, masks["LabelName"], labels)
    starts, ends = (np.searchsorted(key[order], mask_key, side) for side in ("left", "right"))
    found = np.full(len(masks), -1, dtype=np.int64)
    free = np.ones(len(boxes), dtype=bool)
    for mask, (start, end) in enumerate(zip(starts, ends, strict=True)):
        rows = order[start:end]
        near = (np.abs(corners[rows] - wanted[mask]) <= SAME_BOX).all(axis=1)
        fitting = rows[near & free[rows]]
        if len(fitting):
            found[mask] = fitting[0]
            free[fitting[0]] = False
    return found


def _keys(image: pa.Array, label: pa.Array, labels: pa.Array) -> np.ndarray:
    """int64 [N]: one number for each image and class."""
    code = pc.index_in(label, labels).to_numpy().astype(np.int64)
    return np.asarray(image.to_numpy().astype(np.int64) * max(len(labels), 1) + code)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def at_size(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    """A mask at another size: each pixel is the one of the mask that its centre lies in.

    Args:
        mask: bool [h, w].
        width: of the image, pixels.
        height: of the image, pixels.

    Returns:
        bool [height, width].
    """
    rows = (2 * np.arange(height) + 1) * mask.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * mask.shape[1] // (2 * width)
    return np.asarray(mask[rows[:, None], columns])


def run_lengths(mask: np.ndarray) -> str:
    """COCO compressed counts of a bool [H, W]."""
    from pycocotools import mask as coco_mask

    counts: bytes = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"]
    return counts.decode("ascii")
