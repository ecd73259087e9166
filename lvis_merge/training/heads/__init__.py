"""Heads: RPN, box and mask branches that learn from manifests."""

from __future__ import annotations

from lvis_merge.training.heads.bbox_head import ManifestBBoxHead
from lvis_merge.training.heads.roi_head import ManifestRoIHead
from lvis_merge.training.heads.rpn_head import ManifestRPNHead

__all__ = ["ManifestBBoxHead", "ManifestRPNHead", "ManifestRoIHead"]
