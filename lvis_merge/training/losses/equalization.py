"""Equalization loss (Tan et al. 2020, "Equalization Loss for Long-Tailed Object Recognition")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmdet.registry import MODELS
from torch import Tensor

from lvis_merge.errors import InputError
from lvis_merge.merge.rules import EQL_LAMBDA
from lvis_merge.training.losses.bce import SigmoidBCELoss
from lvis_merge.training.losses.tail import tail_of_frequencies, tail_of_manifest


@MODELS.register_module()
class EqualizationLoss(SigmoidBCELoss):
    """Sigmoid binary cross-entropy that does not push tail categories down at other objects.

    `L = (1/N) Σ_i Σ_j w_ij m_ij BCE(z_ij, y_ij)`, `w_ij = 1 - E_i T_j (1 - y_ij)`: E_i = 1 for
    foreground proposals, T_j = 1 for tail categories, those with f_j < λ; m is 1, or tells which
    categories are verified. Background proposals still are negatives of every category.

    Args:
        frequencies: float [C], share of the annotated train images that have each category; or
        manifest: folder of the manifest whose categories are classified. In other label spaces
            than LVIS's no category is tail.
        lambda_: λ; None, with a manifest: the published one of its LVIS version (0.00177 on v0.5,
            0.0011 on v1), and LVIS's own rare and common categories on a custom list.
        loss_weight: a factor on the loss.
        counts: with a manifest, the images counted: `lvis`, or `merged` for those of all sources
            (still over the number of LVIS's annotated images).
        num_classes: C, to be checked; None: that of the frequencies.

    Attributes:
        is_tail: bool [C], T.

    Raises:
        InputError: not exactly one of `frequencies` and `manifest`, or values that cannot be used.
    """

    is_tail: Tensor

    def __init__(
        self,
        frequencies: Sequence[float] | np.ndarray | Tensor | None = None,
        manifest: str | Path | None = None,
        lambda_: float | None = EQL_LAMBDA["v0.5"],
        loss_weight: float = 1.0,
        counts: str = "lvis",
        num_classes: int | None = None,
    ) -> None:
        if manifest is not None and frequencies is None:
            tail = tail_of_manifest(manifest, lambda_, counts)
        elif frequencies is not None and manifest is None:
            tail = tail_of_frequencies(frequencies, lambda_)
        else:
            raise InputError("EqualizationLoss: give either frequencies or manifest.")
        if num_classes not in (None, len(tail)):
            raise InputError(
                f"EqualizationLoss: num_classes is {num_classes}, but"
                f" {'the manifest has' if manifest is not None else 'there are frequencies of'}"
                f" {len(tail)} categories."
            )
        super().__init__(loss_weight, len(tail))
        self.register_buffer("is_tail", torch.from_numpy(tail), persistent=False)

    def extra_repr(self) -> str:
        """What a printed model tells of it."""
        return f"tail={int(self.is_tail.sum())} of {self.num_classes} categories"
