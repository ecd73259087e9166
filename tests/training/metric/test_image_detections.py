"""Packing what a model found."""

from __future__ import annotations

import pickle

import numpy as np
import torch
from pycocotools import mask as coco_mask

from lvis_merge.training.metric import detections_of, pack


def found(count: int) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(1)
    corners = torch.rand(count, 4, generator=chance) * 50
    corners[:, 2:] += corners[:, :2]
    return {
        "bboxes": corners,
        "scores": (torch.rand(count, generator=chance) * 20).round() / 20,  # many are equal
        "labels": torch.randint(0, 3, (count,), generator=chance),
        "masks": torch.rand(count, 30, 40, generator=chance) > 0.7,
    }


def test_keeps_the_best_300_in_order() -> None:
    """On ties the first, as the evaluation's own cap does."""
    all_of_them = found(340)
    scores = all_of_them["scores"].tolist()
    best = sorted(sorted(range(340), key=lambda place: -scores[place])[:300])
    kept = pack(7, all_of_them, with_masks=True)
    assert (kept.image_id, len(kept)) == (7, 300)
    assert kept.scores.tolist() == all_of_them["scores"][best].tolist()
    assert kept.labels.tolist() == all_of_them["labels"][best].tolist()
    assert kept.boxes.tolist() == all_of_them["bboxes"][best].tolist()
    assert kept.masks is not None
    for counts, place in zip(kept.masks, best, strict=True):
        bitmap = coco_mask.decode({"size": [30, 40], "counts": counts})
        assert np.array_equal(bitmap, all_of_them["masks"][place].numpy())


def test_small_enough_to_send() -> None:
    """Run lengths, not bitmaps (92 MB), and nothing that hangs on to the model's tensors."""
    blank = {**found(300), "masks": torch.zeros(300, 480, 640, dtype=torch.bool)}
    blank["masks"][:, 100:200, 100:300] = True
    assert len(pickle.dumps(pack(1, blank, with_masks=True))) < 200_000


def test_half_precision() -> None:
    """Scores and boxes of a model under autocast."""
    halves = {name: value.half() if value.is_floating_point() else value
              for name, value in found(5).items()}  # fmt: skip
    kept = pack(1, halves, with_masks=False)
    assert (kept.scores.dtype, kept.boxes.dtype) == (np.float32, np.float32)
    assert kept.masks is None


def test_columns() -> None:
    """Labels become category ids, corners become sides; images without detections add nothing."""
    one, other = found(2), found(3)
    images = [pack(5, one, True), pack(6, found(0), True), pack(9, other, True)]
    columns = detections_of(images, np.array([10, 20, 40]), with_boxes=True)
    assert columns.entry.tolist() == [1, 2, 3, 4, 5]
    assert columns.image_id.tolist() == [5, 5, 9, 9, 9]
    labels = [*one["labels"].tolist(), *other["labels"].tolist()]
    assert columns.category_id.tolist() == [[10, 20, 40][label] for label in labels]
    assert columns.bbox is not None
    x1, y1, x2, y2 = other["bboxes"][1].tolist()
    assert columns.bbox[3].tolist() == [x1, y1, x2 - x1, y2 - y1]
    assert columns.mask is not None
    assert len(columns.mask) == 5


def test_no_image_at_all() -> None:
    columns = detections_of([], np.array([10]), with_boxes=True)
    assert len(columns) == 0
    assert columns.bbox is not None
    assert columns.bbox.shape == (0, 4)
