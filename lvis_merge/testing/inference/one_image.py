"""One image at all its views: boxes, pool and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lvis_merge.evaluation.detections import Detections
from lvis_merge.testing.inference.journal import ImageRecord
from lvis_merge.testing.inference.merge_masks import mean_masks, pasted_run_lengths
from lvis_merge.testing.inference.merge_views import merge_views
from lvis_merge.testing.inference.network import Boxes, Network, ViewFeatures


@dataclass(frozen=True)
class Views:
    """One image, as the pipeline gives it.

    Attributes:
        inputs: a packed image per view, uint8 [3, H, W].
        samples: a data sample per view.
    """

    inputs: Sequence[Tensor]
    samples: Sequence[Any]

    @property
    def image_id(self) -> int:
        """Of the manifest."""
        return int(self.samples[0].metainfo["img_id"])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image, pixels."""
        height, width = self.samples[0].metainfo["ori_shape"][:2]
        return int(height), int(width)


@dataclass(frozen=True)
class Wanted:
    """What is kept of an image.

    Attributes:
        category_ids: int64 [C], by label.
        results: results at most.
        pool: boxes before that cap.
        masks: whether results get masks.
    """

    category_ids: np.ndarray
    results: int
    pool: int
    masks: bool


def found_on_image(network: Network, views: Views, wanted: Wanted) -> ImageRecord:
    """Finds boxes at every view, merges them, and gives the best their masks.

    Args:
        network: the detector.
        views: of one image.
        wanted: what is kept.
    """
    found, features = [], []
    for view, sample in zip(views.inputs, views.samples, strict=True):
        seen = network.features(view, sample)
        boxes = network.boxes(seen)
        found.append(Boxes(seen.frame.to_image(boxes.xyxy), boxes.scores, boxes.labels))
        if wanted.masks:
            features.append(seen)
    merged = merge_views(found, wanted.pool)
    best = Boxes(*(part[: wanted.results] for part in (merged.xyxy, merged.scores, merged.labels)))
    masks = _masks(network, features, best, views.size) if wanted.masks else []
    corners = merged.xyxy.cpu().numpy().astype(np.float64)
    detections = Detections(
        entry=np.arange(1, len(merged) + 1),
        image_id=np.full(len(merged), views.image_id),
        category_id=wanted.category_ids[merged.labels.cpu().numpy()],
        score=merged.scores.cpu().numpy().astype(np.float64),
        bbox=np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]),
        mask=None,
    )
    return ImageRecord.of(views.image_id, detections, len(best), masks)


def masks_on_image(
    network: Network, views: Views, given: Detections, category_ids: np.ndarray, device: Any
) -> ImageRecord:
    """Gives the boxes of a results file their masks; boxes and scores stay to the digit.

    Args:
        network: the detector.
        views: of one image.
        given: its boxes.
        category_ids: int64 [C], ascending: the category of each label.
        device: where the network runs.
    """
    assert given.bbox is not None
    corners = np.hstack([given.bbox[:, :2], given.bbox[:, :2] + given.bbox[:, 2:]])
    boxes = Boxes(
        torch.from_numpy(corners.astype(np.float32)).to(device),
        torch.from_numpy(given.score.astype(np.float32)).to(device),
        torch.from_numpy(np.searchsorted(category_ids, given.category_id)).to(device),
    )
    features = []
    if len(boxes):
        pairs = zip(views.inputs, views.samples, strict=True)
        features = [network.features(view, sample) for view, sample in pairs]
    masks = _masks(network, features, boxes, views.size)
    return ImageRecord.of(views.image_id, given, len(given), masks)


def _masks(
    network: Network, features: Sequence[ViewFeatures], boxes: Boxes, size: tuple[int, int]
) -> list[bytes]:
    if not len(boxes):
        return []
    keys = boxes.xyxy
    if network.mask_per_category:
        keys = torch.column_stack([keys, boxes.labels])
    # where neither boxes nor masks depend on the category, a proposal that is found as several
    # gives the same box, and so the same mask, several times
    _, first, place = np.unique(keys.cpu().numpy(), axis=0, return_index=True, return_inverse=True)
    chosen = torch.from_numpy(first).to(keys.device)
    distinct = Boxes(boxes.xyxy[chosen], boxes.scores[chosen], boxes.labels[chosen])
    masks = mean_masks(network, features, distinct)
    run_lengths = pasted_run_lengths(network, masks, distinct.xyxy, *size)
    return [run_lengths[row] for row in place.reshape(-1)]
