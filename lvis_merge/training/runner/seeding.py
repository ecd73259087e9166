"""Seeds of one iteration, so that a resumed run draws what an uninterrupted one would have."""

from __future__ import annotations

import random

import numpy as np
import torch

_TORCH_SEED_BITS = 63


def seed_iteration(seed: int, iteration: int, rank: int) -> None:
    """Seeds `random`, `numpy.random` and torch (CPU and GPUs) for one iteration of one process.

    Sampling of proposals and dropout then depend on nothing that came before. The three generators
    get independent words of one `numpy.random.SeedSequence`.

    Args:
        seed: of the run, >= 0.
        iteration: counted from 0; one batch each, also with gradient accumulation.
        rank: of this process in the run.
    """
    words = np.random.SeedSequence((seed, iteration, rank)).generate_state(3, np.uint64)
    torch.manual_seed(int(words[0] >> np.uint64(64 - _TORCH_SEED_BITS)))
    np.random.seed(int(words[1] >> np.uint64(32)))
    random.seed(int(words[2]))
