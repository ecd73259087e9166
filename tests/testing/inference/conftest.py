"""A small Mask R-CNN with drawn weights whose scores are spread, and images to test it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from lvis_merge.testing.inference.plan import RunPlan
from lvis_merge.testing.inference.recipe import testing_recipe
from lvis_merge.training import register_all
from lvis_merge.training.recipe.build import build_model
from tests.training.conftest import (
    demo_folder,
    demo_image_roots,
    demo_manifest,
    own_cache,
    worker_id_or_master,
)

__all__ = [
    "demo_folder",
    "demo_image_roots",
    "demo_manifest",
    "own_cache",
    "worker_id_or_master",
]

PER_CLASS = (
    "model.roi_head.bbox_head.reg_class_agnostic=False",
    "model.roi_head.mask_head.class_agnostic=False",
)
"""A box regression and a mask for each category, as the large recipes have."""

Recipe = Callable[..., tuple[Any, dict[str, Any]]]


@pytest.fixture
def recipe(demo_manifest: Path, demo_image_roots: list[str]) -> Recipe:
    """Resolves `mini` with changes."""
    register_all()

    def resolved(changes: Sequence[str] = ()) -> tuple[Any, dict[str, Any]]:
        return testing_recipe("mini", demo_manifest, demo_image_roots, changes)

    return resolved


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes weights for a config."""

    def written(config: Any) -> Path:
        torch.manual_seed(5)
        model = build_model(config)
        model.init_weights()
        with torch.no_grad():
            # fresh heads give all boxes and categories about the same score, and flat masks
            model.roi_head.bbox_head.fc_cls.weight.normal_(std=0.05)
            model.roi_head.bbox_head.fc_cls.bias.fill_(-3)
            model.roi_head.bbox_head.fc_reg.weight.normal_(std=0.01)
            if model.roi_head.with_mask:
                model.roi_head.mask_head.conv_logits.weight.normal_(std=0.5)
        path = tmp_path / "weights.pth"
        torch.save({"state_dict": model.state_dict()}, path)
        return path

    return written


@pytest.fixture
def plan(
    demo_manifest: Path, demo_image_roots: list[str], tmp_path: Path
) -> Callable[..., RunPlan]:
    """A run on the val split."""

    def made(checkpoint: Path, out: str = "out", **changes: Any) -> RunPlan:
        common = {
            "checkpoint": checkpoint,
            "manifest": demo_manifest,
            "images": demo_manifest,
            "split": "val",
            "image_roots": tuple(demo_image_roots),
            "out": tmp_path / out,
        }
        return RunPlan(**{**common, **changes})

    return made
