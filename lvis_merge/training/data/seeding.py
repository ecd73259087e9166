"""Random numbers of one sample, the same in any process and after any other sample."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.random import mtrand  # numpy.random has its functions, and its stubs do not say so


@contextmanager
def seeded(*entropy: int) -> Iterator[None]:
    """Seeds `random`, `numpy.random` and torch's CPU generator for the block, then restores them.

    numpy gets another bit generator meanwhile, as saving and setting the state of its own takes
    longer than many a transform; of its state a second normal number kept in hand is lost. CUDA
    generators are left alone: no transform uses them, and the model's own random numbers must not
    depend on the data.

    Args:
        entropy: numbers from 0; mixed by numpy's SeedSequence, so that neighbours have nothing in
            common.
    """
    python, arrays = random.getstate(), mtrand.get_bit_generator()
    tensors = torch.get_rng_state()
    sequence = np.random.SeedSequence(entropy)
    words = sequence.generate_state(12, np.uint32)[8:]  # the first eight are PCG64's
    random.seed(words[:2].tobytes())
    torch.default_generator.manual_seed(int(words[2]) << 32 | int(words[3]))
    mtrand.set_bit_generator(np.random.PCG64(sequence))
    try:
        yield
    finally:
        random.setstate(python)
        mtrand.set_bit_generator(arrays)
        torch.set_rng_state(tensors)
