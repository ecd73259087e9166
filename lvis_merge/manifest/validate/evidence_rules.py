"""Which categories an image is known to have, to lack, or to have in part."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from lvis_merge.manifest.validate.columns import Bools, Ints, equal, ints, lists, places
from lvis_merge.manifest.validate.finding import Finding, Level
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.manifest.validate.sorted_sets import (
    difference,
    distinct,
    intersection,
    symmetric_difference,
    union,
)

_LISTS = ("neg_category_ids", "not_exhaustive_category_ids", "pos_category_ids")


class _Pairs:
    """(image, category) pairs of the lists and of the rows, each coded as one integer."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.base = loaded.categories.num_rows + 1
        ids = ints(loaded.categories["category_id"])
        self.rows: dict[str, Ints] = {}
        self.categories: dict[str, Ints] = {}
        for name in _LISTS:
            flat = lists(loaded.images[name])
            self.rows[name] = flat.rows
            self.categories[name] = places(ids, flat.values)

    def listed(self, name: str, images: Bools) -> Ints:
        """Pairs of a list on some images; unknown categories are left out."""
        chosen = images[self.rows[name]] & (self.categories[name] >= 0)
        return distinct(self.rows[name][chosen] * self.base + self.categories[name][chosen])

    def annotated(self, rows: Bools, images: Bools) -> Ints:
        """Pairs that some annotations make on some images."""
        loaded = self.loaded
        chosen = rows & loaded.of_image(images) & (loaded.category_row >= 0)
        return distinct(loaded.image_row[chosen] * self.base + loaded.category_row[chosen])

    @cached_property
    def category_ids(self) -> Ints:
        return ints(self.loaded.categories["category_id"])


def evidence(loaded: Loaded) -> Iterator[Finding]:
    """The three lists are well formed, agree with the rows and do not contradict each other.

    LVIS publishes its lists, contradictions included: those are warnings. Images with a corrected
    row are left out, their lists speak of the labels before the correction.
    """
    pairs = _Pairs(loaded)
    yield from _well_formed(loaded, pairs)
    plain = ~loaded.corrected_image
    yield from _lvis(loaded, pairs, loaded.images_from("lvis") & plain)
    yield from _coco(loaded, pairs, loaded.images_from("coco") & plain)
    yield from _open_images(loaded, pairs, loaded.images_from("open_images") & plain)
    yield from _extras(loaded, pairs, loaded.extra_images & plain)


def _well_formed(loaded: Loaded, pairs: _Pairs) -> Iterator[Finding]:
    verbatim = loaded.images_from("lvis")
    ours = ~verbatim
    for name in _LISTS:
        rows, categories = pairs.rows[name], pairs.categories[name]
        unknown = _per_image(loaded, rows[categories < 0])
        text = f"{name} has a category that is in no row of categories"
        published = verbatim & (name != "pos_category_ids")
        yield from loaded.broken("evidence", "images", unknown & ~published, text)
        yield from loaded.broken("evidence", "images", unknown & published, text, "warning")
        values = lists(loaded.images[name]).values
        falls = (rows[1:] == rows[:-1]) & (values[1:] <= values[:-1])
        unsorted = _per_image(loaded, rows[1:][falls])
        yield from loaded.broken(
            "evidence",
            "images",
            unsorted & (ours if name != "pos_category_ids" else np.ones_like(ours)),
            f"{name} is not sorted and unique",
        )


def _lvis(loaded: Loaded, pairs: _Pairs, images: Bools) -> Iterator[Finding]:
    negative, partial, positive = (pairs.listed(name, images) for name in _LISTS)
    annotated = pairs.annotated(loaded.rows_from("lvis"), images)
    yield from _pairs_differ(
        loaded, pairs, positive, annotated, "pos_category_ids is not the categories annotated"
    )
    for broken, text in (
        (intersection(negative, positive), "is in neg_category_ids and annotated"),
        (intersection(negative, partial), "is in neg_ and in not_exhaustive_category_ids"),
        (
            difference(partial, positive),
            "is in not_exhaustive_category_ids and not annotated",
        ),
    ):
        yield from _contradictions(loaded, pairs, broken, text, "warning")


