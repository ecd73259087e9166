"""Which categories the proposals of an image may be negatives of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lvis_merge.training.losses import negatives_of


def meta(source: str, neg: list[int], pos: list[int], not_exhaustive: list[int]) -> dict[str, Any]:
    """An image's lists as the data pipeline packs them."""
    return {
        "source": source,
        "neg_labels": np.array(neg, np.int64),
        "pos_labels": np.array(pos, np.int64),
        "not_exhaustive_labels": np.array(not_exhaustive, np.int64),
    }


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        # verified absent, and present with every instance boxed
        (meta("open_images", [0], [2, 3], [3]), [True, False, True, False, False]),
        # no lists: nothing is known
        (meta("open_images", [], [], []), [False] * 5),
        # LVIS is not among the verified sources: a proposal off an object is a negative of all
        (meta("lvis", [0], [2, 3], [3]), [True] * 5),
    ],
)
def test_negatives_are_verified_absent_or_exhaustively_present(
    image: dict[str, Any], expected: list[bool]
) -> None:
    negatives = negatives_of([image, image], 5, ("open_images",))
    assert negatives.tolist() == [expected] * 2
    assert negatives.dtype == torch.bool


def test_without_a_verified_source_the_lists_are_not_looked_at() -> None:
    assert negatives_of([{"source": "open_images"}], 3, (), "cpu").tolist() == [[True] * 3]


def test_no_images() -> None:
    assert negatives_of([], 3, ("lvis",)).shape == (0, 3)
