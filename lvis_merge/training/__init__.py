"""Training on mmdet from manifests: dataset, sampler, losses, assigner, heads, backbone, runner.

Importing this package imports no torch; asking it for a class does. `register_all` puts every class
into mmdet's registries, under its own name, so that configs can name them.
"""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS = {
    "BackgroundIgnoreAssigner": "lvis_merge.training.assigners",
    "EqualizationLoss": "lvis_merge.training.losses",
    "LVISFederatedMetric": "lvis_merge.training.metric",
    "LoadManifestAnnotations": "lvis_merge.training.data",
    "LoadManifestImage": "lvis_merge.training.data",
    "ManifestBBoxHead": "lvis_merge.training.heads",
    "ManifestDataset": "lvis_merge.training.data",
    "ManifestRoIHead": "lvis_merge.training.heads",
    "ManifestRunner": "lvis_merge.training.runner",
    "PackManifestInputs": "lvis_merge.training.data",
    "RepeatFactorSampler": "lvis_merge.training.sampling",
    "ResumableIterLoop": "lvis_merge.training.runner",
    "SENet": "lvis_merge.training.backbones",
    "SigmoidBCELoss": "lvis_merge.training.losses",
    "SigmoidEQLv2Loss": "lvis_merge.training.losses",
}

__all__ = [*_EXPORTS, "register_all"]


def __getattr__(name: str) -> Any:
    """Imports a class when it is asked for."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def register_all() -> None:
    """Puts mmdet's classes and ours into the registries that configs are read by."""
    from mmdet.utils import register_all_modules

    register_all_modules(init_default_scope=True)
    for module in sorted(set(_EXPORTS.values())):
        importlib.import_module(module)
