"""The winner's road map as published.

Tan et al., "Equalization Loss for Long-Tailed Object Recognition", CVPR 2020: the appendix on the
LVIS Challenge 2019, tables 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

COLUMNS = ("AP", "AP_r", "AP_c", "AP_f")


@dataclass(frozen=True)
class Step:
    """One row of the road map.

    Attributes:
        key: what a run of it is called.
        name: for people.
        published: mask AP on LVIS v0.5 val by column, times 100, as far as it was published.
    """

    key: str
    name: str
    published: dict[str, float] = field(default_factory=dict)


STEPS = (
    Step(
        "challenge_baseline",
        "challenge baseline",
        {"AP": 30.1, "AP_r": 19.3, "AP_c": 31.8, "AP_f": 32.3},
    ),
    Step("challenge_senet154", "+ SENet-154", {"AP": 30.8}),
    Step("challenge_open_images", "+ Open Images", {"AP": 31.4, "AP_r": 21.5}),
    Step("multi_scale_boxes", "+ multi-scale boxes", {"AP": 32.3}),
    Step("ensemble", "+ experts, re-scoring", {"AP": 35.1, "AP_r": 24.8}),
    Step("multi_scale_masks", "+ multi-scale masks", {"AP": 36.4}),
)

VAL_IMAGES = 5000
"""Of LVIS v0.5 val, which the published figures are of."""

TEST = {"winner (published)": {"AP": 28.9}, "second (published)": {"AP": 26.7}}
"""Mask AP on the LVIS v0.5 test server, times 100."""
