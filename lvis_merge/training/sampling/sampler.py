"""The sampler of repeat factor sampling: an endless chain of epochs, the same on every rank."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from lvis_merge.errors import InputError
from lvis_merge.merge.rules import REPEAT_THRESHOLD
from lvis_merge.training.data.draw import Draw
from lvis_merge.training.sampling.repeat_factors import (
    epoch_indices,
    epoch_length,
    image_repeat_factors,
)


@DATA_SAMPLERS.register_module()
class RepeatFactorSampler(Sampler):
    """Draws images by their repeat factors, without end (Gupta et al. 2019, LVIS, section 4).

    Epochs of stochastically rounded repeat factors follow each other in one chain. A draw's
    position is its place in that chain, whatever the number of ranks: rank r of W yields the
    positions r, r + W, …, so that the ranks' k-th batches together are one stretch of the chain.

    mmengine's `ClassBalancedDataset` is another thing: it rounds up, once.

    Args:
        dataset: has `object_image` and `object_label` (int64 [O]: image index and label of every
            object, before any box filter), `image_source` (str [I]) and `num_classes`.
        repeat_threshold: t of `r(c) = max(1, sqrt(t / f(c)))`.
        rfs_counts: `merged` or `lvis`: whose images f is counted on.
        source_weight: a factor on r(I) by source; None: 1 for all.
        shuffle: whether an epoch's order is random.
        seed: of rounding and order, >= 0, equal on all ranks; None draws one that the ranks share,
            and the chain is then another in each run.
        batch_size: draws a rank takes per iteration; if given, `skip_to` accepts whole iterations
            only.

    Attributes:
        repeat_factors: float64 [I].
        expected_epoch_length: the mean number of draws of an epoch, over all ranks.

    Raises:
        InputError: an option that cannot be used, or one that leaves nothing to draw.
    """

    def __init__(
        self,
        dataset: Any,
        repeat_threshold: float = REPEAT_THRESHOLD,
        rfs_counts: str = "merged",
        source_weight: Mapping[str, float] | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.rank, self.world_size = get_dist_info()
        self.shuffle = shuffle
        self.seed: int = sync_random_seed() if seed is None else seed
        self.batch_size = batch_size
        self.repeat_factors = image_repeat_factors(
            dataset.object_image,
            dataset.object_label,
            dataset.image_source,
            dataset.num_classes,
            repeat_threshold,
            rfs_counts,
            source_weight,
        )
        self.expected_epoch_length = float(self.repeat_factors.sum())
        # below one draw an epoch the chain is mostly empty epochs, at 0 nothing else
        if self.expected_epoch_length < 1:
            raise InputError(
                f"RepeatFactorSampler: {self.expected_epoch_length:.3g} draws an epoch from"
                f" {len(self.repeat_factors)} images: nothing to train on. Raise source_weight, or"
                " give the dataset images with objects."
            )
        self._start = 0

    def __len__(self) -> int:
        """The mean number of draws of an epoch on one rank, rounded up; iterating does not end."""
        return math.ceil(self.expected_epoch_length / self.world_size)

    def skip_to(self, position: int) -> None:
        """Lets the next iterator start at a place of the chain, as if all before had been drawn.

        Costs one pass over the repeat factors for each epoch skipped, and no image.

        Args:
            position: the first position that the ranks together have yet to draw.

        Raises:
            ValueError: `position` is no whole number of steps of all ranks.
        """
        step = self.world_size * (self.batch_size or 1)
        if position < 0 or position % step:
            raise ValueError(f"position {position} is not a multiple of {step}")
        self._start = position

    def skip(self, num_samples: int) -> None:
        """`skip_to` as mmengine's own loops call it on resume.

        Args:
            num_samples: draws that each rank has taken since the start of the chain.
        """
        self.skip_to(num_samples * self.world_size)

    def __iter__(self) -> Iterator[Draw]:
        """This rank's draws, from where `skip_to` said."""
        position = self._start + self.rank
        for first, epoch in self._epochs(self._start):
            indices = epoch_indices(self.repeat_factors, self.seed, epoch, self.shuffle)
            for index in indices[position - first :: self.world_size].tolist():
                yield Draw(index, position)
                position += self.world_size

    def _epochs(self, start: int) -> Iterator[tuple[int, int]]:
        """(first position, number) of each epoch, from the one that holds `start`."""
        first = epoch = 0
        while True:
            end = first + epoch_length(self.repeat_factors, self.seed, epoch)
            if end > start:
                yield first, epoch
            first = end
            epoch += 1
