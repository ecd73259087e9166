"""What mmdet's box head, and ours, ask a loss for."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from lvis_merge.errors import InputError

_HALF = (torch.float16, torch.bfloat16)


def full_precision(cls_score: Tensor) -> Tensor:
    """Half types as float32; float32 and float64 as they are, not copied."""
    return cls_score.float() if cls_score.dtype in _HALF else cls_score


class SigmoidClassifier:
    """Makes a box head a sigmoid classifier of C logits without a background channel.

    A head that finds none of the `custom_…` attributes on its loss gives itself C + 1 channels and
    applies a softmax at inference, whatever the loss was.

    Attributes:
        takes_verified: whether `forward` has the keyword `verified` (VerifiedLabels or None).
        takes_no_rows: whether `forward` is to be called for a batch without proposals as well.
        sigmoid_prior: whether the head's class layer starts at the prior probability 0.001, bias
            -log(999): an even start would cost N·C·log 2.
    """

    custom_cls_channels: ClassVar[bool] = True
    custom_activation: ClassVar[bool] = True
    custom_accuracy: ClassVar[bool] = True
    takes_verified: ClassVar[bool] = False
    takes_no_rows: ClassVar[bool] = True
    sigmoid_prior: ClassVar[bool] = True

    num_classes: int | None

    def get_cls_channels(self, num_classes: int) -> int:
        """Channels of the class layer.

        Args:
            num_classes: C of the head.

        Raises:
            InputError: the loss was made for another number of categories.
        """
        if self.num_classes not in (None, num_classes):
            raise InputError(
                f"{type(self).__name__} is for {self.num_classes} categories, the box head for"
                f" {num_classes}. Give both the number of the manifest's categories."
            )
        return num_classes

    def get_activation(self, cls_score: Tensor) -> Tensor:
        """Scores from logits.

        Args:
            cls_score: float [N, C].

        Returns:
            float32 or float64 [N, C + 1]: sigmoids, then a zero for background.
        """
        scores = torch.sigmoid(full_precision(cls_score))
        return torch.cat([scores, scores.new_zeros(len(scores), 1)], dim=1)

    def get_accuracy(self, cls_score: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Figures for the log.

        Args:
            cls_score: float [N, C].
            labels: int64 [N], C for background.

        Returns:
            `acc_classes`: percentage of the foreground proposals whose highest logit is that of
            their category; 0 without any.
        """
        foreground = (labels >= 0) & (labels < cls_score.shape[1])
        if not len(labels):
            return {"acc_classes": cls_score.new_zeros(())}
        right = (cls_score.argmax(dim=1) == labels) & foreground
        return {"acc_classes": 100.0 * right.sum() / foreground.sum().clamp(min=1)}
