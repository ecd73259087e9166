"""Masks as FiftyOne keeps them: the pixels of the box, compressed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from lvis_merge.inspect.masks import bitmap_mask, mask_text, polygon_mask


def mask_texts(
    polygons: pa.ListArray, bitmaps: pa.Array, boxes: np.ndarray, sides: np.ndarray
) -> pa.Array:
    """Masks as base64 of what `fiftyone.core.utils.deserialize_numpy_array` reads.

    Args:
        polygons: list of lists of float32, pixels of the image; null where there is none.
        bitmaps: COCO compressed run lengths of the whole image; null where there is none.
        boxes: float32 [N, 4], x, y, w, h in pixels.
        sides: int32 [N, 2], width and height of each row's image.

    Returns:
        N texts, null where there is no mask.
    """
    runs = bitmaps.to_pylist()
    first = polygons.offsets.to_numpy()
    edges = polygons.values.offsets.to_numpy()
    values = polygons.values.values.to_numpy().astype(np.float64)
    there = polygons.is_valid().to_numpy(zero_copy_only=False)
    texts: list[str | None] = []
    corners: np.ndarray = boxes.astype(np.float64)
    for row, box in enumerate(np.asarray(corner) for corner in corners):
        if there[row]:
            cuts = edges[first[row] : first[row + 1] + 1].tolist()
            parts = [values[low:high] for low, high in pairwise(cuts)]
            texts.append(mask_text(polygon_mask(parts, box, most=None)))
        elif runs[row] is not None:
            frame = int(sides[row][0]), int(sides[row][1])
            texts.append(mask_text(bitmap_mask(runs[row], frame, box, most=None)))
        else:
            texts.append(None)
    return pa.array(texts, pa.string())
