"""Repeat factors of images, and the epochs drawn from them (Gupta et al. 2019, LVIS, section 4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.merge.frequencies import count_objects, image_fraction, repeat_factor
from lvis_merge.merge.rules import REPEAT_THRESHOLD, SOURCE_ORDER

RFS_COUNTS = ("merged", "lvis")
"""Whose images the category frequencies are counted on."""

LVIS = SOURCE_ORDER[0]


def image_repeat_factors(
    object_image: np.ndarray,
    object_label: np.ndarray,
    image_source: np.ndarray,
    num_classes: int,
    threshold: float = REPEAT_THRESHOLD,
    counts: str = "merged",
    source_weight: Mapping[str, float] | None = None,
) -> np.ndarray:
    """How often each image is drawn in one epoch, on average.

    `r(I) = max over the categories c of the image's objects of max(1, sqrt(t / f(c)))`, where f(c)
    is the share of the images with at least one object that have an object of c. An image without
    any object has 1.

    Args:
        object_image: int64 [O], the image of each object, 0..I-1.
        object_label: int64 [O], the category of each object, 0..C-1.
        image_source: str [I].
        num_classes: C.
        threshold: t, a share of images.
        counts: `merged`: f is counted on all images. `lvis`: on LVIS images only; images of other
            sources are then not repeated, r = 1. Merged counts lift a rare category that another
            source adds boxes of over t, and the few images with its masks would no longer be
            repeated.
        source_weight: a factor on r(I) by source; 1 for a source that it does not name.

    Returns:
        float64 [I]; may be below 1 where a source's weight is.

    Raises:
        InputError: a threshold, counts or weight that cannot be used.
    """
    if not 0 <= threshold < np.inf:
        raise InputError(
            f"repeat_threshold {threshold}: not a share of images. Give a number >= 0 (LVIS: 0.001)"
        )
    if counts not in RFS_COUNTS:
        raise InputError(f"rfs_counts {counts!r}: unknown. Give one of {', '.join(RFS_COUNTS)}.")
    factors = np.ones(len(image_source))
    if counts == "lvis":
        of_lvis = image_source == LVIS
        if not of_lvis.any():
            raise InputError(
                "rfs_counts 'lvis': no image here is from LVIS, so that there is nothing to count"
                " on. Use rfs_counts='merged'."
            )
        counted = of_lvis[object_image]
        object_image, object_label = object_image[counted], object_label[counted]
    classes = np.arange(num_classes)
    fraction = image_fraction(count_objects(object_image, object_label, classes))
    np.maximum.at(factors, object_image, repeat_factor(fraction, threshold)[object_label])
    return factors * _weights(image_source, source_weight or {})


def epoch_length(repeat_factors: np.ndarray, seed: int, epoch: int) -> int:
    """The number of draws of an epoch, without drawing their order.

    Args:
        repeat_factors: float64 [I].
        seed: of the run, >= 0.
        epoch: 0, 1, …

    Returns:
        The length of `epoch_indices` of the same arguments.
    """
    return int(_repeats(repeat_factors, _generator(seed, epoch)).sum())


def epoch_indices(
    repeat_factors: np.ndarray, seed: int, epoch: int, shuffle: bool = True
) -> np.ndarray:
    """The images of one epoch, in order.

    An image of factor r comes floor(r) times, and once more with probability r - floor(r)
    (stochastic rounding, drawn anew for every epoch). The same arguments give the same epoch in
    every process.

    Args:
        repeat_factors: float64 [I].
        seed: of the run, >= 0.
        epoch: 0, 1, …
        shuffle: whether the order is random; else by index, repeats side by side.

    Returns:
        int64 [length], indices of images; the length varies from epoch to epoch.
    """
    generator = _generator(seed, epoch)
    indices = np.repeat(np.arange(len(repeat_factors)), _repeats(repeat_factors, generator))
    if shuffle:
        generator.shuffle(indices)
    return indices


def _generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch))))


def _repeats(repeat_factors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """int64 [I]: factors rounded up or down at random; the generator's first draws."""
    whole = np.floor(repeat_factors)
    more = generator.random(len(repeat_factors)) < repeat_factors - whole
    return whole.astype(np.int64) + more


def _weights(image_source: np.ndarray, source_weight: Mapping[str, float]) -> np.ndarray:
    """float64 [I]: the weight of each image's source."""
    weights = np.ones(len(image_source))
    here = set(np.unique(image_source).tolist())
    for source, weight in source_weight.items():
        # one recipe serves manifests with and without a source, but a slip of the pen must not pass
        if source not in here and source not in SOURCE_ORDER:
            raise InputError(
                f"source_weight: no image is from {source!r}. The sources are"
                f" {', '.join(sorted(here))}."
            )
        if not 0 <= weight < np.inf:
            raise InputError(f"source_weight of {source}: {weight}. Give a number >= 0.")
        weights[image_source == source] = weight
    return weights
