"""Which categories an image is known to show, known not to show, and known to show incompletely.

LVIS publishes its lists; for Open Images they follow from the verified labels, the hierarchy and
the boxes. A category in none of the lists is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.sources.tables import IDS


@dataclass(frozen=True)
class Evidence:
    """Per image, ascending category ids.

    Attributes:
        pos: list<int32> [N], verified or annotated as present.
        neg: list<int32> [N], verified absent.
        not_exhaustive: list<int32> [N], present, with not every instance as an object.
        contradictory: (image, MID) pairs that were verified both present and absent.
    """

    pos: pa.Array
    neg: pa.Array
    not_exhaustive: pa.Array
    contradictory: int = 0


def category_lists(image: np.ndarray, category: np.ndarray, images: int) -> pa.Array:
    """Sorted, unique categories per image.

    Args:
        image: int64 [K], place of the image.
        category: int64 [K], category id.
        images: N.

    Returns:
        list<int32> [N].
    """
    return lists_of(pairs_of(image, category), images)


_SHIFT = np.int64(32)


def pairs_of(image: np.ndarray, category: np.ndarray) -> np.ndarray:
    """Distinct (image, category) pairs as ascending int64, apart again by `split_pairs`."""
    return np.asarray(np.unique((image.astype(np.int64) << _SHIFT) | category.astype(np.int64)))


def split_pairs(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int64 images and int64 categories of `pairs_of`."""
    return pairs >> _SHIFT, pairs & np.int64(0xFFFFFFFF)


def lists_of(pairs: np.ndarray, images: int) -> pa.Array:
    """Pairs of `pairs_of` as list<int32> [images]."""
    image, category = split_pairs(pairs)
    offsets = np.searchsorted(image, np.arange(images + 1))
    values = category.astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values)).cast(IDS)


@dataclass(frozen=True)
class BoxEvidence:
    """Mapped box rows of Open Images images.

    Attributes:
        image: int64 [K], place of the image.
        category: int64 [K], category id.
        is_object: bool [K].
        is_group: bool [K], group-of row.
    """

    image: np.ndarray
    category: np.ndarray
    is_object: np.ndarray
    is_group: np.ndarray


def open_images_evidence(
    boxes: BoxEvidence,
    labels: pa.Table,
    categories: Mapping[str, int],
    descendants: Mapping[str, frozenset[str]],
    images: int,
) -> Evidence:
    """Evidence of Open Images images.

    A class verified both present and absent on an image counts as neither; what its ancestors say
    still holds for it. Presence is not passed up the hierarchy, absence is passed down.

    Args:
        boxes: every row of a mapped class on the images.
        labels: verified labels: `image` (place), `mid`, `present`.
        categories: MID -> category id, mapped classes only.
        descendants: MID -> all MIDs below it.
        images: N.
    """
    coded = labels["mid"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    code = coded.indices.to_numpy().astype(np.int64)
    image = labels["image"].to_numpy().astype(np.int64)
    present = labels["present"].to_numpy(zero_copy_only=False).astype(bool)
    said_yes, said_no = (
        pairs_of(image[present], code[present]),
        pairs_of(image[~present], code[~present]),
    )
    both = np.intersect1d(said_yes, said_no, assume_unique=True)
    yes, no = np.setdiff1d(said_yes, both), np.setdiff1d(said_no, both)

    own = [[categories[mid]] if mid in categories else [] for mid in names]
    below = [
        sorted({categories[m] for m in (mid, *descendants.get(mid, ())) if m in categories})
        for mid in names
    ]
    objects = pairs_of(boxes.image[boxes.is_object], boxes.category[boxes.is_object])
    groups = pairs_of(boxes.image[boxes.is_group], boxes.category[boxes.is_group])
    boxed = pairs_of(boxes.image, boxes.category)
    pos = np.union1d(_expand(yes, own), np.union1d(objects, groups))
    neg = np.setdiff1d(np.setdiff1d(_expand(no, below), pos), boxed)
    not_exhaustive = np.union1d(groups, np.setdiff1d(pos, objects))
    return Evidence(
        lists_of(pos, images), lists_of(neg, images), lists_of(not_exhaustive, images), len(both)
    )


def _expand(pairs: np.ndarray, categories: list[list[int]]) -> np.ndarray:
    """(image, class code) pairs -> distinct (image, category) pairs of each code's categories."""
    lengths = np.array([len(found) for found in categories], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    flat = np.array([c for found in categories for c in found], dtype=np.int64)
    code = (pairs & np.int64(0xFFFFFFFF)).astype(np.int64)
    counts = lengths[code] if len(code) else np.zeros(0, np.int64)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return pairs_of(
        np.repeat(pairs >> _SHIFT, counts), flat[np.repeat(starts[code], counts) + within]
    )
