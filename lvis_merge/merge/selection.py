"""Which Open Images images are taken, of those that have an object of a mapped class."""

from __future__ import annotations

import hashlib
import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

_BLOCK = 1 << 16


@dataclass(frozen=True)
class Candidates:
    """Images that can be chosen, and what the choice looks at.

    Attributes:
        ids: string [N], ImageIDs.
        flagged: int64 [N], mapped rows with group_of, depiction or inside set.
        offsets: int64 [N + 1], where each image's categories start in `categories`.
        categories: int64 [K], the distinct mapped categories among each image's objects, as
            places in the order of ties (by synset).
    """

    ids: pa.Array
    flagged: np.ndarray
    offsets: np.ndarray
    categories: np.ndarray

    @classmethod
    def of(
        cls,
        ids: pa.Array,
        image: np.ndarray,
        category: np.ndarray,
        is_flagged: np.ndarray,
        boxes: np.ndarray,
    ) -> Candidates:
        """From counts of mapped boxes.

        Args:
            ids: string [N], the candidates.
            image: int64 [K], place among the candidates.
            category: int64 [K], place in the order of ties.
            is_flagged: bool [K].
            boxes: int64 [K], boxes of this image, category and kind.
        """
        flagged = np.bincount(
            image[is_flagged], weights=boxes[is_flagged], minlength=len(ids)
        ).astype(np.int64)
        span = int(category.max(initial=0)) + 1
        pairs = np.unique(image[~is_flagged].astype(np.int64) * span + category[~is_flagged])
        counts = np.bincount(pairs // span, minlength=len(ids))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(ids, flagged, offsets, pairs % span)

    @classmethod
    def concat(cls, parts: Sequence[Candidates]) -> Candidates:
        """Those of several, one after the other."""
        numbers = np.concatenate([np.zeros(1, np.int64), *(part.numbers for part in parts)])
        return cls(
            pa.concat_arrays([pa.array([], pa.string()), *(part.ids for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.flagged for part in parts)]),
            np.cumsum(numbers),
            np.concatenate([np.zeros(0, np.int64), *(part.categories for part in parts)]),
        )

    @property
    def numbers(self) -> np.ndarray:
        """int64 [N], how many categories each has."""
        return np.diff(self.offsets)

    @property
    def images(self) -> np.ndarray:
        """int64 [K], the image that each of `categories` is of."""
        return np.repeat(np.arange(len(self.ids)), self.numbers)

    @property
    def merit(self) -> np.ndarray:
        """int64 [N], smaller is better: few flagged rows, then many categories."""
        return np.asarray((self.flagged << 32) - self.numbers)

    def filter(self, mask: np.ndarray) -> Candidates:
        """Those of a bool [N]."""
        offsets = np.concatenate([[0], np.cumsum(self.numbers[mask])]).astype(np.int64)
        categories = self.categories[mask[self.images]]
        return Candidates(self.ids.filter(pa.array(mask)), self.flagged[mask], offsets, categories)


def sha256_order(ids: pa.Array, seed: int) -> np.ndarray:
    """uint64 [N, 4]: sha256 of `"{seed}:{ImageID}"` as four big-endian words."""
    words = np.empty((len(ids), 4), ">u8")
    # block by block: a Python string and a digest for every image would be most of the memory
    for start in range(0, len(ids), _BLOCK):
        block = ids.slice(start, _BLOCK).to_pylist()
        digests = b"".join(hashlib.sha256(f"{seed}:{i}".encode()).digest() for i in block)
        words[start : start + _BLOCK] = np.frombuffer(digests, ">u8").reshape(-1, 4)
    return words


def best_first(candidates: Candidates, words: np.ndarray, selection: str) -> np.ndarray:
    """int64 [N]: the places of the candidates, the best first.

    Args:
        candidates: N of them.
        words: uint64 [N, 4], their `sha256_order`.
        selection: `balanced` or `random`, which looks at the hash alone.
    """
    keys = tuple(words.T[::-1])
    return np.asarray(np.lexsort(keys if selection == "random" else (*keys, candidates.merit)))


def balanced(
    candidates: Candidates, order: np.ndarray, images: int, depth: int | None = None
) -> Sequence[int] | None:
    """Repeats: the category with the fewest chosen images gets its best candidate.

    Which candidate is best does not depend on what was chosen before, so each category walks once
    through its candidates, and the categories wait in a heap under the count they had when pushed:
    counts only grow, so a stale entry is pushed again under the count of now.

    Args:
        candidates: what there is.
        order: of `best_first`.
        images: how many, at most as many as there are.
        depth: only so many of each category are there for certain; None for all.

    Returns:
        Places of the chosen; None where a category came to the end of its `depth` best.
    """
    best = [mine[:depth] for mine in by_category(candidates, order)]
    counts = [0] * len(best)
    at = [0] * len(best)
    heap = [(0, category) for category, images_of in enumerate(best) if len(images_of)]
    taken = bytearray(len(candidates.ids))
    chosen: list[int] = []
    while heap and len(chosen) < images:
        count, category = heapq.heappop(heap)
        if count < counts[category]:
            heapq.heappush(heap, (counts[category], category))
            continue
        mine = best[category]
        place = at[category]
        while place < len(mine) and taken[mine[place]]:
            place += 1
        at[category] = place + 1
        if place == len(mine):
            if place == depth:
                return None
            continue
        image = int(mine[place])
        taken[image] = True
        chosen.append(image)
        start, stop = candidates.offsets[image : image + 2]
        for of_image in candidates.categories[start:stop].tolist():
            counts[of_image] += 1
        heapq.heappush(heap, (counts[category], category))
    return chosen


def by_category(candidates: Candidates, order: np.ndarray) -> list[np.ndarray]:
    """For each category its candidates, best first."""
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    image = candidates.images
    best = np.lexsort((rank[image], candidates.categories))
    number = int(candidates.categories.max(initial=-1)) + 1
    ends = np.searchsorted(candidates.categories[best], np.arange(number + 1))
    images = image[best]
    return [images[a:b] for a, b in itertools.pairwise(ends.tolist())]
