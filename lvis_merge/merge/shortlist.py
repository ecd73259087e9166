"""The few candidates that a selection can come to take, of more than memory should hold.

`random` takes the best. `balanced` walks through each category's candidates, best first, past those
that are taken: no further than it has chosen images, and in practice not much further than its
share of them. So the best of each category are enough, unless a walk comes to their end.
"""

from __future__ import annotations

import numpy as np

from lvis_merge.merge.selection import (
    Candidates,
    balanced,
    best_first,
    by_category,
    sha256_order,
)

_SHARES = 8
_LEAST_DEPTH = 64
_TOGETHER = 1 << 18
"""Candidates that are looked at together."""


def first_depth(images: int, categories: int) -> int:
    """How many of each category to begin with: several times what each would get of the images."""
    return _SHARES * images // max(categories, 1) + _LEAST_DEPTH


class Shortlist:
    """Candidates are added in parts, in any order; those that cannot be taken are forgotten.

    Args:
        images: how many to choose.
        selection: `balanced` or `random`.
        seed: of the hash that breaks ties.
        depth: how many of each category to keep, for `balanced`.
    """

    def __init__(self, images: int, selection: str, seed: int, depth: int) -> None:
        self._images, self._selection, self._seed = images, selection, seed
        self._depth = depth
        self._keys: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._parts: list[Candidates] = []
        self._pending = 0
        self._words = np.zeros((0, 4), np.uint64)  # of those that were looked at
        # by category, the merit of the last of its best so far
        self._worst: np.ndarray = np.zeros(0, np.int64)

    def add(self, keys: np.ndarray, candidates: Candidates) -> None:
        """Adds candidates.

        Args:
            keys: int64 [N], what `chosen` is to call them.
            candidates: N of them, each with a category.
        """
        if self._selection == "balanced":
            hopeful = self._hopeful(candidates)
            keys, candidates = keys[hopeful], candidates.filter(hopeful)
        self._keys.append(keys)
        self._parts.append(candidates)
        self._pending += len(keys)
        if self._pending >= _TOGETHER:
            self._shorten()

    def chosen(self) -> np.ndarray | None:
        """int64, keys of the chosen; None where `depth` is too small to know."""
        keys, candidates, order = self._shorten()
        if self._selection == "random":
            return np.asarray(keys[order[: self._images]])
        places = balanced(candidates, order, self._images, self._depth)
        return None if places is None else keys[np.array(places, np.int64)]

    def _hopeful(self, candidates: Candidates) -> np.ndarray:
        """bool [N]: not worse than the last of the best of each of its categories."""
        worst = np.full(int(candidates.categories.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        known = min(len(worst), len(self._worst))
        worst[:known] = self._worst[:known]
        image = candidates.images
        mask = np.zeros(len(candidates.ids), dtype=bool)
        mask[image[candidates.merit[image] <= worst[candidates.categories]]] = True
        return mask

    def _shorten(self) -> tuple[np.ndarray, Candidates, np.ndarray]:
        """Forgets what cannot be taken; returns the rest: keys, candidates, places best first."""
        keys, candidates = np.concatenate(self._keys), Candidates.concat(self._parts)
        new = candidates.ids.slice(len(self._words))
        words = np.concatenate([self._words, sha256_order(new, self._seed)])
        order = best_first(candidates, words, self._selection)
        keep = np.zeros(len(keys), dtype=bool)
        if self._selection == "random":
            keep[order[: self._images]] = True
        else:
            best = by_category(candidates, order)
            merit = candidates.merit
            self._worst = np.array(
                [
                    merit[mine[self._depth - 1]]
                    if len(mine) >= self._depth
                    else np.iinfo(np.int64).max
                    for mine in best
                ],
                dtype=np.int64,
            )
            for mine in best:
                keep[mine[: self._depth]] = True
        place = np.cumsum(keep) - 1
        order = place[order[keep[order]]]
        keys, candidates, self._words = keys[keep], candidates.filter(keep), words[keep]
        self._keys, self._parts, self._pending = [keys], [candidates], 0
        return keys, candidates, order
