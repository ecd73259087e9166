"""Setting up torch and mmdet, with mmcv's compiled ops; imports none of them."""

from __future__ import annotations

from lvis_merge.training.stack.install import SETUP_COMMAND, fault, install

__all__ = ["SETUP_COMMAND", "fault", "install"]
