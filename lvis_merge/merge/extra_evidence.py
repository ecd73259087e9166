"""Evidence of the images of an extra source.

Nothing is assumed: a category is known to be absent, or annotated completely, only where the file
says so in lists as LVIS has them, or where the user vouches for the whole set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.evidence import Evidence, lists_of, pairs_of, split_pairs
from lvis_merge.sources.tables import IDS

_IMAGES_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class MappedClasses:
    """The classes of a source that have a category.

    Attributes:
        classes: int64 [M], ascending.
        categories: int64 [M], the category of each.
        open_ended: int64, categories that also have a class that the file lacks, and so cannot
            speak of: they are never known to be absent or complete.
    """

    classes: np.ndarray
    categories: np.ndarray
    open_ended: np.ndarray

    def of(self, classes: np.ndarray) -> np.ndarray:
        """int64 [K]: the category of each class, -1 where it has none."""
        if not len(self.classes):
            return np.full(len(classes), -1)
        at = np.minimum(np.searchsorted(self.classes, classes), len(self.classes) - 1)
        return np.where(self.classes[at] == classes, self.categories[at], -1)


@dataclass(frozen=True)
class Stated:
    """What a file says of N images, in its own classes.

    Attributes:
        absent: list<int32>? [N], classes that it says are absent; null: it does not say.
        partial: list<int32>? [N], classes that it says are annotated in part; null likewise.
        good: int64 [K, 2], place of the image and class of each good row.
        bad: int64 [L, 2], the same of each bad row; class -1 where it cannot be told.
    """

    absent: pa.Array
    partial: pa.Array
    good: np.ndarray
    bad: np.ndarray


@dataclass(frozen=True)
class ExtraRows:
    """Mapped rows of the manifest.

    Attributes:
        image: int64 [K], place of the image.
        category: int64 [K].
        is_object: bool [K]; the others are crowds.
    """

    image: np.ndarray
    category: np.ndarray
    is_object: np.ndarray


def extra_evidence(
    rows: ExtraRows, stated: Stated, mapped: MappedClasses, exhaustive: bool
) -> Evidence:
    """What is known of each image.

    - `pos`: categories with a row.
    - `neg`: categories all of whose classes are stated to be absent; of an exhaustive set, all
      without a row. Never one with a row, good or bad, or with a class that the file lacks.
    - `not_exhaustive`: of `pos`, categories with a crowd or a bad row, with a class stated to be
      annotated in part or that the file lacks, and all where nothing is stated.

    A bad row whose class cannot be told could be of any: nothing counts as stated of its image.

    Args:
        rows: of the images.
        stated: by the file.
        mapped: the source's classes.
        exhaustive: the user vouches that every image is annotated completely for every class.
    """
    images = len(stated.absent)
    present = pairs_of(rows.image, rows.category)
    crowds = pairs_of(rows.image[~rows.is_object], rows.category[~rows.is_object])
    good, bad = (_categories(pairs, mapped) for pairs in (stated.good, stated.bad))
    clear = np.ones(images, dtype=bool)
    clear[stated.bad[stated.bad[:, 1] < 0, 0]] = False

    complete = clear & (exhaustive | pc.is_valid(stated.partial).to_numpy(zero_copy_only=False))
    partial = _categories(_flat(stated.partial), mapped)
    doubtful = np.union1d(np.union1d(crowds, bad), partial)
    image, category = split_pairs(present)
    unstated = present[~complete[image] | np.isin(category, mapped.open_ended)]
    not_exhaustive = np.union1d(np.intersect1d(present, doubtful), unstated)

    seen = np.union1d(np.union1d(good, bad), present)
    if exhaustive:
        categories = np.setdiff1d(mapped.categories, mapped.open_ended)
        neg = _all_but(seen, categories, clear)
    else:
        absent = np.setdiff1d(_wholly_absent(_flat(stated.absent), mapped), seen)
        neg = lists_of(absent[clear[split_pairs(absent)[0]]], images)
    return Evidence(lists_of(present, images), neg, lists_of(not_exhaustive, images))


def _flat(lists: pa.Array) -> np.ndarray:
    """int64 [K, 2]: place and value of each element."""
    place = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
    return np.stack([place, pc.list_flatten(lists).to_numpy().astype(np.int64)], axis=1)


def _categories(pairs: np.ndarray, mapped: MappedClasses) -> np.ndarray:
    """(image, class) rows as distinct (image, category) pairs, of mapped classes."""
    category = mapped.of(pairs[:, 1])
    return pairs_of(pairs[category >= 0, 0], category[category >= 0])


def _wholly_absent(absent: np.ndarray, mapped: MappedClasses) -> np.ndarray:
    """(image, category) pairs of which every class is among the (image, class) rows."""
    categories, needed = np.unique(mapped.categories, return_counts=True)
    needed[np.isin(categories, mapped.open_ended)] += 1  # more than there can be
    absent = np.unique(absent, axis=0)
    category = mapped.of(absent[:, 1])
    image, category = absent[category >= 0, 0], category[category >= 0]
    code = image * max(len(categories), 1) + np.searchsorted(categories, category)
    codes, found = np.unique(code, return_counts=True)
    image, place = np.divmod(codes, max(len(categories), 1))
    whole = found == needed[place] if len(codes) else np.zeros(0, dtype=bool)
    return pairs_of(image[whole], categories[place[whole]])


def _all_but(seen: np.ndarray, categories: np.ndarray, clear: np.ndarray) -> pa.Array:
    """Per clear image the categories without a pair.

    Args:
        seen: of `pairs_of`.
        categories: int64 [C], ascending.
        clear: bool [N].

    Returns:
        list<int32> [N].
    """
    image, category = split_pairs(seen)
    known = np.isin(category, categories)
    image, place = image[known], np.searchsorted(categories, category[known])
    lengths: list[np.ndarray] = [np.zeros(1, np.int64)]
    values: list[np.ndarray] = [np.zeros(0, np.int32)]
    for start in range(0, len(clear), _IMAGES_AT_ONCE):
        absent = np.repeat(clear[start : start + _IMAGES_AT_ONCE, None], len(categories), axis=1)
        here = slice(*np.searchsorted(image, (start, start + _IMAGES_AT_ONCE)))
        absent[image[here] - start, place[here]] = False
        lengths.append(absent.sum(axis=1))
        values.append(categories[np.nonzero(absent)[1]].astype(np.int32))
    offsets = np.cumsum(np.concatenate(lengths)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(values))).cast(IDS)
