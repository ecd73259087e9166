"""Masks as FiftyOne keeps them: a bitmap of the box, compressed.

The App stretches a mask over its box, so that it may have fewer pixels than the box.
"""

from __future__ import annotations

import base64
import functools
import io
import zlib
from collections.abc import Sequence

import numpy as np

MOST_PIXELS = 128
"""A long side that is finer than the App's grid shows it; a full manifest loads in half the time
than with masks at their own size."""


def mask_text(mask: np.ndarray) -> str:
    """Base64 of what `fiftyone.core.utils.deserialize_numpy_array` reads.

    Args:
        mask: bool [h, w].
    """
    packed = zlib.compress(_npy_header(mask.shape) + mask.tobytes(), 1)
    return base64.b64encode(packed).decode()


@functools.lru_cache(1 << 15)
def _npy_header(shape: tuple[int, ...]) -> bytes:
    """What `np.save` writes before the values; for small masks it takes longer than they do."""
    buffer = io.BytesIO()
    about = {"descr": "|b1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, about)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def polygon_mask(
    parts: Sequence[np.ndarray], box: np.ndarray, most: int | None = MOST_PIXELS
) -> np.ndarray:
    """The pixels of a box that polygons cover.

    Args:
        parts: x0, y0, x1, y1, … of each part, in pixels of the image.
        box: x, y, w, h in pixels of the image.
        most: pixels of the longer side at most; None: the box at its own size.

    Returns:
        bool [h, w], the box at its own size or smaller.
    """
    from pycocotools import mask as coco_mask

    width, height = _size(box, most)
    scale = np.array([width / box[2], height / box[3]])
    shifted = [((part.reshape(-1, 2) - box[:2]) * scale).ravel() for part in parts]
    runs = coco_mask.frPyObjects(shifted, height, width)
    whole = runs[0] if len(runs) == 1 else coco_mask.merge(runs)
    return np.asarray(coco_mask.decode(whole)).view(bool)


def bitmap_mask(
    counts: str, frame: tuple[int, int], box: np.ndarray, most: int | None = MOST_PIXELS
) -> np.ndarray:
    """The pixels of a box that a bitmap of the whole image covers.

    Args:
        counts: COCO compressed run lengths.
        frame: width and height of the image.
        box: x, y, w, h in pixels of the image.
        most: pixels of the longer side at most; None: the box at its own size.

    Returns:
        bool [h, w], the box at its own size or smaller.
    """
    from pycocotools import mask as coco_mask

    bitmap = coco_mask.decode({"size": [frame[1], frame[0]], "counts": counts.encode()})
    width, height = _size(box, most)
    x = np.clip(box[0] + (np.arange(width) + 0.5) * box[2] / width, 0, frame[0] - 1).astype(int)
    y = np.clip(box[1] + (np.arange(height) + 0.5) * box[3] / height, 0, frame[1] - 1).astype(int)
    return np.asarray(bitmap[np.ix_(y, x)], dtype=bool)


def _size(box: np.ndarray, most: int | None) -> tuple[int, int]:
    shrink = 1.0 if most is None else min(1.0, most / max(float(box[2]), float(box[3])))
    return max(1, round(float(box[2]) * shrink)), max(1, round(float(box[3]) * shrink))
