"""Student's t for whole degrees of freedom, exactly: no runtime dependency has its quantiles."""

from __future__ import annotations

import math


def central_probability(t: float, degrees: int) -> float:
    """The probability that |T| is at most `t`.

    The finite series of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and
    26.7.4.

    Args:
        t: at least 0.
        degrees: of freedom, at least 1.
    """
    return _of_angle(math.atan(t / math.sqrt(degrees)), degrees)


def t_quantile(probability: float, degrees: int) -> float:
    """The t that T stays below with a probability.

    Args:
        probability: from 0.5 on, below 1.
        degrees: of freedom, at least 1.
    """
    low, high = 0.0, math.pi / 2
    # the angle whose tangent is t / sqrt(degrees) is bounded, so halving finds it to the last bit
    while low < (middle := (low + high) / 2) < high:
        if _of_angle(middle, degrees) < 2 * probability - 1:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(low)


def _of_angle(angle: float, degrees: int) -> float:
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees % 2
    term, total = cosine if odd else 1.0, 0.0
    for power in range(odd, degrees - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
