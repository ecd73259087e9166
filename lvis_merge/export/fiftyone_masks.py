"""Masks as FiftyOne keeps them: the pixels of the box, compressed."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa


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
            texts.append(_text(_of_polygons(parts, box)))
        elif runs[row] is not None:
            texts.append(_text(_of_bitmap(runs[row], box, sides[row])))
        else:
            texts.append(None)
    return pa.array(texts, pa.string())


def _text(mask: np.ndarray) -> str:
    with io.BytesIO() as buffer:
        np.save(buffer, mask, allow_pickle=False)
        return base64.b64encode(zlib.compress(buffer.getbuffer(), 1)).decode()


def _size(box: np.ndarray) -> tuple[int, int]:
    return max(1, round(float(box[2]))), max(1, round(float(box[3])))


def _of_polygons(parts: Sequence[np.ndarray], box: np.ndarray) -> np.ndarray:
    """bool [h, w], the pixels of the box that polygons cover."""
    from pycocotools import mask as coco_mask

    width, height = _size(box)
    scale = np.array([width, height]) / box[2:]
    moved = [((part.reshape(-1, 2) - box[:2]) * scale).ravel() for part in parts]
    runs = coco_mask.merge(coco_mask.frPyObjects(moved, height, width))
    return np.asarray(coco_mask.decode(runs), dtype=bool)


def _of_bitmap(counts: str, box: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """bool [h, w], the pixels of the box that a bitmap of the whole image covers."""
    from pycocotools import mask as coco_mask

    frame = [int(sides[1]), int(sides[0])]
    bitmap = coco_mask.decode({"size": frame, "counts": counts.encode()})
    width, height = _size(box)
    columns = np.clip(box[0] + np.arange(width), 0, frame[1] - 1).astype(np.int64)
    rows = np.clip(box[1] + np.arange(height), 0, frame[0] - 1).astype(np.int64)
    return np.asarray(bitmap[np.ix_(rows, columns)], dtype=bool)
