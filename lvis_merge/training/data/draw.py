"""What a sampler asks a dataset for."""

from __future__ import annotations

from typing import NamedTuple


class Draw(NamedTuple):
    """One draw of the endless chain of samples.

    Attributes:
        index: of the image in the dataset.
        position: place of the draw in the chain over all ranks, from 0; what is random about the
            sample follows from it, so the same draw gives the same sample in any process.
    """

    index: int  # type: ignore[assignment]  # a tuple's method of that name is never asked for
    position: int
