"""What a model found on one image, small enough to keep for a whole split and to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from pycocotools import mask as coco_mask

from lvis_merge.evaluation.detections import MAX_DETECTIONS, Detections

_MASKS_AT_ONCE = 32  # a bitmap takes a byte a pixel: 300 of 640 x 480 are 92 MB


@dataclass(frozen=True)
class ImageDetections:
    """The N detections of one image.

    Attributes:
        image_id: of the manifest.
        labels: int32 [N], places among the manifest's categories.
        scores: float32 [N].
        boxes: float32 [N, 4], x1, y1, x2, y2 in pixels of the image as the manifest has it.
        masks: N COCO compressed run lengths, height x width of the image; None if masks are not
            scored.
    """

    image_id: int
    labels: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]
    masks: tuple[bytes, ...] | None

    def __len__(self) -> int:
        return len(self.labels)


def pack(image_id: int, found: Mapping[str, Any], with_masks: bool) -> ImageDetections:
    """Packs a model's predictions on one image.

    Only the best 300 are kept, as LVIS counts them, on ties the first; their order stays.

    Args:
        image_id: of the manifest.
        found: `bboxes` (float [N, 4], x1, y1, x2, y2), `scores` (float [N]), `labels` (int [N])
            and, if they are wanted, `masks` (bool [N, H, W]), in the frame of the manifest.
        with_masks: whether to keep the masks.

    Raises:
        KeyError: masks are wanted and the model gives none.
    """
    scores = found["scores"].detach().float().cpu().numpy()
    best = np.sort(np.argsort(-scores, kind="stable")[:MAX_DETECTIONS])
    rows = torch.from_numpy(best)
    masks = None
    if with_masks:
        bitmaps = torch.as_tensor(found["masks"])
        masks = tuple(
            counts
            for part in rows.split(_MASKS_AT_ONCE)
            for counts in run_lengths(bitmaps[part.to(bitmaps.device)])
        )
    return ImageDetections(
        image_id=image_id,
        labels=found["labels"].cpu().numpy()[best].astype(np.int32),
        scores=scores[best],
        boxes=found["bboxes"].detach().float().cpu().numpy()[best],
        masks=masks,
    )


def detections_of(
    found: Sequence[ImageDetections],
    category_ids: npt.NDArray[np.int64],
    with_boxes: bool,
) -> Detections:
    """The columns that the evaluation reads.

    Args:
        found: of any number of images.
        category_ids: int64 [C], the category of each label.
        with_boxes: whether boxes are scored.

    Returns:
        The detections in the order given, boxes as x, y, w, h. Differences of corners are taken in
        float64, as the results file's reader would.
    """
    counts = [len(image) for image in found]
    image_ids = np.array([image.image_id for image in found], np.int64)
    corners = _joined([image.boxes for image in found], (0, 4)).astype(np.float64)
    masked = bool(found) and found[0].masks is not None
    return Detections(
        entry=np.arange(1, sum(counts) + 1),
        image_id=np.repeat(image_ids, counts),
        category_id=category_ids[_joined([image.labels for image in found], (0,)).astype(np.int64)],
        score=_joined([image.scores for image in found], (0,)).astype(np.float64),
        bbox=np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]) if with_boxes else None,
        mask=pa.array(
            [counts.decode("ascii") for image in found for counts in image.masks or ()],
            pa.large_string(),
        )
        if masked
        else None,
    )


def run_lengths(bitmaps: torch.Tensor) -> list[bytes]:
    """N bitmaps, bool [N, H, W], as COCO compressed run lengths."""
    if not len(bitmaps):
        return []
    columns_first = np.asfortranarray(bitmaps.to(torch.uint8).cpu().permute(1, 2, 0).numpy())
    return [run["counts"] for run in coco_mask.encode(columns_first)]


def _joined(parts: Sequence[npt.NDArray[Any]], empty: tuple[int, ...]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(empty)
