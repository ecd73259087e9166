"""Category counts before and after the merge, and what sampling and losses derive from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.merge.rules import COMMON_MAX, EQL_LAMBDA, RARE_MAX, REPEAT_THRESHOLD


@dataclass(frozen=True)
class Counts:
    """Objects per category.

    Attributes:
        images: int64 [C], images with the category.
        instances: int64 [C], objects.
        annotated_images: images with at least one object of any category.
    """

    images: np.ndarray
    instances: np.ndarray
    annotated_images: int


def count_objects(image: np.ndarray, category: np.ndarray, category_ids: np.ndarray) -> Counts:
    """Counts objects.

    Args:
        image: int64 [K], image id of each object.
        category: int64 [K], category id of each object, one of `category_ids`.
        category_ids: int64 [C], ascending.
    """
    images, place = np.unique(image, return_inverse=True)
    code = np.searchsorted(category_ids, category)
    number = max(len(category_ids), 1)
    pairs = np.unique(place.astype(np.int64) * number + code)
    return Counts(
        np.bincount(pairs % number, minlength=len(category_ids))[: len(category_ids)],
        np.bincount(code, minlength=len(category_ids)),
        len(images),
    )


def frequency_group(images: np.ndarray) -> pa.Array:
    """string [C]: r (at most 10 images), c (at most 100) or f."""
    names = np.array(["r", "c", "f"], dtype=object)
    return pa.array(names[np.digitize(images, [RARE_MAX + 1, COMMON_MAX + 1])], pa.string())


def image_fraction(counts: Counts) -> np.ndarray:
    """float64 [C]: f = images with the category / images with any object; 0 if none."""
    return np.asarray(counts.images / max(counts.annotated_images, 1), dtype=np.float64)


def repeat_factor(fraction: np.ndarray, threshold: float = REPEAT_THRESHOLD) -> np.ndarray:
    """Repeat factor of each category (Gupta et al. 2019, section 4).

    Args:
        fraction: float64 [C], share of annotated images that have the category.
        threshold: t.

    Returns:
        float64 [C]: max(1, sqrt(t / f)), 1 where f is 0.
    """
    some = fraction > 0
    factor = np.ones_like(fraction)
    factor[some] = np.maximum(1.0, np.sqrt(threshold / fraction[some]))
    return factor


def tail_categories(
    counts: Counts, version: str, frequency: pa.Array | pa.ChunkedArray
) -> np.ndarray:
    """Tail classes of the equalization loss (Tan et al. 2020).

    Args:
        counts: of the LVIS train file.
        version: `v0.5`, `v1` or `custom`.
        frequency: string [C], r, c or f as published.

    Returns:
        bool [C]: images of the class < lambda * annotated images; on a custom list, r and c.
    """
    if version in EQL_LAMBDA:
        return np.asarray(counts.images < EQL_LAMBDA[version] * counts.annotated_images)
    return np.isin(np.array(frequency.to_pylist(), dtype=object), ["r", "c"])
