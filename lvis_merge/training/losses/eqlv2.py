"""mmdet's EQLv2 loss as a sigmoid head needs it."""

from __future__ import annotations

from typing import Any, ClassVar

from mmdet.models.losses import EQLV2Loss
from mmdet.registry import MODELS
from mmengine.dist import get_world_size
from torch import Tensor

from lvis_merge.training.losses.protocol import SigmoidClassifier, full_precision


@MODELS.register_module()
class SigmoidEQLv2Loss(SigmoidClassifier, EQLV2Loss):
    """EQLv2 (Tan et al. 2021) with sigmoids at inference too.

    The training loss is mmdet's own: C class logits and a last one of objectness, which is trained
    to tell background and multiplies the class scores by 1 - its sigmoid at inference. What is
    different: mmdet's head does not find the loss's activation and applies a softmax instead; half
    types are computed in float32; proposals of weight 0 or label -1 are left out; a batch without
    proposals costs 0 instead of NaN; and the batch's graph is not kept until the next one.

    Verified labels are not offered: the gradients that this loss balances are gathered over all
    categories and proposals.

    Args:
        num_classes: C.
        use_distributed: whether the gathered gradients are summed over all ranks when there are
            several. Without, each rank weights the categories by its own gradients, and the
            checkpoint holds those of rank 0.
        **kwargs: of mmdet's `EQLV2Loss`: `loss_weight`, `mu`, `alpha`, `gamma`, `test_with_obj`, …
    """

    takes_verified: ClassVar[bool] = False

    num_classes: int

    def __init__(self, num_classes: int = 1203, use_distributed: bool = True, **kwargs: Any):
        super().__init__(num_classes=num_classes, use_distributed=False, **kwargs)
        self._sums_over_ranks = use_distributed

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """The loss of the sampled proposals.

        With several ranks, every rank calls it in every iteration, also without proposals.

        Args:
            cls_score: float [N, C + 1], logits, the last of them of background.
            label: int64 [N], 0..C-1, C for background; -1: the proposal is left out.
            weight: float [N]; proposals of weight 0 are left out, other weights have no effect.
            avg_factor: not used, as in mmdet.
            reduction_override: not used, as in mmdet.
            **kwargs: not used.

        Returns:
            A scalar, float32 for half types; 0 and attached to `cls_score` if there are no rows.
        """
        counts = label >= 0
        if weight is not None:
            counts = counts & (weight != 0)
        if not counts.all():
            cls_score, label = cls_score[counts], label[counts]
        cls_score = full_precision(cls_score)
        self.use_distributed = self._sums_over_ranks and get_world_size() > 1
        if not len(label):
            nothing = cls_score.detach()
            self.collect_grad(nothing, nothing, nothing)
            return 0 * cls_score.sum()
        loss = super().forward(cls_score, label)
        self.gt_classes = self.pred_class_logits = None
        return loss

    def get_cls_channels(self, num_classes: int) -> int:
        """Channels of the class layer: C and objectness.

        Args:
            num_classes: C of the head.

        Raises:
            InputError: the loss was made for another number of categories.
        """
        return int(self.get_channel_num(super().get_cls_channels(num_classes)))

    def get_activation(self, cls_score: Tensor) -> Tensor:
        """Scores from logits.

        Args:
            cls_score: float [N, C + 1].

        Returns:
            float32 or float64 [N, C + 1]: sigmoids, times 1 - that of background unless
            `test_with_obj` is off, then a zero for background.
        """
        scores = EQLV2Loss.get_activation(self, full_precision(cls_score))
        scores[:, -1] = 0
        return scores

    def get_accuracy(self, cls_score: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Figures for the log.

        Args:
            cls_score: float [N, C + 1].
            labels: int64 [N], C for background.

        Returns:
            As `SigmoidClassifier.get_accuracy`, of the class logits.
        """
        return super().get_accuracy(cls_score[:, :-1], labels)
