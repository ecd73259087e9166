"""The region proposal head: mmdet's, which also tells how many anchors were sampled."""

from __future__ import annotations

from typing import Any

from mmdet.models.dense_heads import RPNHead
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import BaseSampler, SamplingResult
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from lvis_merge.training.heads.sampling_log import ignored_background, sampling_log


class _TellingSampler:
    """A sampler whose results carry the assigner's count of ignored anchors.

    AnchorHead keeps the sampling results of a batch, and not what they were drawn from.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        self.sampler = sampler

    def sample(
        self,
        assign_result: AssignResult,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        **kwargs: Any,
    ) -> SamplingResult:
        sampled = self.sampler.sample(assign_result, pred_instances, gt_instances, **kwargs)
        sampled.num_ignored = ignored_background(assign_result)
        return sampled


@MODELS.register_module()
class ManifestRPNHead(RPNHead):
    """RPNHead that logs, as means per image, what it learned from.

    `rpn_num_pos` and `rpn_num_neg` are the sampled anchors, `rpn_num_ignored` the background
    anchors that ignore regions took away (with BackgroundIgnoreAssigner). Losses, proposals and
    parameters are RPNHead's, bit for bit.

    Args:
        in_channels: channels of the feature maps.
        **kwargs: of RPNHead.
    """

    sampler: Any

    def __init__(self, in_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels=in_channels, **kwargs)
        if self.train_cfg:
            self.sampler = _TellingSampler(self.sampler)

    def loss_by_feat(
        self, cls_scores: list[Tensor], bbox_preds: list[Tensor], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """RPNHead's losses and the counts.

        Args:
            cls_scores: one [B, anchors of a place, H, W] per level.
            bbox_preds: one [B, 4 anchors of a place, H, W] per level.
            *args: of RPNHead.
            **kwargs: of RPNHead.
        """
        losses = super().loss_by_feat(cls_scores, bbox_preds, *args, **kwargs)
        sampled = self._raw_positive_infos["sampling_results"]
        ignored = [result.num_ignored for result in sampled]
        return losses | sampling_log(sampled, ignored, cls_scores[0].device, prefix="rpn_")
