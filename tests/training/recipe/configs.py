"""A recipe of the right shape, small enough to read."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config


def small_config(**changes: Any) -> Config:
    """A recipe as `load_recipe` returns it, with some top-level variables changed."""
    tree = {
        "label_space": "lvis",
        "device": "any",
        "total_batch": 4,
        "accumulate": 1,
        "seed": 0,
        "amp": False,
        "sync_bn": False,
        "model": {
            "backbone": {"type": "ResNet", "norm_cfg": {"type": "SyncBN", "requires_grad": True}},
            "roi_head": {
                "bbox_head": {
                    "num_classes": "<num_classes>",
                    "loss_cls": {"type": "EqualizationLoss", "manifest": "<manifest>"},
                },
                "mask_head": {"num_classes": "<num_classes>"},
            },
        },
        "train_dataloader": {
            "num_workers": 2,
            "persistent_workers": True,
            "prefetch_factor": 4,
            "sampler": {"type": "RepeatFactorSampler", "seed": "<seed>"},
            "dataset": {
                "type": "ManifestDataset",
                "manifest": "<manifest>",
                "image_roots": "<image_roots>",
            },
        },
        "val_dataloader": {"num_workers": 2, "dataset": {"manifest": "<manifest>"}},
        "val_cfg": {},
        "val_evaluator": [{"type": "LVISFederatedMetric", "metric": ("bbox", "segm")}],
        "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.02}},
        "param_scheduler": [{"type": "MultiStepLR", "milestones": [6, 8], "by_epoch": False}],
        "train_cfg": {"max_iters": 9, "val_interval": 3},
        "default_hooks": {"checkpoint": {"interval": 3, "save_best": "lvis/segm_AP"}},
        "custom": {"place": ["<work_dir>", "<unknown>"]},
    }
    return Config({**tree, **changes}, cfg_text="as written", filename="/somewhere/small.py")
