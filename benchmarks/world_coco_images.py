"""The COCO 2017 images of the generated world, and which of them LVIS v0.5 uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from text_columns import as_text, pick, random_text, rows, zero_padded

COCO_TRAIN = 118_287
LVIS_TRAIN = 57_263
LVIS_VAL = 5_000
HIGHEST_ID = 581_929
SHAPES = np.array([(640, 480), (640, 427), (480, 640), (427, 640), (640, 640), (500, 375)])


@dataclass(frozen=True)
class CocoImages:
    """Images as columns; the first ``LVIS_TRAIN`` of the train images are LVIS's too."""

    ids: NDArray[np.int64]
    photos: NDArray[np.int64]
    shapes: NDArray[np.int64]
    """Width and height, ``[n, 2]``, pixels."""

    def part(self, start: int, stop: int) -> CocoImages:
        """The images from ``start`` up to ``stop``."""
        return CocoImages(self.ids[start:stop], self.photos[start:stop], self.shapes[start:stop])


def coco_images(seed: int, scale: float) -> tuple[CocoImages, CocoImages, CocoImages]:
    """Draw the images of COCO train2017, of LVIS v0.5 train and of LVIS v0.5 val."""
    rng = np.random.default_rng([seed, 0])
    train, lvis, val = (int(n * scale) for n in (COCO_TRAIN, LVIS_TRAIN, LVIS_VAL))
    count = train + val
    everything = CocoImages(
        rng.choice(HIGHEST_ID, count, replace=False).astype(np.int64) + 1,
        # Even photo ids; Open Images draws odd ones, so that only meant leaks are leaks.
        10_000_000 + 2 * rng.choice(4_000_000_000, count, replace=False).astype(np.int64),
        SHAPES[rng.choice(len(SHAPES), count, p=[0.4, 0.25, 0.2, 0.1, 0.02, 0.03])],
    )
    return everything.part(0, train), everything.part(0, lvis), everything.part(train, count)


def image_columns(rng: np.random.Generator, images: CocoImages, folder: str) -> list[pa.Array]:
    """Columns that join to the shared part of an image row, without braces.

    Args:
        rng: for servers, secrets, licences and dates.
        images: the images.
        folder: train2017 or val2017.
    """
    count = len(images.ids)
    digits = zero_padded(images.ids, 12)
    day = rows(
        "2013-", pick(pa.array(["11-14", "11-15", "11-18", "11-24"]), rng.integers(0, 4, count)),
        " ", zero_padded(rng.integers(0, 24, count), 2), ":",
        zero_padded(rng.integers(0, 60, count), 2), ":", zero_padded(rng.integers(0, 60, count), 2),
    )  # fmt: skip
    return [
        '"flickr_url": "http://farm', as_text(rng.integers(1, 10, count)), ".staticflickr.com/",
        as_text(rng.integers(1000, 9999, count)), "/", as_text(images.photos), "_",
        random_text(rng, count, 10, "0123456789abcdef"), '_z.jpg", "coco_url": ',
        f'"http://images.cocodataset.org/{folder}/', digits, '.jpg", "height": ',
        as_text(images.shapes[:, 1]), ', "width": ', as_text(images.shapes[:, 0]),
        ', "license": ', as_text(rng.integers(1, 9, count)), ', "date_captured": "', day,
        '", "id": ', as_text(images.ids),
    ]  # fmt: skip
