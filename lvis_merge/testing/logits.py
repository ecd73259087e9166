"""Scores as probabilities and as logits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOWEST, HIGHEST = 1e-6, 1 - 1e-6
"""Scores are clipped to these, so that every logit is finite: within ±13.8."""


def clipped(score: Floats) -> Floats:
    """float64 [N]: scores within [1e-6, 1 - 1e-6]."""
    within: Floats = np.clip(score, LOWEST, HIGHEST)
    return within


def logit(score: Floats) -> Floats:
    """float64 [N]: ln(p / (1 - p)) of clipped scores."""
    value: Floats = np.log(score)
    value -= np.log1p(-score)
    return value


def below_one(score: Floats) -> Floats:
    """float64 [N]: scores in (0, 1], 1 as the next lower number, so that their logits are finite.

    Sums and offsets may take scores beyond the limits of `clipped`; to clip them again would make
    some equal that are not.
    """
    lower: Floats = np.minimum(score, np.nextafter(1.0, 0.0))
    return lower


def sigmoid(value: Floats) -> Floats:
    """float64 [N]: 1 / (1 + e^-z), the score of a logit."""
    score: Floats = np.exp(-value)
    score += 1
    np.reciprocal(score, out=score)
    return score
