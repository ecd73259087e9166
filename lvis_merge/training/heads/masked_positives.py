"""The positives that the mask branch learns from: those matched to objects that have a mask."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from mmdet.models.task_modules.samplers import SamplingResult
from mmengine.structures import InstanceData
from torch import Tensor

_OF_EACH_POSITIVE = (
    "pos_inds",
    "pos_priors",
    "pos_is_gt",
    "pos_assigned_gt_inds",
    "pos_gt_labels",
    "pos_gt_bboxes",
)


def positives_with_mask(sampled: SamplingResult, objects: InstanceData) -> Tensor:
    """Which positives of one image are matched to an object with a mask.

    Args:
        sampled: the image's sampled proposals, P of them positive.
        objects: the image's objects; `has_mask`, bool [G], absent where all have one.

    Returns:
        Bool [P].
    """
    of_object = sampled.pos_assigned_gt_inds.long()
    if "has_mask" not in objects:
        return torch.ones_like(of_object, dtype=torch.bool)
    return objects.has_mask.to(device=of_object.device, dtype=torch.bool)[of_object]


def only_positives(sampled: SamplingResult, keep: Tensor) -> SamplingResult:
    """A copy with these positives only; the negatives stay.

    Args:
        sampled: left as it is.
        keep: bool [P].
    """
    kept = copy.copy(sampled)
    for name in _OF_EACH_POSITIVE:
        setattr(kept, name, getattr(sampled, name)[keep])
    # as SamplingResult counts: never 0, the figures are divisors
    kept.num_pos = max(len(kept.pos_inds), 1)
    kept.avg_factor = kept.num_pos + (kept.num_neg if kept.avg_factor_with_neg else 0)
    return kept


def rows_of_positives(sampled: Sequence[SamplingResult], keep: Sequence[Tensor]) -> Tensor:
    """Which rows of the batch's proposals are left when only these positives are.

    Args:
        sampled: one per image.
        keep: bool [P] per image.

    Returns:
        Bool [N], over each image's positives, then its negatives, images in order.
    """
    parts: list[Tensor] = []
    for result, kept in zip(sampled, keep, strict=True):
        parts += [kept, kept.new_ones(len(result.neg_priors))]
    return torch.cat(parts)
