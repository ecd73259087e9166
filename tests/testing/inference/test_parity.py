"""One scale, not mirrored, is mmdet's own inference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from pycocotools import mask as coco_mask

from lvis_merge.evaluation import read_results
from lvis_merge.evaluation.known import Known
from lvis_merge.testing.inference.detector import label_space, trained_model
from lvis_merge.testing.inference.plan import RunPlan
from lvis_merge.testing.inference.run import run_test
from lvis_merge.training.recipe.build import build_dataset
from tests.testing.inference.conftest import PER_CLASS, Recipe

pytestmark = pytest.mark.slow


def of_mmdet(config: Any, checkpoint: Path, manifest: Path) -> dict[int, Any]:
    """mmdet's predictions by image."""
    model = trained_model(config, checkpoint, label_space(manifest)).eval()
    dataset = build_dataset(config.to_dict()["val_dataloader"], "val_dataloader")
    found = {}
    with torch.no_grad():
        for place in range(len(dataset)):
            sample = model.test_step(pseudo_collate([dataset[place]]))[0]
            found[sample.img_id] = sample.pred_instances
    return found


@pytest.mark.parametrize(
    "changes", [pytest.param((), id="one for all"), pytest.param(PER_CLASS, id="by category")]
)
def test_one_view_equals_mmdet(
    recipe: Recipe,
    checkpoint: Callable[[Any], Path],
    plan: Callable[..., RunPlan],
    demo_manifest: Path,
    changes: tuple[str, ...],
) -> None:
    """Boxes and scores to 1e-4, masks to an IoU of 0.99; as many of them."""
    config, loader = recipe((*changes, "val_dataloader.dataset.indices=4"))
    weights = checkpoint(config)
    outcome = run_test(plan(weights), config, loader)
    assert outcome is not None
    results = read_results(str(outcome.results), Known("none")).detections
    expected = of_mmdet(config, weights, demo_manifest)
    assert set(results.image_id) == set(expected)
    ids = np.array(label_space(demo_manifest).category_ids)
    overlaps = []
    for image_id, theirs in expected.items():
        ours = results.at(results.image_id == image_id)
        assert len(ours) == len(theirs) == 100
        assert (ours.category_id == ids[theirs.labels.numpy()]).all()
        assert np.allclose(ours.score, theirs.scores.numpy(), atol=1e-4)
        assert ours.bbox is not None
        corners = np.hstack([ours.bbox[:, :2], ours.bbox[:, :2] + ours.bbox[:, 2:]])
        assert np.allclose(corners, theirs.bboxes.numpy(), atol=1e-4 * 256)
        assert ours.mask is not None
        size = list(theirs.masks.shape[1:])
        mine = [{"size": size, "counts": text.encode()} for text in ours.mask.to_pylist()]
        masks = np.asfortranarray(theirs.masks.permute(1, 2, 0).numpy().astype(np.uint8))
        encoded = coco_mask.encode(masks)
        for one, other in zip(mine, encoded, strict=True):
            area = coco_mask.area(other)
            overlaps.append(1.0 if area == 0 else coco_mask.iou([one], [other], [0])[0, 0])
    assert min(overlaps) > 0.99
    assert sum(overlap < 1 for overlap in overlaps) <= len(overlaps) // 50
