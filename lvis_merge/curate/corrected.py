"""Tags as corrections: categories looked up, contradictions told, an earlier file carried on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lvis_merge.curate.tags import Tag
from lvis_merge.errors import InputError
from lvis_merge.merge.corrections import REJECT, RELABEL, CategoryNames, Correction


@dataclass(frozen=True)
class Curated:
    """A corrections file to be, and how it came about.

    Attributes:
        rows: all corrections, by key.
        new: how many were not in the earlier file.
        changed: how many replace an earlier one.
        carried: how many are as they were.
        no_category: boxes that a tag relabels and that have no category to replace.
    """

    rows: tuple[Correction, ...]
    new: int
    changed: int
    carried: int
    no_category: int

    def count(self, action: str, boxes: bool) -> int:
        """Corrections of one action, on boxes or on images."""
        return sum(
            row.action == action and bool(row.source_annotation_id) == boxes for row in self.rows
        )


def curated(tags: Sequence[Tag], categories: pa.Table, earlier: Iterable[Correction]) -> Curated:
    """Makes corrections of tags.

    A box or image that is tagged both reject and relabel is rejected. What an earlier file says of
    other boxes stays: they may be gone from the manifest by now, because it was applied.

    Args:
        tags: as set in the App.
        categories: of the manifest.
        earlier: rows of the file that is to be replaced.

    Raises:
        InputError: a category that the manifest lacks, or two for one box.
    """
    names = CategoryNames(categories)
    synsets = dict(
        zip(categories["category_id"].to_pylist(), categories["synset"].to_pylist(), strict=True)
    )
    shown = dict(
        zip(categories["category_id"].to_pylist(), categories["name"].to_pylist(), strict=True)
    )
    found: dict[tuple[str, str, str], Correction] = {}
    no_category = 0
    for tag in tags:
        if tag.action == RELABEL and not tag.has_category:
            no_category += 1
            continue
        row = _correction(tag, names, shown, synsets)
        before = found.setdefault(row.key, row)
        if before == row or before.action == REJECT:
            continue
        if row.action == RELABEL:
            raise InputError(
                f"{_box(tag)}: is tagged relabel:{before.category} and relabel:{row.category}."
                " Remove one of the tags in the App."
            )
        found[row.key] = row
    return _joined(found, earlier, no_category)


def _correction(
    tag: Tag, names: CategoryNames, shown: Mapping[int, str], synsets: Mapping[int, str | None]
) -> Correction:
    plain = (tag.source, tag.image, tag.box, tag.label)
    if tag.action == REJECT:
        return Correction(*plain, REJECT)
    category = names.find(tag.name, tag.name)
    if category is None:
        raise InputError(
            f"{_box(tag)}: is tagged relabel:{tag.name}, and the manifest has no such"
            f" category{names.like(tag.name)} Correct the tag in the App."
        )
    return Correction(*plain, RELABEL, shown[category], synsets[category] or "")


def _box(tag: Tag) -> str:
    return f"{tag.source} image {tag.image}, box {tag.box} ({tag.label})"


def _joined(
    found: Mapping[tuple[str, str, str], Correction],
    earlier: Iterable[Correction],
    no_category: int,
) -> Curated:
    before = {row.key: row for row in earlier}
    rows = {**before, **found}
    new = sum(key not in before for key in found)
    changed = sum(key in before and before[key] != row for key, row in found.items())
    ordered = tuple(rows[key] for key in sorted(rows))
    return Curated(ordered, new, changed, len(rows) - new - changed, no_category)
