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


def sha256_order(ids: pa.Array, seed: int) -> np.ndarray:
    """uint64 [N, 4]: sha256 of `"{seed}:{ImageID}"` as four big-endian words."""
    words = np.empty((len(ids), 4), ">u8")
    # block by block: a Python string and a digest for every image would be most of the memory
    for start in range(0, len(ids), _BLOCK):
        block = ids.slice(start, _BLOCK).to_pylist()
        digests = b"".join(hashlib.sha256(f"{seed}:{i}".encode()).digest() for i in block)
        words[start : start + _BLOCK] = np.frombuffer(digests, ">u8").reshape(-1, 4)
    return words


def select(candidates: Candidates, images: int | None, selection: str, seed: int) -> np.ndarray:
    """Chooses images.

    Args:
        candidates: what there is.
        images: how many; None for all.
        selection: `balanced` or `random`.
        seed: of the hash that breaks ties.

    Returns:
        bool [N], chosen. All, where more are asked for than there are.
    """
    total = len(candidates.ids)
    if images is None or images >= total:
        return np.ones(total, dtype=bool)
    words = sha256_order(candidates.ids, seed).T[::-1]
    chosen = np.zeros(total, dtype=bool)
    if selection == "random":
        chosen[np.lexsort(tuple(words))[:images]] = True
        return chosen
    order = np.lexsort((*words, -np.diff(candidates.offsets), candidates.flagged))
    chosen[_balanced(candidates, order, images)] = True
    return chosen


def _balanced(candidates: Candidates, order: np.ndarray, images: int) -> Sequence[int]:
    """Repeats: the category with the fewest chosen images gets its best candidate.

    Which candidate is best does not depend on what was chosen before, so each category walks once
    through its candidates, and the categories wait in a heap under the count they had when pushed:
    counts only grow, so a stale entry is pushed again under the count of now.
    """
    best = _by_category(candidates, order)
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
            continue
        image = int(mine[place])
        taken[image] = True
        chosen.append(image)
        start, stop = candidates.offsets[image : image + 2]
        for of_image in candidates.categories[start:stop].tolist():
            counts[of_image] += 1
        heapq.heappush(heap, (counts[category], category))
    return chosen


def _by_category(candidates: Candidates, order: np.ndarray) -> list[np.ndarray]:
    """For each category its candidates, best first."""
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    image = np.repeat(np.arange(len(order)), np.diff(candidates.offsets))
    best = np.lexsort((rank[image], candidates.categories))
    number = int(candidates.categories.max(initial=-1)) + 1
    ends = np.searchsorted(candidates.categories[best], np.arange(number + 1))
    images = image[best]
    return [images[a:b] for a, b in itertools.pairwise(ends.tolist())]
