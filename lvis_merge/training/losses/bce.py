"""Sigmoid binary cross-entropy with verified labels."""

from __future__ import annotations

from typing import Any, ClassVar

from mmdet.registry import MODELS
from torch import Tensor, nn

from lvis_merge.training.losses.masked_bce import masked_bce
from lvis_merge.training.losses.protocol import SigmoidClassifier
from lvis_merge.training.losses.verified import VerifiedLabels


@MODELS.register_module()
class SigmoidBCELoss(SigmoidClassifier, nn.Module):
    """Sigmoid binary cross-entropy over C logits, the sum over the number of proposals.

    `L = (1/N) Σ_i Σ_j m_ij BCE(z_ij, y_ij)`: m is 1, or tells which categories are verified.

    Args:
        loss_weight: a factor on the loss.
        num_classes: C; None: the box head's.
    """

    takes_verified: ClassVar[bool] = True

    # read by ManifestBBoxHead: sigmoids need the activation above
    use_sigmoid: ClassVar[bool] = True

    is_tail: Tensor | None

    def __init__(self, loss_weight: float = 1.0, num_classes: int | None = None) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.num_classes = num_classes
        self.register_buffer("is_tail", None, persistent=False)

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        *,
        verified: VerifiedLabels | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """The loss of the sampled proposals.

        Args:
            cls_score: float [N, C], logits.
            label: int64 [N], 0..C-1, C for background; -1: the proposal is left out.
            weight: float [N]; proposals of weight 0 leave both the sum and N, other weights have no
                effect, as in the authors' code.
            avg_factor: not used, as in the authors' code: N is the number of proposals.
            reduction_override: None or `mean`.
            verified: which categories each proposal may learn as negatives; None for all.
            **kwargs: not used.

        Returns:
            A scalar, float32 for half types; 0 and attached to `cls_score` if there are no rows.

        Raises:
            ValueError: another reduction, or shapes that do not fit.
        """
        if reduction_override not in (None, "mean"):
            raise ValueError(
                f"{type(self).__name__} has no reduction {reduction_override!r}: it is the sum"
                " over the number of proposals"
            )
        return self.loss_weight * masked_bce(cls_score, label, weight, self.is_tail, verified)
