"""Backbones that mmdet has not."""

from lvis_merge.training.backbones.senet import SENet

__all__ = ["SENet"]
