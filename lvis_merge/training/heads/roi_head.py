"""The RoI head: verified labels to the box head, masked objects only to the mask head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor

from lvis_merge.errors import InputError
from lvis_merge.training.heads.bbox_head import ManifestBBoxHead
from lvis_merge.training.heads.masked_positives import (
    only_positives,
    positives_with_mask,
    rows_of_positives,
)
from lvis_merge.training.heads.sampling_log import ignored_background, sampling_log
from lvis_merge.training.losses.verified import VerifiedLabels, negatives_of


@MODELS.register_module()
class ManifestRoIHead(StandardRoIHead):
    """StandardRoIHead over a ManifestBBoxHead, with or without a mask head.

    - Proposals of images whose source is in `verified_sources` learn as negatives only the
      categories that people verified there.
    - Objects without a mask train the box head and not the mask head (`has_mask` of the objects;
      absent: all have one). Without any positive that has one, the mask loss is a zero attached to
      the mask head.
    - Background proposals that ignore regions took away teach nothing or, with
      `ignored_background="tail"`, that they are of no tail category: under the equalization loss
      other background is all that ever does, and regions take much of it.
    - `num_pos`, `num_neg` (sampled) and `num_ignored` (background proposals that ignore regions
      took away, with BackgroundIgnoreAssigner) are logged as means per image.

    Args:
        verified_sources: names of manifest sources; empty: every category is a lawful negative.
        ignored_background: what background proposals in ignore regions teach: `drop`, nothing, or
            `tail`, as negatives of the loss's tail categories only.
        **kwargs: of StandardRoIHead.

    Raises:
        InputError: `verified_sources` or `ignored_background="tail"` with a loss that cannot leave
            categories out or has no tail, a box head of another type, or a `pre_nms_topk` below 1.
    """

    def __init__(
        self,
        *,
        verified_sources: Sequence[str] = (),
        ignored_background: Literal["drop", "tail"] = "drop",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sources = (verified_sources,) if isinstance(verified_sources, str) else verified_sources
        self.verified_sources = tuple(sources)
        head = getattr(self, "bbox_head", None)
        if not isinstance(head, ManifestBBoxHead):
            raise InputError(
                f"ManifestRoIHead: bbox_head is {type(head).__name__}; use ManifestBBoxHead."
            )
        if self.verified_sources and not head.takes_verified:
            raise InputError(
                f"ManifestRoIHead: verified_sources is {list(self.verified_sources)}, and loss_cls "
                f"{type(head.loss_cls).__name__} cannot leave unverified categories out. Use "
                "SigmoidBCELoss or EqualizationLoss, or set verified_sources=()."
            )
        if ignored_background not in ("drop", "tail"):
            raise InputError(
                f"ManifestRoIHead: ignored_background is {ignored_background!r}; use 'drop' or"
                " 'tail'."
            )
        self.teaches_tail = ignored_background == "tail"
        if self.teaches_tail and getattr(head.loss_cls, "is_tail", None) is None:
            raise InputError(
                f"ManifestRoIHead: ignored_background is 'tail', and loss_cls"
                f" {type(head.loss_cls).__name__} has no tail. Use EqualizationLoss, or 'drop'."
            )
        bound = self.test_cfg.get("pre_nms_topk") if self.test_cfg else None
        if bound is not None and bound < 1:
            raise InputError(
                f"ManifestRoIHead: test_cfg.rcnn.pre_nms_topk is {bound}; use a number of "
                "candidates from 1 up, or None for no bound."
            )

    def loss(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list[DetDataSample],
    ) -> dict[str, Tensor]:
        """The losses of a batch and the counts of its proposals, by name.

        Args:
            x: feature maps, one [B, channels, H, W] per level.
            rpn_results_list: proposals, `bboxes` [P, 4] as x1, y1, x2, y2 in pixels of the
                network's input; one per image.
            batch_data_samples: `gt_instances`, `ignored_instances` and the metadata of the images.
        """
        objects, regions, metas = unpack_gt_instances(batch_data_samples)
        assigned, sampled = [], []
        for slot, proposals in enumerate(rpn_results_list):
            one = [level[slot][None] for level in x]
            found = self._sample(proposals, objects[slot], regions[slot], one)
            assigned.append(found[0])
            sampled.append(found[1])
        boxes = self.bbox_loss(x, sampled, self._lawful_negatives(metas, x[0]))
        losses: dict[str, Tensor] = dict(boxes["loss_bbox"])
        if self.with_mask:
            masks = self.mask_loss(x, sampled, boxes["bbox_feats"], objects)
            losses |= masks["loss_mask"]
        ignored = [ignored_background(result) for result in assigned]
        return losses | sampling_log(sampled, ignored, x[0].device)

    def _sample(
        self,
        proposals: InstanceData,
        objects: InstanceData,
        regions: InstanceData | None,
        feats: list[Tensor],
    ) -> tuple[AssignResult, SamplingResult]:
        """One image: which proposals learn what, and which of them are drawn."""
        candidates = proposals.new()
        candidates.priors = candidates.pop("bboxes")
        assigned = self.bbox_assigner.assign(candidates, objects, regions)
        marked = assigned.get_extra_property("in_region") if self.teaches_tail else None
        if marked is not None:
            assigned.gt_inds[marked] = 0
        sampled = self.bbox_sampler.sample(assigned, candidates, objects, feats=feats)
        if marked is not None:
            # the sampler may have put the objects in front of the proposals
            marked = F.pad(marked, (len(assigned.gt_inds) - len(marked), 0))
            sampled.neg_in_region = marked[sampled.neg_inds]
        return assigned, sampled

    def _lawful_negatives(self, metas: list[dict[str, Any]], like: Tensor) -> Tensor | None:
        """Bool [B, C], what each image may teach as a negative; None when that is everything."""
        if not self.verified_sources:
            return None
        if any("source" not in meta for meta in metas):
            raise InputError(
                "ManifestRoIHead: verified_sources is set and the training images do not say which "
                "source they are of. Load them with ManifestDataset and PackManifestInputs."
            )
        if not any(meta["source"] in self.verified_sources for meta in metas):
            return None
        return negatives_of(metas, self.bbox_head.num_classes, self.verified_sources, like.device)

    def bbox_loss(
        self,
        x: tuple[Tensor, ...],
        sampling_results: list[SamplingResult],
        negatives: Tensor | None = None,
    ) -> dict[str, Any]:
        """As in StandardRoIHead, with the categories that each image may teach as negatives.

        Args:
            x: feature maps, one [B, channels, H, W] per level.
            sampling_results: one per image.
            negatives: bool [B, C]; None for all.
        """
        rois = bbox2roi([result.priors for result in sampling_results])
        forward = self._bbox_forward(x, rois)
        verified = self._verified(rois[:, 0].long(), negatives, sampling_results)
        told = self.bbox_head.loss_and_target(
            cls_score=forward["cls_score"],
            bbox_pred=forward["bbox_pred"],
            rois=rois,
            sampling_results=sampling_results,
            rcnn_train_cfg=self.train_cfg,
            verified=verified,
        )
        return {**forward, "loss_bbox": told["loss_bbox"]}

    def _verified(
        self, slot: Tensor, negatives: Tensor | None, sampled: Sequence[SamplingResult]
    ) -> VerifiedLabels | None:
        """What each sampled proposal may learn; None when that is everything.

        Args:
            slot: int64 [N], its image.
            negatives: bool [B, C]; None for all.
            sampled: one per image.
        """
        marks = [getattr(result, "neg_in_region", None) for result in sampled]
        if all(mark is None for mark in marks):
            return None if negatives is None else VerifiedLabels(slot, negatives)
        tail = self.bbox_head.loss_cls.is_tail
        if negatives is None:
            negatives = tail.new_ones((len(sampled), len(tail)))
        parts: list[Tensor] = []
        for result, mark in zip(sampled, marks, strict=True):
            none = tail.new_zeros(len(result.neg_inds))
            parts += [tail.new_zeros(len(result.pos_inds)), none if mark is None else mark]
        # to them the image is another one, on which only tail categories are verified
        slot = slot + len(sampled) * torch.cat(parts)
        return VerifiedLabels(slot, torch.cat([negatives, negatives & tail]))

    def mask_loss(
        self,
        x: tuple[Tensor, ...],
        sampling_results: list[SamplingResult],
        bbox_feats: Tensor,
        batch_gt_instances: list[InstanceData],
    ) -> dict[str, Any]:
        """As in StandardRoIHead, of the positives matched to objects with a mask.

        Args:
            x: feature maps, one [B, channels, H, W] per level.
            sampling_results: one per image.
            bbox_feats: float [N, channels, H, W], of every sampled proposal; used where box and
                mask head share their RoI extractor.
            batch_gt_instances: the objects: `masks`, and `has_mask` bool [G].

        Raises:
            InputError: the data pipeline loads no masks.
        """
        if any("masks" not in objects for objects in batch_gt_instances):
            raise InputError(
                "The model has a mask head and the training images come without masks. Set "
                "with_mask=True in LoadManifestAnnotations, or take the mask head out."
            )
        keep = [
            positives_with_mask(result, objects)
            for result, objects in zip(sampling_results, batch_gt_instances, strict=True)
        ]
        if not all(bool(kept.all()) for kept in keep):
            if self.share_roi_extractor:
                bbox_feats = bbox_feats[rows_of_positives(sampling_results, keep)]
            sampling_results = [
                only_positives(result, kept)
                for result, kept in zip(sampling_results, keep, strict=True)
            ]
        return super().mask_loss(x, sampling_results, bbox_feats, batch_gt_instances)
