"""The shortlist gives what a selection among all candidates gives."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from lvis_merge.merge import shortlist as shortlist_module
from lvis_merge.merge.selection import Candidates
from lvis_merge.merge.shortlist import Shortlist, first_depth
from tests.merge.test_selection import Candidate, select, table_of

CATEGORIES = 6


def drawn(rng: Random, number: int) -> list[Candidate]:
    """Categories of a long tail, some only ever together with a frequent one."""
    found = []
    for place in range(number):
        weights = [1 / (1 + category) ** 2 for category in range(CATEGORIES)]
        categories = set(rng.choices(range(CATEGORIES), weights, k=rng.randint(1, 3)))
        if 4 in categories:
            categories.add(0)
        flagged = rng.choice([0, 0, 0, 1, 2])
        found.append(Candidate(f"{place:016x}", frozenset(categories), flagged))
    return found


def parts_of(rng: Random, candidates: list[Candidate]) -> list[tuple[np.ndarray, Candidates]]:
    """Parts in any order; the key of a candidate is its place times ten."""
    places = rng.sample(range(len(candidates)), len(candidates))
    parts = []
    while places:
        size = rng.randint(0, 12)
        part, places = places[:size], places[size:]
        parts.append((10 * np.array(part, np.int64), table_of([candidates[i] for i in part])))
    return parts


def shortlisted(
    parts: list[tuple[np.ndarray, Candidates]], images: int, selection: str, depth: int
) -> np.ndarray | None:
    found = Shortlist(images, selection, 3, depth)
    for keys, candidates in parts:
        found.add(keys, candidates)
    return found.chosen()


@pytest.mark.parametrize("waiting", [1, 30, 1 << 18])
@pytest.mark.parametrize("selection", ["balanced", "random"])
@pytest.mark.parametrize("seed", range(12))
def test_it_chooses_as_among_all(
    seed: int, selection: str, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: memory and the order of coming change no choice; a list that is too short says so."""
    monkeypatch.setattr(shortlist_module, "_TOGETHER", waiting)
    rng = Random(seed)
    candidates = drawn(rng, rng.randint(20, 120))
    images = rng.randint(1, len(candidates) - 1)
    whole = select(table_of(candidates), images, selection, 3)
    parts = parts_of(rng, candidates)
    depth, known = 1, []
    while True:
        chosen = shortlisted(parts, images, selection, depth)
        known.append(chosen is not None)
        if chosen is not None:
            assert sorted(chosen.tolist()) == [10 * place for place in whole]
        if depth > images:
            break
        depth *= 2
    assert known[-1]  # as deep as there are images to choose is always enough
    if selection == "balanced" and images > CATEGORIES:
        assert not known[0]


def test_few_candidates_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: what is kept does not grow with the number of candidates."""
    monkeypatch.setattr(shortlist_module, "_TOGETHER", 50)
    rng = Random(0)
    for selection in ("balanced", "random"):
        found = Shortlist(20, selection, 0, 5)
        for keys, candidates in parts_of(rng, drawn(rng, 2000)):
            found.add(keys, candidates)
            assert sum(map(len, found._keys)) < 50 + 12 + max(20, 5 * CATEGORIES)


def test_the_first_depth_is_some_shares_of_the_images() -> None:
    """Rule: 20,000 images of 110 categories need a second look at the candidates only rarely."""
    assert first_depth(20_000, 110) > 5 * 20_000 / 110
    assert first_depth(1, 1) >= 1
    assert first_depth(10, 0) >= 10
