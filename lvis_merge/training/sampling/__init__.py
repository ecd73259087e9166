"""Which image comes when: repeat factors and the endless sampler that follows them."""

from __future__ import annotations

from lvis_merge.training.sampling.repeat_factors import epoch_indices, image_repeat_factors
from lvis_merge.training.sampling.sampler import RepeatFactorSampler

__all__ = ["RepeatFactorSampler", "epoch_indices", "image_repeat_factors"]
