"""Corrections that people made: rows to leave out, and boxes of another category.

They are kept in a CSV file under the ids that the sources published, so that they hold for every
later build from the same files.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.labelmap.csv_text import CsvRow, csv_rows, decode_csv

REJECT, RELABEL = "reject", "relabel"
_ADVICE = "Mend the row."


@dataclass(frozen=True)
class Correction:
    """One row of a corrections file.

    Attributes:
        source: the data set that the image or box is from.
        source_image_id: of the image, as published.
        source_annotation_id: of the box, as the manifest has it; empty: the image is meant.
        source_label: what the source called the box; the correction holds only while it still does.
        action: reject or relabel.
        category: name of the new category.
        synset: of the new category, which goes before the name; empty where it has none.
    """

    source: str
    source_image_id: str
    source_annotation_id: str
    source_label: str
    action: str
    category: str = ""
    synset: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What is corrected."""
        return self.source, self.source_image_id, self.source_annotation_id


CORRECTION_COLUMNS = tuple(field.name for field in fields(Correction))


@dataclass(frozen=True)
class Corrections:
    """A corrections file.

    Attributes:
        name: base name, for messages.
        rows: what it says; each image or box once.
        numbers: of each row, its 1-based place in the file.
    """

    name: str
    rows: tuple[Correction, ...] = ()
    numbers: tuple[int, ...] = ()


def read_corrections(data: bytes, name: str) -> Corrections:
    """Reads a corrections file; the first bad row stops the reading.

    Args:
        data: a CSV with `CORRECTION_COLUMNS`, in any order; others are ignored.
        name: base name as given.

    Raises:
        InputError: no CSV, a missing column, an unknown action, an empty id, a relabelling without
            a category or of an image, or an image or box that an earlier row has.
    """
    header, lines = csv_rows(decode_csv(data, name), name)
    if missing := [column for column in CORRECTION_COLUMNS if column not in header]:
        raise InputError(
            f"{name}: has no column {', '.join(missing)}; its first line reads"
            f" {','.join(header)[:200]!r}. Give the file that `lvis-merge curate` wrote."
        )
    places = [header.index(column) for column in CORRECTION_COLUMNS]
    found: dict[tuple[str, str, str], int] = {}
    rows = []
    for line in lines:
        row = _row(line, places, len(header), name)
        if row.key in found:
            raise InputError(
                f"{name}, row {line.row}: row {found[row.key]} corrects the same. Remove one."
            )
        found[row.key] = line.row
        rows.append(row)
    return Corrections(name, tuple(rows), tuple(line.row for line in lines))


def _row(line: CsvRow, places: Sequence[int], columns: int, name: str) -> Correction:
    where = f"{name}, row {line.row}"
    if len(line.fields) != columns:
        raise InputError(f"{where}: has {len(line.fields)} fields, not {columns}. {_ADVICE}")
    row = Correction(*(line.fields[place].strip() for place in places))
    if row.action not in (REJECT, RELABEL):
        raise InputError(f"{where}: action {row.action!r} is not reject or relabel. {_ADVICE}")
    if not row.source or not row.source_image_id:
        raise InputError(f"{where}: source or source_image_id is empty. {_ADVICE}")
    if row.action == RELABEL and not (row.category or row.synset):
        raise InputError(f"{where}: relabel needs a category. {_ADVICE}")
    if row.action == RELABEL and not row.source_annotation_id:
        raise InputError(
            f"{where}: relabel needs a source_annotation_id: an image has no category of its own."
            f" {_ADVICE}"
        )
    return row


def corrections_csv(rows: Iterable[Correction]) -> str:
    """The text of a corrections file, rows by key."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CORRECTION_COLUMNS)
    writer.writerows(astuple(row) for row in sorted(rows, key=lambda row: row.key))
    return text.getvalue()


class CategoryNames:
    """The categories of a label space by what a correction may call them.

    Args:
        categories: with `category_id` and `name`, and `synset` and `source_label` where the label
            space has them.
    """

    def __init__(self, categories: pa.Table) -> None:
        ids = categories["category_id"].to_pylist()
        self._by: dict[str, dict[str, int]] = {}
        for column in ("synset", "name", "source_label"):
            values = (
                categories[column].to_pylist()
                if column in categories.schema.names
                else [None] * len(ids)
            )
            # of equal names the first
            self._by[column] = {
                value: category
                for value, category in zip(reversed(values), reversed(ids), strict=True)
                if value
            }

    def find(self, name: str, synset: str = "") -> int | None:
        """The category id of a synset, else of a name or a source label; None if there is none."""
        if synset and synset in self._by["synset"]:
            return self._by["synset"][synset]
        return self._by["name"].get(name, self._by["source_label"].get(name))

    def like(self, name: str) -> str:
        """`: did you mean A, B?` or nothing."""
        near = difflib.get_close_matches(name, list(self._by["name"]), 3)
        return f": did you mean {', '.join(near)}?" if near else "."


def new_categories(corrections: Corrections, categories: pa.Table) -> dict[int, int]:
    """The category that each relabelling gives, by place in `corrections.rows`.

    Raises:
        InputError: the label space has no such category.
    """
    names = CategoryNames(categories)
    found = {}
    for place, (row, number) in enumerate(zip(corrections.rows, corrections.numbers, strict=True)):
        if row.action != RELABEL:
            continue
        category = names.find(row.category, row.synset)
        if category is None:
            raise InputError(
                f"{corrections.name}, row {number}: this label space has no category"
                f" {row.category or row.synset}{names.like(row.category)} {_ADVICE}"
            )
        found[place] = category
    return found
