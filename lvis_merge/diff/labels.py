"""Categories of two manifests under common numbers: ids differ between LVIS versions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.diff.result import Change

_IDENTITIES = ("synset", "source_label", "name", "category_id")
"""What may tell a category of both manifests; the first that is there and unique in each."""

_DESCRIBED = (
    "category_id", "name", "synset", "frequency", "image_count_published",
    "instance_count_published", "is_tail",
)  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """The categories of two manifests.

    Attributes:
        tables: `schema.CATEGORIES` of each.
        codes: int64 [C] for each, the common number of each row's category.
        count: how many numbers there are.
    """

    tables: tuple[pa.Table, pa.Table]
    codes: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    count: int

    def of(self, side: int, ids: pa.Array) -> pa.Array:
        """The common numbers of category ids: int64 [N], null for null.

        Args:
            side: 0 for the first manifest, 1 for the second.
            ids: category ids of that manifest.
        """
        known = self.tables[side]["category_id"].combine_chunks()
        return pa.array(self.codes[side]).take(pc.index_in(ids, value_set=known))

    def rows(self) -> list[tuple[dict[str, object] | None, dict[str, object] | None]]:
        """By common number: the category's row in each manifest."""
        found: list[list[dict[str, object] | None]] = [[None, None] for _ in range(self.count)]
        for side, (table, codes) in enumerate(zip(self.tables, self.codes, strict=True)):
            for row, code in zip(table.to_pylist(), codes.tolist(), strict=True):
                found[code][side] = row
        return [(before, after) for before, after in found]


def common_labels(before: pa.Table, after: pa.Table) -> Labels:
    """Numbers the categories of two manifests.

    Args:
        before: `schema.CATEGORIES` of the first.
        after: of the second.
    """
    column = next(name for name in _IDENTITIES if _tells(before[name]) and _tells(after[name]))
    both = pa.chunked_array([*before[column].chunks, *after[column].chunks], before[column].type)
    known = both.combine_chunks().dictionary_encode()
    codes = known.indices.to_numpy().astype(np.int64)
    return Labels(
        (before, after), (codes[: len(before)], codes[len(before) :]), len(known.dictionary)
    )


def _tells(column: pa.ChunkedArray) -> bool:
    return not column.null_count and pc.count_distinct(column).as_py() == len(column)


def described_otherwise(labels: Labels) -> tuple[Change, ...]:
    """Categories that only one manifest has, or that it describes otherwise."""
    changes = []
    for before, after in labels.rows():
        if before is None or after is None:
            row = before or after
            assert row is not None
            there = "category"
            changes.append(Change(str(row["name"]), before and there, after and there))
            continue
        for name in _DESCRIBED:
            if before[name] != after[name]:
                changes.append(Change(f"{after['name']}: {name}", before[name], after[name]))
    return tuple(changes)
