"""Detections in columns, by image: of one model, and of several on some images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.pairs import Ints
from lvis_merge.testing.logits import Floats, clipped

Boxes = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Positions = npt.NDArray[np.int32]

STACK_ROWS = 1 << 19
"""About as many detections are worked on at a time: what that takes fits into the caches."""


@dataclass(frozen=True)
class ByImage:
    """The N detections of one model on I images, of C categories.

    Attributes:
        starts: int64 [I + 1]: the detections of image i are `starts[i]` to `starts[i + 1]`, in the
            order of the pool.
        category: int32 [N], positions.
        score: float64 [N], clipped.
        bbox: [N, 4], x, y, w, h in pixels; float32 where that holds the pool's digits.
    """

    starts: Ints
    category: Positions
    score: Floats
    bbox: Boxes


def by_image(detections: Detections, image_ids: Ints, category_ids: Ints) -> ByImage:
    """Sorts the detections of a model.

    Args:
        detections: with boxes, of known images and categories.
        image_ids: int64 [I], ascending.
        category_ids: int64 [C], ascending.
    """
    assert detections.bbox is not None
    image = np.searchsorted(image_ids, detections.image_id).astype(np.int32)
    category = np.searchsorted(category_ids, detections.category_id).astype(np.int32)
    score, bbox = clipped(detections.score), shortest(detections.bbox)
    if (image[1:] < image[:-1]).any():
        order = stable_order(image, len(image_ids))
        image, category, score, bbox = image[order], category[order], score[order], bbox[order]
    counts = np.bincount(image, minlength=len(image_ids))
    return ByImage(starts_of(counts), category, score, bbox)


@dataclass(frozen=True)
class Stack:
    """The N detections of K models on some images, by image, then by model as given.

    Attributes:
        images: int64 [I], positions of the images.
        image: int32 [N], which of them.
        category: int32 [N], positions.
        model: int8 [N], 0 is the main model.
        score: float64 [N], clipped.
        bbox: [N, 4], x, y, w, h in pixels.
    """

    images: Ints
    image: Positions
    category: Positions
    model: npt.NDArray[np.int8]
    score: Floats
    bbox: Boxes

    def at(self, rows: Ints) -> Stack:
        """Some of the detections, int64, ascending; of the same images."""
        columns = ("image", "category", "model", "score", "bbox")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


def stack(models: Sequence[ByImage], images: Ints) -> Stack:
    """Takes the detections of several models on some images.

    Args:
        models: all of the same images and categories.
        images: int64 [I], positions, ascending.
    """
    counts = [np.diff(model.starts)[images] for model in models]
    rows = [
        ranges(model.starts[images], count) for model, count in zip(models, counts, strict=True)
    ]
    image = np.concatenate([np.repeat(np.arange(len(images)), count) for count in counts])
    order = stable_order(image, len(images))

    def taken(name: str) -> np.ndarray:
        parts = [getattr(model, name)[row] for model, row in zip(models, rows, strict=True)]
        column: np.ndarray = np.concatenate(parts)[order]
        return column

    number = np.repeat(np.arange(len(models), dtype=np.int8), [len(row) for row in rows])
    return Stack(
        images=images,
        image=image[order].astype(np.int32),
        category=taken("category"),
        model=number[order],
        score=taken("score"),
        bbox=taken("bbox"),
    )


def portions(models: Sequence[ByImage], images: Ints) -> list[Ints]:
    """Cuts images into runs of about `STACK_ROWS` detections, at least one image each."""
    if not len(images):
        return []
    count = sum((np.diff(model.starts)[images] for model in models), np.zeros(len(images), int))
    before = np.cumsum(count) - count
    cuts = np.flatnonzero(np.diff(before // STACK_ROWS)) + 1
    return np.split(images, cuts)


def starts_of(counts: Ints) -> Ints:
    """int64 [N + 1]: where runs of some lengths [N] start, and where the last one ends."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def ranges(starts: Ints, counts: Ints) -> Ints:
    """int64: starts[0], starts[0] + 1, … counts[0] of them, then those of the next."""
    before = np.cumsum(counts) - counts
    rows: Ints = np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
    return rows


def stable_order(values: np.ndarray, below: int) -> Ints:
    """int64 [N]: the order of small integers, equal ones as they stand.

    Args:
        values: in [0, below).
        below: numpy sorts 16 bits by radix, tens of times faster than more.
    """
    small = values.astype(np.uint16) if below <= 1 << 16 else values
    order: Ints = np.argsort(small, kind="stable")
    return order


def shortest(bbox: Floats) -> Boxes:
    """The same boxes in float32 if that loses no digit."""
    short = bbox.astype(np.float32)
    return short if np.array_equal(short, bbox) else bbox
