"""Ignore regions that take away background proposals and nothing else."""

from __future__ import annotations

from typing import Any, Literal

import torch
from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps, get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from lvis_merge.errors import InputError

# Proposal-region pairs compared at a time: some 80 MB of float32 intermediates. Anchors of a large
# image under a hundred regions are 30 million pairs.
_PAIRS_AT_A_TIME = 1 << 21


@TASK_UTILS.register_module()
class BackgroundIgnoreAssigner(MaxIoUAssigner):
    """MaxIoUAssigner whose ignore regions exclude background proposals only.

    A proposal that ended up with no object (`gt_inds == 0`, low-quality matches included) and lies
    in an ignore region becomes ignored (`gt_inds == -1`): no sampler takes it. Every other proposal
    is as MaxIoUAssigner left it, ignored ones between its two thresholds included.

    mmdet's own `ignore_iof_thr` acts before the matching: it erases the positives inside a region
    too, and does nothing on an image without objects. It is never switched on here.

    Works for anchors (RPN) and proposals (R-CNN), on images without objects, on tensors and on box
    types. Boxes are x1, y1, x2, y2 in pixels of the network's input.

    Args:
        pos_iou_thr: as in MaxIoUAssigner.
        neg_iou_thr: as in MaxIoUAssigner.
        min_pos_iou: as in MaxIoUAssigner.
        gt_max_assign_all: as in MaxIoUAssigner.
        ignore_iof_thr: a background proposal is ignored when its overlap with one region is above
            this; negative: never.
        ignore_wrt_candidates: True; the overlap is a share of the proposal, not of the region.
        match_low_quality: as in MaxIoUAssigner.
        gpu_assign_thr: as in MaxIoUAssigner.
        iou_calculator: as in MaxIoUAssigner; of the matching to objects only.
        perm_repeat_gt_cfg: as in MaxIoUAssigner.
        ignore_metric: `iof`, |proposal ∩ region| / |proposal|, or `iou`, under which the region of
            a big thing (a bed, a person) leaves the small negatives inside it.

    Raises:
        InputError: an unknown `ignore_metric`, a threshold of 1 or more (which would ignore
            nothing), or `ignore_wrt_candidates=False`.
    """

    def __init__(
        self,
        pos_iou_thr: float,
        neg_iou_thr: float | tuple[float, float],
        min_pos_iou: float = 0.0,
        gt_max_assign_all: bool = True,
        ignore_iof_thr: float = 0.5,
        ignore_wrt_candidates: bool = True,
        match_low_quality: bool = True,
        gpu_assign_thr: float = -1,
        iou_calculator: dict[str, Any] | None = None,
        perm_repeat_gt_cfg: dict[str, Any] | None = None,
        *,
        ignore_metric: Literal["iof", "iou"] = "iof",
    ) -> None:
        if ignore_metric not in ("iof", "iou"):
            raise InputError(
                f"BackgroundIgnoreAssigner: ignore_metric is {ignore_metric!r}; use 'iof' or 'iou'."
            )
        if ignore_iof_thr >= 1:
            raise InputError(
                f"BackgroundIgnoreAssigner: ignore_iof_thr is {ignore_iof_thr}; no overlap is "
                "above 1. Use a value below 1, or -1 to switch the regions off."
            )
        if not ignore_wrt_candidates:
            raise InputError(
                "BackgroundIgnoreAssigner: ignore_wrt_candidates=False is not supported: the "
                "overlap is measured against the proposal. Leave the option out."
            )
        super().__init__(
            pos_iou_thr=pos_iou_thr,
            neg_iou_thr=neg_iou_thr,
            min_pos_iou=min_pos_iou,
            gt_max_assign_all=gt_max_assign_all,
            ignore_iof_thr=-1,
            match_low_quality=match_low_quality,
            gpu_assign_thr=gpu_assign_thr,
            iou_calculator=iou_calculator or {"type": "BboxOverlaps2D"},
            perm_repeat_gt_cfg=perm_repeat_gt_cfg,
        )
        self.background_ignore_thr = ignore_iof_thr
        self.ignore_metric = ignore_metric

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: Any,
    ) -> AssignResult:
        """Assigns proposals to objects, then takes background out of the ignore regions.

        Args:
            pred_instances: `priors`, [N, 4].
            gt_instances: `bboxes`, [G, 4], and `labels`, int64 [G]; G may be 0.
            gt_instances_ignore: the ignore regions, `bboxes` [R, 4]; None or empty for none.
            **kwargs: passed on.

        Returns:
            mmdet's AssignResult; `gt_inds` int64 [N]: 1-based object, 0 background, -1 ignored. Its
            extra properties: `in_region`, bool [N], the background proposals that the regions took
            away, and `num_ignored`, how many they are, an int64 tensor of no dimensions.
        """
        result = super().assign(pred_instances, gt_instances, None, **kwargs)
        background = (result.gt_inds == 0).nonzero().squeeze(1)
        inside = self._inside(pred_instances, background, gt_instances_ignore)
        in_region = torch.zeros_like(result.gt_inds, dtype=torch.bool)
        in_region[background[inside]] = True
        result.gt_inds[in_region] = -1
        result.set_extra_property("in_region", in_region)
        result.set_extra_property("num_ignored", inside.sum())
        return result

    def _inside(
        self, pred_instances: InstanceData, rows: Tensor, regions: InstanceData | None
    ) -> Tensor:
        """Bool [len(rows)]: these proposals overlap one region by more than the threshold."""
        inside = torch.zeros_like(rows, dtype=torch.bool)
        if self.background_ignore_thr < 0 or regions is None or not len(regions) or not len(rows):
            return inside
        proposals = get_box_tensor(pred_instances.priors)[rows, :4]
        # half types to float32: an area of 256 x 256 pixels is past their range
        proposals = proposals.to(torch.promote_types(proposals.dtype, torch.float32))
        boxes = get_box_tensor(regions.bboxes).to(proposals)
        step = max(1, _PAIRS_AT_A_TIME // len(boxes))
        for start in range(0, len(rows), step):
            overlaps = bbox_overlaps(proposals[start : start + step], boxes, self.ignore_metric)
            inside[start : start + step] = (overlaps > self.background_ignore_thr).any(dim=1)
        return inside
