"""What repeat factor sampling makes of the manifest: the expected length of an epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvis_merge.merge.rules import REPEAT_THRESHOLD
from lvis_merge.report.rows import Rows


@dataclass(frozen=True)
class EpochLength:
    """The expected epoch under one way to count category frequencies.

    Attributes:
        counts: `lvis_alone` (LVIS images only), `lvis` (all images; frequencies counted on LVIS
            images, other sources' images are not repeated) or `merged` (all images, all counts).
        images: train images with at least one object.
        expected: sum of the image repeat factors, expected draws of one epoch.
        repeated_images: images with a repeat factor above 1.
        repeated_categories: categories with a repeat factor above 1.
        max_factor: the highest image repeat factor; 1 where there is no image.
    """

    counts: str
    images: int
    expected: float
    repeated_images: int
    repeated_categories: int
    max_factor: float

    @property
    def ratio(self) -> float:
        """Expected draws per image; 1 without images."""
        return self.expected / self.images if self.images else 1.0


def repeat_factors(image_counts: np.ndarray, images: int) -> np.ndarray:
    """Category repeat factors max(1, sqrt(t / f)), f = images of the category / images.

    Args:
        image_counts: [C] int, images with an object of each category.
        images: images with at least one object.

    Returns:
        [C] float64; 1 for a category without an image.
    """
    f = image_counts / max(images, 1)
    with np.errstate(divide="ignore"):
        factors = np.sqrt(REPEAT_THRESHOLD / f)
    return np.where(image_counts > 0, np.maximum(1.0, factors), 1.0)


def epoch_lengths(rows: Rows) -> tuple[EpochLength, ...]:
    """Expected epochs of the train split.

    Args:
        rows: the decoded rows.

    Returns:
        `merged`, preceded by `lvis_alone` and `lvis` where LVIS images are merged with images of
        other sources.
    """
    image, category = rows.object_pairs
    merged = _epoch("merged", rows, image, category)
    if "lvis" not in rows.sources:
        return (merged,)
    of_lvis = rows.image_source[image] == rows.sources.index("lvis")
    if of_lvis.all():
        return (merged,)
    alone = _epoch("lvis_alone", rows, image[of_lvis], category[of_lvis])
    others = merged.images - alone.images
    kept = EpochLength(
        "lvis",
        merged.images,
        alone.expected + others,
        alone.repeated_images,
        alone.repeated_categories,
        alone.max_factor,
    )
    return alone, kept, merged


def _epoch(counts: str, rows: Rows, image: np.ndarray, category: np.ndarray) -> EpochLength:
    """The epoch over the images of the given distinct (image, category) pairs."""
    factor = np.zeros(rows.images)
    image_counts = np.bincount(category, minlength=rows.categories)
    with_object = np.zeros(rows.images, bool)
    with_object[image] = True
    images = int(with_object.sum())
    by_category = repeat_factors(image_counts, images)
    np.maximum.at(factor, image, by_category[category])
    return EpochLength(
        counts,
        images,
        float(factor.sum()),
        int((factor > 1).sum()),
        int((by_category > 1).sum()),
        float(factor.max(initial=1.0)),
    )
