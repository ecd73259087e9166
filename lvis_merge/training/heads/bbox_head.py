"""The box head: classification by any loss, verified labels, sigmoid prior, bounded NMS."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.layers import multiclass_nms
from mmdet.models.losses import accuracy
from mmdet.models.roi_heads.bbox_heads import ConvFCBBoxHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from lvis_merge.errors import InputError
from lvis_merge.training.losses.protocol import full_precision
from lvis_merge.training.losses.verified import VerifiedLabels

SIGMOID_PRIOR = 0.001
"""The score that every class of a sigmoid head starts at (Tan et al. 2020, the authors' code)."""

_CLASS_STD = 0.01


@MODELS.register_module()
class ManifestBBoxHead(ConvFCBBoxHead):
    """ConvFCBBoxHead, with what training on a manifest needs.

    - A loss with `sigmoid_prior` starts its class head at a score of 0.001: bias -log(999), weights
      N(0, 0.01). At a score of 0.5, 1,230 classes start at a loss near 900.
    - A loss with `takes_verified` is given the batch's `VerifiedLabels`.
    - Without any RoI the classification loss is a zero attached to the head, so that every rank of
      a distributed run has the same gradients to exchange; mmdet leaves it out. A loss with
      `takes_no_rows` is called then too: it may have figures to exchange.
    - Losses and scores are computed in float32 under mixed precision.
    - `test_cfg.rcnn.pre_nms_topk`: at most so many (box, class) candidates an image go into NMS,
      the best by score; None for all.

    With a loss of mmdet that has none of these attributes it is ConvFCBBoxHead, bit for bit.

    Args:
        **kwargs: of ConvFCBBoxHead (`num_shared_fcs`, `num_classes`, `loss_cls`, …).

    Raises:
        InputError: a sigmoid loss that does not say how scores are computed: mmdet would apply a
            softmax to its logits at inference.
    """

    init_cfg: Any

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        loss = self.loss_cls
        if getattr(loss, "use_sigmoid", False) and not self.custom_cls_channels:
            raise InputError(
                f"ManifestBBoxHead: loss_cls {type(loss).__name__} is trained with sigmoids, and "
                "mmdet would apply a softmax to it at inference. Use SigmoidBCELoss, "
                "EqualizationLoss or SigmoidEQLv2Loss."
            )
        if self.with_cls and self._starts_at_prior:
            own = self.init_cfg or []
            prior = {
                "type": "Normal",
                "std": _CLASS_STD,
                "bias_prob": SIGMOID_PRIOR,
                "override": {"name": "fc_cls"},
            }
            self.init_cfg = [*([own] if isinstance(own, dict) else own), prior]

    @property
    def takes_verified(self) -> bool:
        """Whether the classification loss can leave unverified categories out."""
        return bool(getattr(self.loss_cls, "takes_verified", False))

    @property
    def _starts_at_prior(self) -> bool:
        return bool(getattr(self.loss_cls, "sigmoid_prior", False))

    def loss_and_target(
        self,
        cls_score: Tensor | None,
        bbox_pred: Tensor | None,
        rois: Tensor,
        sampling_results: list[SamplingResult],
        rcnn_train_cfg: ConfigDict,
        concat: bool = True,
        reduction_override: str | None = None,
        *,
        verified: VerifiedLabels | None = None,
    ) -> dict[str, Any]:
        """As in BBoxHead, with the batch's verified labels.

        Args:
            cls_score: float [N, channels of the loss]; None without a class branch.
            bbox_pred: float [N, 4] or [N, 4 C]; None without a box branch.
            rois: float [N, 5]: image in the batch, x1, y1, x2, y2 in pixels of the network's input.
            sampling_results: one per image, N proposals together.
            rcnn_train_cfg: mmdet's `train_cfg.rcnn`.
            concat: as in BBoxHead.
            reduction_override: as in BBoxHead.
            verified: which categories each proposal may learn as negatives; None for all.

        Returns:
            `loss_bbox`: the losses by name; `bbox_targets`: the targets.
        """
        targets = self.get_targets(sampling_results, rcnn_train_cfg, concat=concat)
        labels, label_weights, bbox_targets, bbox_weights = targets
        losses = self.loss(
            cls_score,
            bbox_pred,
            rois,
            labels,
            label_weights,
            bbox_targets,
            bbox_weights,
            reduction_override,
            verified=verified,
        )
        return {"loss_bbox": losses, "bbox_targets": targets}

    def loss(
        self,
        cls_score: Tensor | None,
        bbox_pred: Tensor | None,
        rois: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        bbox_targets: Tensor,
        bbox_weights: Tensor,
        reduction_override: str | None = None,
        *,
        verified: VerifiedLabels | None = None,
    ) -> dict[str, Tensor]:
        """The losses of the sampled proposals, by name.

        Args:
            cls_score: float [N, channels of the loss]; None without a class branch.
            bbox_pred: float [N, 4] or [N, 4 C]; None without a box branch.
            rois: float [N, 5].
            labels: int64 [N], C for background.
            label_weights: float [N].
            bbox_targets: float [N, 4].
            bbox_weights: float [N, 4].
            reduction_override: None, `none`, `mean` or `sum`.
            verified: which categories each proposal may learn as negatives; None for all.
        """
        losses: dict[str, Tensor] = {}
        if cls_score is not None:
            losses |= self._class_loss(
                full_precision(cls_score), labels, label_weights, reduction_override, verified
            )
        # without scores BBoxHead computes the box regression alone
        losses |= super().loss(
            None,
            None if bbox_pred is None else full_precision(bbox_pred),
            rois,
            labels,
            label_weights,
            bbox_targets,
            bbox_weights,
            reduction_override=reduction_override,
        )
        return losses

    def _class_loss(
        self,
        cls_score: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        reduction_override: str | None,
        verified: VerifiedLabels | None,
    ) -> dict[str, Tensor]:
        if not len(labels) and not getattr(self.loss_cls, "takes_no_rows", False):
            return {"loss_cls": 0 * cls_score.sum()}
        told = {"verified": verified} if self.takes_verified else {}
        loss = self.loss_cls(
            cls_score,
            labels,
            label_weights,
            avg_factor=max(float((label_weights > 0).sum()), 1.0),
            reduction_override=reduction_override,
            **told,
        )
        losses: dict[str, Tensor] = dict(loss) if isinstance(loss, dict) else {"loss_cls": loss}
        if not len(labels):
            return losses
        if self.custom_activation:
            return losses | self.loss_cls.get_accuracy(cls_score, labels)
        return losses | {"acc": accuracy(cls_score, labels)}

    def _predict_by_feat_single(
        self,
        roi: Tensor,
        cls_score: Tensor,
        bbox_pred: Tensor | None,
        img_meta: dict[str, Any],
        rescale: bool = False,
        rcnn_test_cfg: ConfigDict | None = None,
    ) -> InstanceData:
        """The detections of one image: scores, boxes, threshold, candidates' bound, NMS."""
        cls_score = full_precision(cls_score)
        bbox_pred = None if bbox_pred is None else full_precision(bbox_pred)
        single = super()._predict_by_feat_single
        if rcnn_test_cfg is None or rcnn_test_cfg.get("pre_nms_topk") is None or not len(roi):
            return single(roi, cls_score, bbox_pred, img_meta, rescale, rcnn_test_cfg)
        # without a test configuration BBoxHead stops before the threshold and NMS
        raw = single(roi, cls_score, bbox_pred, img_meta, rescale, None)
        boxes, labels = multiclass_nms(
            raw.bboxes,
            best_candidates(raw.scores, rcnn_test_cfg.pre_nms_topk),
            rcnn_test_cfg.score_thr,
            rcnn_test_cfg.nms,
            rcnn_test_cfg.max_per_img,
        )
        return InstanceData(bboxes=boxes[:, :-1], scores=boxes[:, -1], labels=labels)


def best_candidates(scores: Tensor, bound: int) -> Tensor:
    """Scores of which only the best are left; the others are -inf, below any threshold.

    Args:
        scores: float [N, C + 1], background last; background is no candidate.
        bound: how many of the N C candidates are left.

    Returns:
        A tensor like `scores`.
    """
    candidates = scores[:, :-1].reshape(-1)
    if len(candidates) <= bound:
        return scores
    best = candidates.topk(bound, sorted=False)
    kept = torch.full_like(candidates, -torch.inf).scatter_(0, best.indices, best.values)
    return torch.cat([kept.view(len(scores), -1), scores[:, -1:]], dim=1)
