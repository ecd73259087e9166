"""The first few annotations that were added, removed or changed, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.diff.annotations import AnnotationDiff
from lvis_merge.diff.labels import Labels
from lvis_merge.diff.result import Change, Example

EACH = 10
"""Annotations of each kind."""


def examples(
    found: AnnotationDiff, labels: Labels, before_images: pa.Table, after_images: pa.Table
) -> tuple[Example, ...]:
    """Examples of each kind, spread evenly over its rows, in their order.

    Args:
        found: compared annotations.
        labels: the categories.
        before_images: `image_id` and `source_image_id` of the first manifest.
        after_images: likewise of the second.
    """
    images = (before_images, after_images)
    names = [str((after or before or {}).get("name")) for before, after in labels.rows()]
    told = []
    for kind, side, rows in (("added", 1, found.pairs.added), ("removed", 0, found.pairs.removed)):
        for row in found.tables[side].take(_spread(rows)).to_pylist():
            told.append(_example(kind, row, _published(images[side], row), names))
    chosen = _spread(np.flatnonzero(found.changed))
    left = found.tables[0].take(found.pairs.before[chosen]).to_pylist()
    right = found.tables[1].take(found.pairs.after[chosen]).to_pylist()
    for place, before, after in zip(chosen.tolist(), left, right, strict=True):
        changes = tuple(
            _change(name, before, after, names)
            for name, flags in found.by_field.items()
            if flags[place]
        )
        image = _published(after_images, after)
        told.append(_example("changed", after, image, names, changes))
    return tuple(told)


def _spread(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if len(rows) <= EACH:
        return rows
    return rows[np.linspace(0, len(rows) - 1, EACH).round().astype(np.int64)]


def _example(
    kind: str,
    row: dict[str, Any],
    image: str,
    names: list[str],
    changes: tuple[Change, ...] = (),
) -> Example:
    category = "no category" if row["category_id"] is None else names[row["category_id"]]
    role = row["role"] if row["ignore_reason"] is None else f"ignored ({row['ignore_reason']})"
    return Example(
        kind,
        row["source"],
        image,
        row["source_annotation_id"],
        f"{role}: {category}",
        changes,
    )


def _published(images: pa.Table, row: dict[str, Any]) -> str:
    """The published id of a row's image."""
    place = pc.index(images["image_id"], row["image_id"]).as_py()
    return str(images["source_image_id"][place]) if place >= 0 else "?"


def _change(name: str, old: dict[str, Any], new: dict[str, Any], names: list[str]) -> Change:
    before, after = old[name], new[name]
    if name in ("category_id", "relabelled_from"):
        before, after = (None if code is None else names[code] for code in (before, after))
        return Change("category" if name == "category_id" else name, before, after)
    if name == "segmentation":
        before, after = (None if row[name] is None else row["points"] for row in (old, new))
        return Change("polygon points", before, after)
    if name == "mask_rle":  # thousands of letters
        before, after = (text and f"{len(text)} letters" for text in (before, after))
    return Change(name, before, after)
