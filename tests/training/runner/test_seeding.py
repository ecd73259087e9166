"""Seeds of an iteration: by its place alone, and different for every place."""

import random

import numpy as np
import torch

from lvis_merge.training.runner.seeding import seed_iteration


def drawn(seed: int, iteration: int, rank: int) -> tuple[float, float, float]:
    seed_iteration(seed, iteration, rank)
    return float(torch.rand(1, dtype=torch.float64)), np.random.rand(), random.random()


def test_by_its_place_alone() -> None:
    first = drawn(7, 3, 0)
    drawn(7, 4, 0)
    assert drawn(7, 3, 0) == first


def test_every_place_differs() -> None:
    """Also the three generators of one place: they must not draw the same numbers."""
    places = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2**40, 2**33, 63)]
    numbers = [number for place in places for number in drawn(*place)]
    assert len(set(numbers)) == len(numbers)
