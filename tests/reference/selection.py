"""Which Open Images candidates are chosen: the literal repeat loop of the contract."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """An Open Images image with at least one object.

    Attributes:
        source_image_id: ImageID as published.
        object_categories: categories of its objects.
        flagged_rows: mapped rows with group_of, depiction or inside set.
    """

    source_image_id: str
    object_categories: frozenset[int]
    flagged_rows: int


def digest(seed: int, source_image_id: str) -> str:
    return hashlib.sha256(f"{seed}:{source_image_id}".encode()).hexdigest()


def random_selection(candidates: list[Candidate], limit: int, seed: int) -> list[Candidate]:
    return sorted(candidates, key=lambda c: digest(seed, c.source_image_id))[:limit]


def balanced_selection(
    candidates: list[Candidate],
    names: dict[int, str],
    limit: int,
    seed: int,
    events: Counter[str],
) -> list[Candidate]:
    """The chosen candidates in the order they are taken.

    Args:
        candidates: all candidates.
        names: the mapped categories by id, each with what ties are broken by: synset or MID.
        limit: how many to choose at most.
        seed: of the hash that breaks the last ties.
        events: counts which ties occurred.
    """
    chosen: list[Candidate] = []
    left = list(candidates)
    while left and len(chosen) < limit:
        fewest = None
        for category in names:
            if not any(category in candidate.object_categories for candidate in left):
                continue
            count = sum(category in candidate.object_categories for candidate in chosen)
            if fewest is not None and count == fewest[0]:
                events["selection: tie broken by name"] += 1
            if fewest is None or (count, names[category]) < (fewest[0], names[fewest[1]]):
                fewest = (count, category)
        assert fewest is not None
        category = fewest[1]

        having = [candidate for candidate in left if category in candidate.object_categories]
        best = min(
            having,
            key=lambda candidate: (
                candidate.flagged_rows,
                -len(candidate.object_categories),
                digest(seed, candidate.source_image_id),
            ),
        )
        for other in having:
            if other is best:
                continue
            if other.flagged_rows > best.flagged_rows:
                events["selection: fewer flagged rows"] += 1
            elif len(other.object_categories) < len(best.object_categories):
                events["selection: more categories"] += 1
            else:
                events["selection: smaller hash"] += 1
        chosen.append(best)
        left.remove(best)
    return chosen
