"""What differs between the images of two manifests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.diff.columns import differing
from lvis_merge.diff.labels import Labels
from lvis_merge.diff.pairing import pair
from lvis_merge.diff.result import FieldCount, ImageCount
from lvis_merge.manifest.schema import IMAGES
from lvis_merge.merge.rules import SOURCE_ORDER, SPLITS

KEYS = ("source", "source_image_id")
COMPARED = tuple(name for name in IMAGES.schema.names if name not in (*KEYS, "image_id"))
"""Columns in which an image may have changed; `image_id` follows from the key."""

_CATEGORY_LISTS = ("neg_category_ids", "not_exhaustive_category_ids", "pos_category_ids")


def compare_images(
    before: pa.Table, after: pa.Table, labels: Labels
) -> tuple[tuple[ImageCount, ...], tuple[FieldCount, ...]]:
    """Compares images; categories in the lists by what they are, not by id.

    Args:
        before: `schema.IMAGES` of the first manifest.
        after: of the second.
        labels: their categories.

    Returns:
        Counts by source and split, and by column.
    """
    pairs = pair(before, after, KEYS)
    changed = np.zeros(len(pairs.before), np.bool_)
    fields = []
    for name in COMPARED:
        columns = [table[name].combine_chunks() for table in (before, after)]
        if name in _CATEGORY_LISTS:
            columns = [_common(column, labels, side) for side, column in enumerate(columns)]
        flags = differing(
            columns[0].take(pa.array(pairs.before)), columns[1].take(pa.array(pairs.after))
        )
        if flags.any():
            fields.append(FieldCount("images", name, int(flags.sum())))
            changed |= flags
    groups = [_groups(table) for table in (before, after)]
    counts = []
    for source, split in _ordered({*groups[0], *groups[1]}):
        here = [np.array([one == (source, split) for one in group], np.bool_) for group in groups]
        counts.append(
            ImageCount(
                source,
                split,
                int(here[0].sum()),
                int(here[1].sum()),
                int(here[1][pairs.added].sum()),
                int(here[0][pairs.removed].sum()),
                int((here[0][pairs.before] & changed).sum()),
            )
        )
    return tuple(counts), tuple(fields)


def _common(column: pa.ListArray, labels: Labels, side: int) -> pa.ListArray:
    """Lists of category ids as lists of common numbers."""
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), labels.of(side, column.flatten()))


def _groups(table: pa.Table) -> list[tuple[str, str]]:
    return list(zip(table["source"].to_pylist(), table["split"].to_pylist(), strict=True))


def _ordered(groups: set[tuple[str, str]]) -> list[tuple[str, str]]:
    def place(group: tuple[str, str]) -> tuple[int, str, int]:
        source, split = group
        known = SOURCE_ORDER.index(source) if source in SOURCE_ORDER else len(SOURCE_ORDER)
        return known, source, SPLITS.index(split)

    return sorted(groups, key=place)
