"""FiftyOne's shuffling is even, for LVIS's small ids and for Open Images' large ones."""

from __future__ import annotations

import numpy as np
import pytest

from lvis_merge.inspect.shuffling import scattered


@pytest.mark.parametrize("first", [0, 2**52], ids=["lvis", "open_images"])
def test_numbers_are_spread_evenly(first: int) -> None:
    found = np.array([scattered(first + 3 * place) for place in range(2000)])
    assert ((found >= 0) & (found < 1)).all()
    counts = np.histogram(found, bins=20, range=(0, 1))[0]
    assert counts.min() > 80
    assert counts.max() < 120
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.7  # neighbours land apart