def _coco(loaded: Loaded, pairs: _Pairs, images: Bools) -> Iterator[Finding]:
    """COCO is annotated exhaustively: what is not there is absent."""
    negative, partial, positive = (pairs.listed(name, images) for name in _LISTS)
    rows = loaded.rows_from("coco")
    annotated = pairs.annotated(rows, images)
    crowds = pairs.annotated(rows & ~loaded.is_object, images)
    every = np.flatnonzero(images)[:, None] * pairs.base + np.arange(loaded.categories.num_rows)
    for found, expected, text in (
        (positive, annotated, "pos_category_ids is not the categories annotated"),
        (partial, crowds, "not_exhaustive_category_ids is not the categories with a crowd"),
        (
            negative,
            difference(every.ravel(), annotated),
            "neg_category_ids is not the categories that are not annotated",
        ),
    ):
        yield from _pairs_differ(loaded, pairs, found, expected, text)


def _open_images(loaded: Loaded, pairs: _Pairs, images: Bools) -> Iterator[Finding]:
    negative, partial, positive = (pairs.listed(name, images) for name in _LISTS)
    rows = loaded.rows_from("open_images")
    objects = pairs.annotated(rows & loaded.is_object, images)
    groups = pairs.annotated(rows & equal(loaded.annotations["ignore_reason"], "group_of"), images)
    boxed = pairs.annotated(rows, images)
    for broken, text in (
        (intersection(negative, positive), "is in neg_ and in pos_category_ids"),
        (intersection(negative, boxed), "is in neg_category_ids and has a box"),
        (
            difference(union(objects, groups), positive),
            "has an object or a group and is not in pos_category_ids",
        ),
    ):
        yield from _contradictions(loaded, pairs, broken, text, "error")
    expected = union(groups, difference(positive, objects))
    yield from _pairs_differ(
        loaded,
        pairs,
        partial,
        expected,
        "not_exhaustive_category_ids is not the categories with a group or without an object",
    )


def _extras(loaded: Loaded, pairs: _Pairs, images: Bools) -> Iterator[Finding]:
    negative, partial, positive = (pairs.listed(name, images) for name in _LISTS)
    rows = loaded.extra_rows
    annotated = pairs.annotated(rows, images)
    crowds = pairs.annotated(rows & ~loaded.is_object, images)
    yield from _pairs_differ(
        loaded, pairs, positive, annotated, "pos_category_ids is not the categories annotated"
    )
    for broken, text in (
        (intersection(negative, annotated), "is in neg_category_ids and annotated"),
        (difference(partial, annotated), "is in not_exhaustive_category_ids and not annotated"),
        (difference(crowds, partial), "has a crowd and is not in not_exhaustive_category_ids"),
    ):
        yield from _contradictions(loaded, pairs, broken, text, "error")


def _pairs_differ(
    loaded: Loaded, pairs: _Pairs, found: Ints, expected: Ints, text: str
) -> Iterator[Finding]:
    wrong = symmetric_difference(found, expected) // pairs.base
    yield from loaded.broken("evidence", "images", _per_image(loaded, wrong), text)


def _contradictions(
    loaded: Loaded, pairs: _Pairs, broken: Ints, text: str, level: Level
) -> Iterator[Finding]:
    if len(broken):
        category = pairs.category_ids[broken[0] % pairs.base]
        rows = _per_image(loaded, broken // pairs.base)
        yield from loaded.broken("evidence", "images", rows, f"category {category} {text}", level)


def _per_image(loaded: Loaded, rows: Ints) -> Bools:
    return np.bincount(rows, minlength=loaded.images.num_rows).astype(bool)
