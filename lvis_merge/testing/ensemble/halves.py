"""Two halves of the images, the same for the same images everywhere."""

from __future__ import annotations

import hashlib

import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.evaluation.pairs import Ints


def halves(image_ids: Ints, truth: str) -> tuple[Ints, Ints]:
    """Halves images by the sha256 of their ids, written in decimal: the lower half, the upper one.

    Args:
        image_ids: int64 [I], ascending.
        truth: where they come from, for messages.

    Returns:
        Two int64, positions, ascending.

    Raises:
        InputError: there is only one image.
    """
    if len(image_ids) < 2:
        raise InputError(
            f"{truth}: has one image. A fit needs two at least, one to fit on and one to score."
        )
    digests = [hashlib.sha256(str(i).encode()).digest() for i in image_ids.tolist()]
    order = np.array(sorted(range(len(digests)), key=digests.__getitem__))
    middle = len(order) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])
