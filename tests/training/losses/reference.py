"""The equalization loss written out from the paper, pair by pair, in Python floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """What the loss is to be.

    Attributes:
        loss: the value.
        gradient: [N][C], of the value by the logits.
    """

    loss: float
    gradient: list[list[float]]


def cross_entropy(z: float, y: int) -> float:
    """-log(p) or -log(1 - p), p = 1 / (1 + exp(-z))."""
    return max(z, 0.0) - z * y + math.log1p(math.exp(-abs(z)))


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def expected_loss(
    logits: Sequence[Sequence[float]],
    labels: Sequence[int],
    tail: Sequence[bool],
    weights: Sequence[float] | None = None,
    may_be_negative: Sequence[Sequence[bool]] | None = None,
) -> Expected:
    """L = (1/N) Σ_i Σ_j w_ij m_ij BCE(z_ij, y_ij), w_ij = 1 - E_i T_j (1 - y_ij).

    `may_be_negative` is [N][C]: the verified-label mask of the pairs that are no positives. Rows of
    weight 0 and of label -1 are as if they had not been sampled.
    """
    classes = len(tail)
    weights = [1.0] * len(labels) if weights is None else weights
    sampled = [i for i, label in enumerate(labels) if label >= 0 and weights[i] != 0]
    number = max(len(sampled), 1)
    loss, gradient = 0.0, [[0.0] * classes for _ in labels]
    for i in sampled:
        e = int(labels[i] != classes)
        for j in range(classes):
            y = int(labels[i] == j)
            w = 1 - e * int(tail[j]) * (1 - y)
            m = 1 if y or may_be_negative is None else int(may_be_negative[i][j])
            loss += w * m * cross_entropy(logits[i][j], y) / number
            # p - y; for y = 1 in the form that does not cancel
            slope = -sigmoid(-logits[i][j]) if y else sigmoid(logits[i][j])
            gradient[i][j] = w * m * slope / number
    return Expected(loss, gradient)
