"""Boxes of several views as one set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lvis_merge.testing.fusion.nms import IOU, kept_by_nms
from lvis_merge.testing.fusion.overlaps import overlapping_pairs
from lvis_merge.testing.inference.network import Boxes


def merge_views(views: Sequence[Boxes], most: int) -> Boxes:
    """Pools the boxes of several views; of those that overlap, the best of a category stays.

    Class-wise NMS at an IoU of 0.5, in float64 and without the offsets by class of mmcv's
    `batched_nms`, which cost float32 a quarter of a pixel at 1,230 classes. What one view gives has
    been through NMS and stays as it is.

    Args:
        views: boxes in pixels of the image.
        most: how many stay at most: the highest scores, on ties those of the first view.

    Returns:
        From the highest score.
    """
    xyxy, scores, labels = (
        torch.cat([getattr(view, name) for view in views]) for name in ("xyxy", "scores", "labels")
    )
    score = scores.cpu().numpy()
    stays = _kept(xyxy, score, labels) if len(views) > 1 else np.ones(len(score), np.bool_)
    rows = np.flatnonzero(stays)
    rows = rows[np.argsort(-score[rows], kind="stable")][:most]
    chosen = torch.from_numpy(rows).to(xyxy.device)
    return Boxes(xyxy[chosen], scores[chosen], labels[chosen])


def _kept(xyxy: Tensor, score: np.ndarray, labels: Tensor) -> np.ndarray:
    corners = xyxy.cpu().numpy().astype(np.float64)
    boxes_xywh = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    category = labels.cpu().numpy().astype(np.int32)
    one, other = overlapping_pairs(np.zeros_like(category), category, boxes_xywh, IOU)
    return kept_by_nms(one, other, score)
