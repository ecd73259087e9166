"""Classification losses of sigmoid heads, and the labels that people verified."""

from __future__ import annotations

from lvis_merge.training.losses.bce import SigmoidBCELoss
from lvis_merge.training.losses.eqlv2 import SigmoidEQLv2Loss
from lvis_merge.training.losses.equalization import EqualizationLoss
from lvis_merge.training.losses.verified import VerifiedLabels, negatives_of

__all__ = [
    "EqualizationLoss",
    "SigmoidBCELoss",
    "SigmoidEQLv2Loss",
    "VerifiedLabels",
    "negatives_of",
]
