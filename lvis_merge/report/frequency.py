"""How the merge changes the long tail: category counts before and after, by group and by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.merge.rules import FREQUENCIES
from lvis_merge.report.rows import Rows

GROUP_NAMES = {"r": "rare", "c": "common", "f": "frequent"}


@dataclass(frozen=True)
class CategoryCount:
    """One category before and after the merge.

    Attributes:
        category_id: id in the label space built.
        name: its name.
        frequency: r, c or f as LVIS publishes it; None in other label spaces.
        frequency_merged: r, c or f by the images after the merge.
        images_before: LVIS train images, before hold-out removal; None in other label spaces.
        images_after: train images with an object of it, after the merge.
        images_added: those of `images_after` that come from other sources than LVIS.
        images_open_images: those of `images_after` that come from Open Images.
        is_mapped: it has an Open Images row, object or ignore region.
    """

    category_id: int
    name: str
    frequency: str | None
    frequency_merged: str
    images_before: int | None
    images_after: int
    images_added: int
    images_open_images: int
    is_mapped: bool

    @property
    def group(self) -> str:
        """The published group, else the merged one."""
        return self.frequency or self.frequency_merged


@dataclass(frozen=True)
class GroupCount:
    """The categories of one frequency group.

    Attributes:
        group: r, c or f: LVIS's groups, or the merged ones in other label spaces.
        categories_before: categories in it before the merge; None in other label spaces.
        categories_after: categories in it by the images after the merge.
        instances_before: LVIS train objects of the group's categories (`categories_before`).
        instances_after: objects of the same categories on train images, after the merge.
        gained: its categories that have images from other sources.
        moves_to: (group after, categories) of `categories_before`, groups without one left out.
    """

    group: str
    categories_before: int | None
    categories_after: int
    instances_before: int | None
    instances_after: int
    gained: int
    moves_to: tuple[tuple[str, int], ...]


def category_counts(categories: pa.Table, rows: Rows) -> tuple[CategoryCount, ...]:
    """Counts of every category, in the order of the table.

    Args:
        categories: the manifest's `categories`, [C] rows.
        rows: the decoded rows.

    Returns:
        C counts.
    """
    pair_image, pair_category = rows.object_pairs
    pair_source = rows.image_source[pair_image]

    def images_of(chosen: np.ndarray) -> np.ndarray:
        return np.bincount(pair_category[chosen], minlength=rows.categories)

    from_lvis = _source_is(rows, pair_source, "lvis")
    has_lvis = "lvis" in rows.sources
    added = images_of(~from_lvis) if has_lvis else np.zeros(rows.categories, np.int64)
    open_images = images_of(_source_is(rows, pair_source, "open_images"))
    has_row = _source_is(rows, rows.source, "open_images") & (rows.category >= 0)
    mapped = np.bincount(rows.category[has_row], minlength=rows.categories) > 0
    return tuple(
        CategoryCount(*values)
        for values in zip(
            categories["category_id"].to_pylist(),
            categories["name"].to_pylist(),
            categories["frequency"].to_pylist(),
            categories["frequency_merged"].to_pylist(),
            categories["image_count_lvis"].to_pylist(),
            categories["image_count"].to_pylist(),
            added.tolist(),
            open_images.tolist(),
            mapped.tolist(),
            strict=True,
        )
    )


def group_counts(categories: pa.Table, counts: tuple[CategoryCount, ...]) -> tuple[GroupCount, ...]:
    """Categories and objects by frequency group, rare first.

    Args:
        categories: the manifest's `categories`.
        counts: `category_counts` of it.

    Returns:
        One row per group, r, c, f, also where it is empty.
    """
    before = categories["instance_count_lvis"].to_pylist()
    after = categories["instance_count"].to_pylist()
    published = any(count.frequency for count in counts)
    result = []
    for group in FREQUENCIES:
        members = [i for i, count in enumerate(counts) if count.group == group]
        moved = [(to, sum(counts[i].frequency_merged == to for i in members)) for to in FREQUENCIES]
        result.append(
            GroupCount(
                group=group,
                categories_before=len(members) if published else None,
                categories_after=sum(count.frequency_merged == group for count in counts),
                instances_before=sum(before[i] or 0 for i in members) if published else None,
                instances_after=sum(after[i] for i in members),
                gained=sum(counts[i].images_added > 0 for i in members),
                moves_to=tuple((to, n) for to, n in moved if n) if published else (),
            )
        )
    return tuple(result)


def rare_gains(counts: tuple[CategoryCount, ...]) -> tuple[CategoryCount, ...]:
    """Rare categories with images from other sources than LVIS, most gained first."""
    gained = [c for c in counts if c.frequency == "r" and c.images_added > 0]
    return tuple(sorted(gained, key=lambda c: (-c.images_added, c.name)))


def open_images_counts(counts: tuple[CategoryCount, ...]) -> tuple[CategoryCount, ...]:
    """Categories with Open Images rows, those with most Open Images images first."""
    mapped = [c for c in counts if c.is_mapped]
    return tuple(sorted(mapped, key=lambda c: (-c.images_open_images, c.name)))


def _source_is(rows: Rows, codes: np.ndarray, name: str) -> np.ndarray:
    if name not in rows.sources:
        return np.zeros(len(codes), bool)
    return np.asarray(codes == rows.sources.index(name))
