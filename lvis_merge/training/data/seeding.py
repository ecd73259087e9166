"""Random numbers of one sample, the same in any process and after any other sample."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(*entropy: int) -> Iterator[None]:
    """Seeds `random`, `numpy.random` and torch's CPU generator for the block, then restores them.

    CUDA generators are left alone: no transform uses them, and the model's own random numbers must
    not depend on the data.

    Args:
        entropy: numbers from 0; mixed by numpy's SeedSequence, so that neighbours have nothing in
            common.
    """
    python, arrays, tensors = random.getstate(), np.random.get_state(), torch.get_rng_state()
    words = np.random.SeedSequence(entropy).generate_state(8, np.uint32)
    random.seed(words[:2].tobytes())
    torch.default_generator.manual_seed(int(words[2]) << 32 | int(words[3]))
    np.random.seed(words[4:])
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)
        torch.set_rng_state(tensors)
