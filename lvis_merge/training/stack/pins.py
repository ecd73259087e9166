"""The versions of the training stack that the tests ran on; `pyproject.toml` names the same."""

from __future__ import annotations

TORCH = "2.13.0"
MMCV = "2.3.6"
"""Of onedl-mmcv, the maintained line of mmcv: upstream's newest does not build with this torch."""
MMENGINE = "0.10.12"
MMDET = "3.5.1"
"""Of onedl-mmdetection; upstream's 3.3 asserts mmcv < 2.2."""

REQUIREMENTS = (
    f"torch=={TORCH}",
    f"onedl-mmengine=={MMENGINE}",
    f"onedl-mmcv=={MMCV}",
    f"onedl-mmdetection=={MMDET}",
    # in-training logs; needs no TensorFlow
    "tensorboard>=2.18",
)
"""All named: onedl-mmdetection requires neither mmcv nor mmengine, and mmcv no torch."""

BUILD_TOOLS = ("setuptools>=80", "wheel", "packaging", "ninja")
"""What building mmcv's compiled ops takes, besides torch and a C++ compiler."""
