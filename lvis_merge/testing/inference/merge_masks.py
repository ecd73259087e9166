"""Masks of given boxes, averaged over the views of an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lvis_merge.testing.inference.network import Boxes, MaskNetwork, ViewFeatures
from lvis_merge.training.metric.image_detections import run_lengths

_BITMAPS_AT_ONCE = 64  # of 640 x 480 these take 20 MB


def mean_masks(network: MaskNetwork, views: Sequence[ViewFeatures], boxes: Boxes) -> Tensor:
    """The mask head on the same boxes at every view.

    Args:
        network: the detector.
        views: of one image.
        boxes: in pixels of the image.

    Returns:
        float32 [N, S, S]: the mean over the views of the probabilities (sigmoids) over each box,
        those of mirrored views mirrored back, all views with equal weights.
    """
    total: Tensor | None = None
    for view in views:
        logits = network.masks(view, view.frame.to_view(boxes.xyxy), boxes.labels)
        seen = logits.sigmoid()
        if view.frame.flipped:
            seen = seen.flip(dims=(2,))
        total = seen if total is None else total + seen
    assert total is not None
    return total / len(views)


def pasted_run_lengths(
    network: MaskNetwork, masks: Tensor, boxes_xyxy: Tensor, height: int, width: int
) -> list[bytes]:
    """Pastes masks into the image, once, and encodes them.

    Args:
        network: the detector.
        masks: float32 [N, S, S], probabilities over each box.
        boxes_xyxy: float [N, 4] in pixels of the image.
        height: of the image.
        width: of the image.

    Returns:
        N COCO compressed run lengths, height x width.
    """
    rows = torch.arange(len(masks), device=masks.device).split(_BITMAPS_AT_ONCE)
    return [
        counts
        for part in rows
        if len(part)
        for counts in run_lengths(network.pasted(masks[part], boxes_xyxy[part], height, width))
    ]
