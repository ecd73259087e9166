"""What differs between the annotations of two manifests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.diff.columns import differing
from lvis_merge.diff.labels import Labels
from lvis_merge.diff.pairing import Pairs, pair
from lvis_merge.diff.result import CategoryCount, FieldCount, SourceCount
from lvis_merge.merge.rules import SOURCE_ORDER

KEYS = ("image_id", "source", "source_annotation_id")
"""What tells an annotation. The image tells train and val apart, whose ids may be the same; its
own id follows from the published one. Open Images' ids count the rows of an image, and so hold as
long as the box file does."""

COMPARED = (
    "category_id", "bbox", "area", "segmentation", "mask_rle", "role", "ignore_reason",
    "source_label", "map_relation", "annotation_method", "matched_annotation_id", "is_occluded",
    "is_truncated", "is_group_of", "is_depiction", "is_inside", "relabelled_from",
)  # fmt: skip
"""Columns in which an annotation may have changed; `annotation_id` is only its place."""

_PAIRS_AT_A_TIME = 1 << 18

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AnnotationDiff:
    """Annotations of two manifests, compared.

    Attributes:
        tables: of each, `KEYS`, `COMPARED` and `points`, in one chunk.
        pairs: which rows are the same thing.
        by_field: by column, bool [P]: the pairs of which it differs.
        changed: bool [P], pairs of which something differs.
    """

    tables: tuple[pa.Table, pa.Table]
    pairs: Pairs
    by_field: dict[str, Flags]
    changed: Flags

    def fields(self) -> tuple[FieldCount, ...]:
        """How many pairs differ in each column."""
        counts = {name: int(flags.sum()) for name, flags in self.by_field.items()}
        return tuple(FieldCount("annotations", name, n) for name, n in counts.items() if n)


def compare_annotations(before: pa.Table, after: pa.Table, labels: Labels) -> AnnotationDiff:
    """Compares annotations.

    Categories are compared by what they are, not by id; a matched annotation by its published id.

    Args:
        before: of the first manifest, `annotation_id`, `KEYS`, `COMPARED` and `points`; polygons as
            digests.
        after: of the second.
        labels: their categories.
    """
    tables = (
        _comparable(before, labels, 0).combine_chunks(),
        _comparable(after, labels, 1).combine_chunks(),
    )
    pairs = pair(*tables, KEYS)
    by_field: dict[str, np.ndarray] = {
        name: np.zeros(len(pairs.before), np.bool_) for name in COMPARED
    }
    for start in range(0, len(pairs.before), _PAIRS_AT_A_TIME):
        here = slice(start, start + _PAIRS_AT_A_TIME)
        left = _taken(tables[0], pairs.before[here])
        right = _taken(tables[1], pairs.after[here])
        for name, flags in by_field.items():
            flags[here] = differing(left[name].combine_chunks(), right[name].combine_chunks())
    changed = np.zeros(len(pairs.before), np.bool_)
    for flags in by_field.values():
        changed |= flags
    return AnnotationDiff(tables, pairs, by_field, changed)


def _comparable(table: pa.Table, labels: Labels, side: int) -> pa.Table:
    ids = table["annotation_id"].combine_chunks()
    matched = pc.index_in(table["matched_annotation_id"].combine_chunks(), value_set=ids)
    replaced = {
        "category_id": labels.of(side, table["category_id"].combine_chunks()),
        "relabelled_from": labels.of(side, table["relabelled_from"].combine_chunks()),
        "matched_annotation_id": table["source_annotation_id"].combine_chunks().take(matched),
    }
    names = (*KEYS, *COMPARED, "points")
    return pa.table({name: replaced.get(name, table[name]) for name in names})


def _taken(table: pa.Table, rows: npt.NDArray[np.int64]) -> pa.Table:
    """Some rows; a run of rows is not copied."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return table.slice(rows[0], len(rows))
    return table.take(pa.array(rows))


def source_counts(found: AnnotationDiff) -> tuple[SourceCount, ...]:
    """Annotations by source, in the order of the merge."""
    first, second = found.tables
    names = {*pc.unique(first["source"]).to_pylist(), *pc.unique(second["source"]).to_pylist()}
    ordered = [name for name in SOURCE_ORDER if name in names]
    counts = []
    for source in [*ordered, *sorted(names.difference(ordered))]:
        own = [_is(table["source"], source) for table in found.tables]
        objects = [_is(table["role"], "object") for table in found.tables]
        counts.append(
            SourceCount(
                source,
                int((own[0] & objects[0]).sum()),
                int((own[1] & objects[1]).sum()),
                int((own[0] & ~objects[0]).sum()),
                int((own[1] & ~objects[1]).sum()),
                int(own[1][found.pairs.added].sum()),
                int(own[0][found.pairs.removed].sum()),
                int((own[0][found.pairs.before] & found.changed).sum()),
            )
        )
    return tuple(counts)


def category_counts(found: AnnotationDiff, labels: Labels) -> tuple[CategoryCount, ...]:
    """Categories whose rows differ, those that differ most first."""
    objects = [_is(table["role"], "object") for table in found.tables]
    codes = [
        pc.fill_null(table["category_id"], labels.count).to_numpy().astype(np.int64)
        for table in found.tables
    ]

    def count(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        counted: npt.NDArray[np.int64] = np.bincount(values, minlength=labels.count + 1)
        return counted[:-1]

    before, after = (codes[side][objects[side]] for side in (0, 1))
    pairs = found.pairs
    old, new = codes[0][pairs.before], codes[1][pairs.after]
    was, now = objects[0][pairs.before], objects[1][pairs.after]
    moved = (old != new) | (was != now)
    columns = np.stack(
        [
            count(before),
            count(after),
            count(codes[1][pairs.added][objects[1][pairs.added]]),
            count(codes[0][pairs.removed][objects[0][pairs.removed]]),
            count(new[moved & now]),
            count(old[moved & was]),
            count(new[~moved & now & found.changed]),
            *(
                count(_once_an_image(found.tables[side], objects[side], codes[side]))
                for side in (0, 1)
            ),
            *(count(codes[side][~objects[side]]) for side in (0, 1)),
        ],
        axis=1,
    )
    differs = columns[:, 2:7].any(axis=1) | (columns[:, 9] != columns[:, 10])
    rows = labels.rows()
    counts = []
    for code in np.flatnonzero(differs).tolist():
        row = rows[code][1] or rows[code][0]
        assert row is not None
        frequency = row["frequency"]
        counts.append(
            CategoryCount(
                str(row["name"]),
                None if frequency is None else str(frequency),
                *columns[code].tolist(),
            )
        )
    return tuple(sorted(counts, key=_place))


def _place(one: CategoryCount) -> tuple[int, int, str]:
    """The most objects that differ first, then the most ignore regions, then by name."""
    regions = abs(one.ignore_after - one.ignore_before)
    return -one.objects_differ, -regions, one.name


def _once_an_image(
    table: pa.Table, objects: Flags, codes: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The categories of the objects, each once for an image."""
    images = table["image_id"].to_numpy()[objects]
    place = np.cumsum(np.diff(images, prepend=images[:1]) != 0)  # rows are in order of the image
    width = int(codes.max(initial=0)) + 1
    keys = np.sort(place * width + codes[objects])
    once: npt.NDArray[np.int64] = keys[np.diff(keys, prepend=-1) != 0] % width
    return once


def _is(column: pa.ChunkedArray, value: str) -> Flags:
    flags: Flags = pc.equal(column, value).to_numpy()
    return flags
