"""Which categories an image may teach as absent: federated labels in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class VerifiedLabels:
    """The verified categories of a batch's proposals.

    Category j may be learnt at proposal i if it is the proposal's own, or if
    `negatives[slot[i], j]`.

    Attributes:
        slot: int64 [N], which image of the batch each proposal is of.
        negatives: bool [B, C], whether a proposal of that image is a negative of the category if it
            is not on an object of it.
    """

    slot: Tensor
    negatives: Tensor


def negatives_of(
    metas: Sequence[Mapping[str, Any]],
    num_classes: int,
    verified_sources: Sequence[str],
    device: torch.device | str | None = None,
) -> Tensor:
    """The categories that each image's proposals may be negatives of.

    On an image of a verified source these are the categories verified absent, and those verified
    present that are annotated exhaustively; on an image of any other source, all.

    Args:
        metas: of the images: `source`; of those of a verified source also `neg_labels`,
            `pos_labels` and `not_exhaustive_labels` (int64, labels 0..C-1).
        num_classes: C.
        verified_sources: names of manifest sources.
        device: where the result goes; None: the CPU.

    Returns:
        bool [B, C].
    """
    negatives = np.ones((len(metas), num_classes), bool)
    for row, meta in zip(negatives, metas, strict=True):
        if meta["source"] in verified_sources:
            row[:] = False
            row[np.asarray(meta["pos_labels"], np.int64)] = True
            row[np.asarray(meta["not_exhaustive_labels"], np.int64)] = False
            row[np.asarray(meta["neg_labels"], np.int64)] = True
    return torch.as_tensor(negatives, device=device)
