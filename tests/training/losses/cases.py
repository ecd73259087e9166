"""Batches of proposals for the losses' tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from lvis_merge.training.losses import EqualizationLoss, VerifiedLabels


@dataclass(frozen=True)
class Batch:
    """Arguments of a loss.

    Attributes:
        logits: float64 [N, C].
        label: int64 [N], -1..C.
        tail: bool [C].
        weight: float64 [N] or None.
        verified: or None.
    """

    logits: Tensor
    label: Tensor
    tail: Tensor
    weight: Tensor | None
    verified: VerifiedLabels | None

    @property
    def may_be_negative(self) -> list[list[bool]] | None:
        if self.verified is None:
            return None
        return self.verified.negatives[self.verified.slot].tolist()


def with_tail(tail: Tensor, **options: object) -> EqualizationLoss:
    """The loss whose tail is exactly this."""
    return EqualizationLoss(frequencies=(~tail).double(), lambda_=0.5, **options)


def random_batch(
    rows: int,
    classes: int,
    seed: int = 0,
    weighted: bool = False,
    images: int = 0,
) -> Batch:
    """A batch; `images` > 0 makes it one with verified labels."""
    rng = np.random.default_rng(seed)
    verified = None
    if images:
        verified = VerifiedLabels(
            torch.from_numpy(rng.integers(0, images, rows)),
            torch.from_numpy(rng.random((images, classes)) < 0.5),
        )
    return Batch(
        torch.from_numpy(rng.normal(-2, 4, (rows, classes))),
        torch.from_numpy(rng.integers(0, classes + 1, rows)),
        torch.from_numpy(rng.random(classes) < 0.5),
        torch.from_numpy(rng.choice([0.0, 0.5, 1.0], rows)) if weighted else None,
        verified,
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Batches of any shape: no rows, background only, all rows left out…"""
    rows, classes = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    pick = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    label = draw(st.lists(st.integers(-1, classes), min_size=rows, max_size=rows))
    weight = draw(
        st.none() | st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=rows, max_size=rows)
    )
    images = draw(st.integers(0, 3))
    verified = None
    if images:
        verified = VerifiedLabels(
            torch.from_numpy(pick.integers(0, images, rows)),
            torch.from_numpy(pick.random((images, classes)) < draw(st.sampled_from([0, 0.3, 0.8]))),
        )
    scale = draw(st.sampled_from([0.1, 5.0, 60.0]))
    return Batch(
        torch.from_numpy(pick.normal(0, scale, (rows, classes))),
        torch.tensor(label, dtype=torch.int64),
        torch.from_numpy(pick.random(classes) < draw(st.sampled_from([0.0, 0.5, 1.0]))),
        None if weight is None else torch.tensor(weight),
        verified,
    )
