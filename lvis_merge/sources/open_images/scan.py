"""First pass over one table of the folder, in one file or several.

Every range of its files goes through a pure function; the good rows, run by run, go into buckets
by image, the bad ones into the rejects. Whether an image is known, or listed twice, shows only when
buckets are read: the rows that turn out bad then are rejected by a second look at their range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from lvis_merge.errors import HopelessFileError, InputError
from lvis_merge.sources.buckets import Buckets
from lvis_merge.sources.csv_chunks import row_texts, well_quoted
from lvis_merge.sources.csv_rows import ParsedRows
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.open_images.ids import Runs, manifest_image_ids
from lvis_merge.sources.plan import run_plan, stream_plan
from lvis_merge.sources.ranges import Range
from lvis_merge.sources.rejects import RAW_CHARACTERS, Reject, rejects_table
from lvis_merge.sources.tables import REJECT_ROWS

Advance = Callable[[int], None]
SOURCE = "open_images"
_KEPT_REJECTS = 100_000
"""Of a table; more are looked up again, should the build go on with so many."""
CHUNK = pa.field("chunk", pa.int32())
RUNS = pa.schema(
    [
        CHUNK,
        ("image_id", pa.int64()),
        ("id", pa.string()),
        ("first", pa.int32()),
        ("last", pa.int32()),
        ("good", pa.int32()),
    ]
)
"""Neighbouring rows of an image: the range that they are in, the image's manifest id and ImageID,
the numbers of the first and the last in their range, and how many of them are good."""


@dataclass(frozen=True)
class Spans:
    """Rows of a range: those from a first to a last number, both included, ascending.

    Attributes:
        first: int32 [K].
        last: int32 [K].
    """

    first: np.ndarray
    last: np.ndarray

    def hold(self, numbers: np.ndarray) -> np.ndarray:
        """bool [N]: whether rows of these numbers are among them."""
        if not len(self.first):
            return np.zeros(len(numbers), dtype=bool)
        at = np.searchsorted(self.first, numbers, side="right") - 1
        return np.asarray((at >= 0) & (numbers <= self.last[at]))


NO_SPANS = Spans(np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(frozen=True)
class ChunkScan:
    """What the first pass finds in a range.

    Attributes:
        rows: data rows, good or bad.
        rejects: bad rows, numbered in the range from 0.
        found: what goes into the buckets, without `chunk`.
    """

    rows: int
    rejects: tuple[Reject, ...]
    found: pa.Table


Look = Callable[[Spans, tuple[str, ...], bytes], ChunkScan]
"""Pure function of rows that are known to be bad, a file's columns and a range's bytes."""


@dataclass(frozen=True)
class FileScan:
    """The first pass over a table.

    Attributes:
        table: its files, cut as they were scanned.
        kind: what its rows are, for rejects.
        range_rows: by range, data rows, good or bad.
        range_bad: by range, bad rows.
        kept_rejects: the bad rows of the ranges that have some, as far as memory should hold them.
    """

    table: CsvTable
    kind: str
    range_rows: tuple[int, ...]
    range_bad: tuple[int, ...]
    kept_rejects: Mapping[int, tuple[Reject, ...]]

    @property
    def rows(self) -> int:
        """Data rows, good or bad."""
        return sum(self.range_rows)

    @property
    def bad(self) -> int:
        """Bad rows."""
        return sum(self.range_bad)

    def rejects(self, look: Look, late: Mapping[int, Spans], first_only: bool) -> pa.Table:
        """Bad rows as a `rejects` table, numbered in their files; ranges are read again for some.

        Args:
            look: that the first pass was made with.
            late: range -> rows that have turned out to be bad since.
            first_only: whether those of the first range that has any are enough.
        """
        places = sorted({place for place, bad in enumerate(self.range_bad) if bad} | late.keys())
        places = places[:1] if first_only else places
        again = [place for place in places if place in late or place not in self.kept_rejects]
        tasks = [(self.table.ranges[place], late.get(place, NO_SPANS)) for place in again]
        found = {place: self.kept_rejects.get(place, ()) for place in places}
        found |= dict(zip(again, run_plan(partial(_rejects, look), tasks), strict=True))
        bases = np.concatenate([[0], np.cumsum(self.range_rows)]).astype(np.int64)
        tables = [REJECT_ROWS.empty_table()]
        for number, file in enumerate(self.table.files):
            first, stop = self.table.first_ranges[number : number + 2].tolist()
            of_file = [
                Reject(int(bases[place] - bases[first]) + bad.row + 1, bad.reason, bad.raw)
                for place in places
                if first <= place < stop
                for bad in found[place]
            ]
            if of_file:
                tables.append(rejects_table(SOURCE, file.name, self.kind, of_file))
        return pa.concat_tables(tables).combine_chunks()


def scan_table(
    table: CsvTable, kind: str, look: Look, found: Buckets, advance: Advance
) -> FileScan:
    """Runs the first pass; the table is cut anew where a range cuts a quoted field.

    Args:
        table: the table.
        kind: what its rows are, for rejects.
        look: what to do with a range.
        found: empty, for what it finds.
        advance: told of each finished range.

    Raises:
        InputError: a file with far too many bad rows, or a disk that does not take what is found.
    """
    try:
        scan = _scan(table, kind, partial(_if_well_quoted, look), found, advance)
        if scan is None:
            found.clear()
            scan = _scan(table.recut(), kind, partial(_whole, look), found, advance)
    except HopelessFileError as error:
        raise InputError(f"{table.name}: has {error}") from error
    assert scan is not None
    return scan


def _scan(
    table: CsvTable,
    kind: str,
    work: Callable[[Range], ChunkScan | None],
    found: Buckets,
    advance: Advance,
) -> FileScan | None:
    rows, bad = [0] * len(table.ranges), [0] * len(table.ranges)
    kept: dict[int, tuple[Reject, ...]] = {}
    room = _KEPT_REJECTS
    for place, scan in stream_plan(work, table.ranges, advance):
        if scan is None:
            return None
        rows[place], bad[place] = scan.rows, len(scan.rejects)
        if 0 < bad[place] <= room:
            kept[place] = scan.rejects
            room -= bad[place]
        chunk = pa.array(np.full(len(scan.found), place, np.int32))
        found.add(scan.found.add_column(0, CHUNK, chunk))
    return FileScan(table, kind, tuple(rows), tuple(bad), kept)


def _if_well_quoted(look: Look, of_file: Range) -> ChunkScan | None:
    """None where the quotes show that a cut may lie inside a quoted field."""
    data = of_file.read()
    good = b'"' not in data or well_quoted(data)
    return look(NO_SPANS, of_file.columns, data) if good else None


def _whole(look: Look, of_file: Range) -> ChunkScan:
    return look(NO_SPANS, of_file.columns, of_file.read())


def _rejects(look: Look, task: tuple[Range, Spans]) -> tuple[Reject, ...]:
    of_file, late = task
    return look(late, of_file.columns, of_file.read()).rejects


def first_reason(bad: Mapping[str, np.ndarray]) -> np.ndarray:
    """int8 [N]: place of the first reason that holds, -1 for a good row."""
    reason = np.full(len(next(iter(bad.values()))), -1, dtype=np.int8)
    for place, mask in reversed(list(enumerate(bad.values()))):
        reason[mask] = place
    return reason


def all_rejects(
    parsed: ParsedRows, reason: np.ndarray, reasons: Sequence[str], data: bytes
) -> tuple[Reject, ...]:
    """The rows of a range that cannot be read, and those that break a rule.

    Args:
        parsed: the readable rows.
        reason: int8 [N], of `first_reason`.
        reasons: what the places stand for.
        data: the range, for the text of the rows.
    """
    rejects = list(parsed.rejects)
    broken = np.flatnonzero(reason >= 0)
    if len(broken):
        texts = row_texts(data)
        rejects += [
            Reject(number, reasons[reason[row]], texts[number])
            for row, number in zip(broken.tolist(), parsed.numbers[broken].tolist(), strict=True)
        ]
    return tuple(replace(reject, raw=reject.raw[:RAW_CHARACTERS]) for reject in rejects)


def runs_table(parsed: ParsedRows, runs: Runs, good: np.ndarray) -> pa.Table:
    """`RUNS` of a range, without `chunk`.

    Args:
        parsed: the readable rows.
        runs: those rows by image.
        good: bool [N], which of them break no rule.
    """
    number: np.ndarray = np.zeros(0, np.int32)
    if len(runs.stops):
        number = np.add.reduceat(good.astype(np.int32), runs.starts)
    columns = {
        "image_id": manifest_image_ids(runs.ids),
        "id": runs.ids,
        "first": parsed.numbers[runs.starts],
        "last": parsed.numbers[runs.stops - 1],
        "good": number,
    }
    schema = RUNS.remove(0)
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)
