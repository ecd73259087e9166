"""What differs between two manifests, in plain counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Side:
    """One of the two manifests.

    Attributes:
        path: as given.
        label_space: lvis, coco or open_images.
        images: rows of `images`.
        objects: object rows of `annotations`.
        ignore_regions: ignore rows.
        categories: rows of `categories`.
    """

    path: str
    label_space: str
    images: int
    objects: int
    ignore_regions: int
    categories: int


@dataclass(frozen=True)
class Change:
    """A value that differs; None on the side that lacks it.

    Attributes:
        name: of the value.
        before: of the first manifest.
        after: of the second.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class InputChange:
    """An input file or label map that differs.

    Attributes:
        role: what it was given as.
        before: `name (sha256)` in the first manifest, or None.
        after: likewise in the second.
    """

    role: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ImageCount:
    """Images of one source and split.

    Attributes:
        source: the data set.
        split: train, val or test; of an image that moved, the one before.
        before: images in the first manifest.
        after: in the second.
        added: images that only the second has.
        removed: images that only the first has.
        changed: images of both of which something differs.
    """

    source: str
    split: str
    before: int
    after: int
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class SourceCount:
    """Annotations of one source.

    Attributes:
        source: the data set.
        objects_before: object rows of the first manifest.
        objects_after: of the second.
        ignore_before: ignore rows of the first.
        ignore_after: of the second.
        added: rows that only the second has.
        removed: rows that only the first has.
        changed: rows of both of which something differs.
    """

    source: str
    objects_before: int
    objects_after: int
    ignore_before: int
    ignore_after: int
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class CategoryCount:
    """One category whose rows differ; after = before + added - removed + gained - lost.

    Attributes:
        name: its name, the second manifest's if both have it.
        frequency: r, c, f or None.
        before: objects in the first manifest, all splits.
        after: objects in the second.
        added: objects that only the second has.
        removed: objects that only the first has.
        gained: rows of both that are objects of the category in the second only.
        lost: rows of both that are objects of the category in the first only.
        changed: objects of the category in both of which something else differs.
        images_before: images with an object in the first manifest.
        images_after: in the second.
        ignore_before: ignore regions of the category in the first manifest.
        ignore_after: in the second.
    """

    name: str
    frequency: str | None
    before: int
    after: int
    added: int
    removed: int
    gained: int
    lost: int
    changed: int
    images_before: int
    images_after: int
    ignore_before: int
    ignore_after: int

    @property
    def objects_differ(self) -> int:
        """How many objects of the category were added, removed, moved or changed."""
        return self.added + self.removed + self.gained + self.lost + self.changed


@dataclass(frozen=True)
class FieldCount:
    """How many rows of both manifests differ in one column.

    Attributes:
        table: images or annotations.
        field: the column.
        rows: rows of which it differs.
    """

    table: str
    field: str
    rows: int


@dataclass(frozen=True)
class Example:
    """One annotation that was added, removed or changed.

    Attributes:
        kind: added, removed or changed.
        source: the data set.
        source_image_id: as published.
        source_annotation_id: as published.
        what: the row in words: its role and category.
        changes: what differs, for a changed one.
    """

    kind: str
    source: str
    source_image_id: str
    source_annotation_id: str
    what: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Diff:
    """All differences.

    Attributes:
        before: the first manifest.
        after: the second.
        facts: versions, label space, seed, hold-out.
        options: build options.
        inputs: input files and label maps.
        rows_in: input rows by source, kind and fate.
        images: by source and split, all of them.
        sources: annotations by source, all of them.
        fields: columns that differ.
        category_list: categories that only one has, or that are described otherwise.
        categories: those whose rows differ, by how much they differ.
        examples: the first few annotations of each kind.
    """

    before: Side
    after: Side
    facts: tuple[Change, ...]
    options: tuple[Change, ...]
    inputs: tuple[InputChange, ...]
    rows_in: tuple[Change, ...]
    images: tuple[ImageCount, ...]
    sources: tuple[SourceCount, ...]
    fields: tuple[FieldCount, ...]
    category_list: tuple[Change, ...]
    categories: tuple[CategoryCount, ...]
    examples: tuple[Example, ...]

    @property
    def same_rows(self) -> bool:
        """Whether images, annotations and categories are equal."""
        counts: tuple[ImageCount | SourceCount, ...] = (*self.images, *self.sources)
        return not self.category_list and not any(
            one.added or one.removed or one.changed for one in counts
        )

    @property
    def equal(self) -> bool:
        """Whether nothing differs at all."""
        return self.same_rows and not (self.facts or self.options or self.inputs or self.rows_in)
