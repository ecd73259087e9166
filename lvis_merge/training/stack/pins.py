"""The versions of the training stack that the tests ran on; `pyproject.toml` names the same."""

from __future__ import annotations

TORCH = "2.13.0"
"""Installed where there is no torch; another one that is there already is kept."""

MMCV = "2.3.6"
"""Of onedl-mmcv, the maintained line of mmcv: upstream's newest does not build with this torch."""

PINNED = {
    "onedl-mmengine": "0.10.12",
    "onedl-mmcv": MMCV,
    # upstream's 3.3 asserts mmcv < 2.2
    "onedl-mmdetection": "3.5.1",
}
"""All named: onedl-mmdetection requires neither mmcv nor mmengine."""

LOGS = "tensorboard>=2.18"

BUILD_TOOLS = ("setuptools>=80", "wheel", "packaging", "ninja")
"""What building mmcv's compiled ops takes, besides torch and a C++ compiler."""
