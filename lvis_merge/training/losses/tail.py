"""Tail categories of the equalization loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError

_COUNT_COLUMNS = {"lvis": "image_count_lvis", "merged": "image_count"}


def tail_of_frequencies(frequencies: npt.ArrayLike, lambda_: float | None) -> np.ndarray:
    """Categories below the threshold.

    Args:
        frequencies: numbers [C].
        lambda_: λ, of the same unit.

    Returns:
        bool [C]: f_j < λ.

    Raises:
        InputError: no λ, or frequencies that are no list of numbers >= 0.
    """
    if lambda_ is None:
        raise InputError(
            "EqualizationLoss: lambda_ is None, which only a manifest can tell. Give a number."
        )
    try:
        values = np.asarray(frequencies, np.float64)
    except (TypeError, ValueError):
        values = np.array(np.nan)
    if values.ndim != 1 or not (values >= 0).all():
        raise InputError("EqualizationLoss: frequencies are not one number >= 0 per category.")
    return np.asarray(values < lambda_)


def tail_of_manifest(
    folder: str | Path, lambda_: float | None = None, counts: str = "lvis"
) -> np.ndarray:
    """Tail categories of a manifest.

    `n_j < λ·N_a`: n_j are train images with the category, N_a the LVIS train images with any
    annotation, whichever images n_j counts.

    Args:
        folder: the manifest.
        lambda_: λ; None: the manifest's own, which is the published one of its LVIS version; on a
            custom list, where there is none, LVIS's rare and common categories are the tail.
        counts: `lvis`: n_j is `image_count_lvis`; `merged`: `image_count`.

    Returns:
        bool [C], in the order of category ids; all False in other label spaces than LVIS's.

    Raises:
        InputError: no manifest, or unknown counts.
    """
    if counts not in _COUNT_COLUMNS:
        raise InputError(
            f"EqualizationLoss: counts {counts!r} are unknown. Give one of"
            f" {', '.join(_COUNT_COLUMNS)}."
        )
    opened = manifests.open(folder)
    table = opened.arrow("categories", ["is_tail", _COUNT_COLUMNS[counts]])
    constants = opened.record.eql
    if constants is None:
        return np.zeros(table.num_rows, bool)
    threshold = constants.lambda_ if lambda_ is None else lambda_
    if threshold is None:
        return np.array(table["is_tail"].to_numpy(), bool)
    images = table[_COUNT_COLUMNS[counts]].to_numpy()
    return np.asarray(images < threshold * constants.annotated_images)
