"""First and second pass over one table of the folder, in one file or several.

The first pass gives every range of its files to a pure function and collects what it returns,
together with the bad rows; the second fetches the rows of a few images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import HopelessFileError, InputError
from lvis_merge.sources.csv_chunks import row_texts, take_rows, well_quoted
from lvis_merge.sources.csv_rows import ColumnKind, ParsedRows, parse_rows
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.open_images.ids import IdIndex, Runs
from lvis_merge.sources.plan import run_plan
from lvis_merge.sources.ranges import Range
from lvis_merge.sources.rejects import Reject, rejects_table
from lvis_merge.sources.tables import REJECT_ROWS

Advance = Callable[[int], None]
Look = Callable[[tuple[str, ...], bytes], "ChunkScan"]
"""Pure function of a file's columns and a range's bytes."""
SOURCE = "open_images"
R = TypeVar("R")


@dataclass(frozen=True)
class ImageRuns:
    """Where the good rows of each image stand in a table, run by run.

    Attributes:
        image: int32 [K], place of the image in the image list.
        chunk: int32 [K], range that the run is in.
        first: int32 [K], number in the range of the run's first good row.
        last: int32 [K], number in the range of the run's last good row.
        good: int32 [K], good rows in the run.
    """

    image: np.ndarray
    chunk: np.ndarray
    first: np.ndarray
    last: np.ndarray
    good: np.ndarray

    @classmethod
    def concat(cls, parts: Sequence[ImageRuns]) -> ImageRuns:
        """The runs of several ranges, ranges numbered in order."""
        if not parts:
            return cls(*(np.zeros(0, np.int32) for _ in range(5)))
        chunk = np.repeat(
            np.arange(len(parts), dtype=np.int32), [len(part.image) for part in parts]
        )
        image, first, last, good = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("image", "first", "last", "good")
        )
        return cls(image, chunk, first, last, good)

    def rows_per_image(self, images: int) -> np.ndarray:
        """int64 [images]: good rows of each image."""
        return np.bincount(self.image, weights=self.good, minlength=images).astype(np.int64)


@dataclass(frozen=True)
class ChunkScan:
    """What the first pass keeps of one range.

    Attributes:
        rows: data rows, good or bad.
        rejects: bad rows, numbered in the range from 0.
        runs: the good rows by image; `chunk` is not filled yet.
        found: whatever else the file's kind needs.
    """

    rows: int
    rejects: tuple[Reject, ...]
    runs: ImageRuns
    found: Any = None


@dataclass(frozen=True)
class FileScan:
    """The first pass over a table.

    Attributes:
        table: its files, cut as they were scanned.
        rows: data rows, good or bad.
        rejects: bad rows as a `rejects` table.
        runs: where the good rows of each image stand.
        found: what the ranges gave, in order.
        bases: int64 [ranges], data rows before each range.
    """

    table: CsvTable
    rows: int
    rejects: pa.Table
    runs: ImageRuns
    found: list[Any]
    bases: np.ndarray


def scan_table(table: CsvTable, kind: str, look: Look, advance: Advance) -> FileScan:
    """Runs the first pass.

    Args:
        table: the table.
        kind: what its rows are, for rejects.
        look: pure function of a file's columns and a range's bytes.
        advance: told of each finished range.
    """
    table, scans = read_ranges(table, look, advance)
    return _joined(table, kind, scans)


def read_ranges(
    table: CsvTable, look: Callable[[tuple[str, ...], bytes], R], advance: Advance
) -> tuple[CsvTable, list[R]]:
    """Applies a pure function to every range of a table; stops at far too many bad rows.

    Returns:
        The table, cut anew where a range began or ended inside a quoted field, and the results in
        the order of its ranges.
    """
    try:
        found = run_plan(partial(_if_well_quoted, look), table.ranges, advance)
        if None in found:
            table = table.recut()
            found = run_plan(partial(_whole, look), table.ranges, advance)
    except HopelessFileError as error:
        raise InputError(f"{table.name}: has {error}") from error
    return table, [of_range[0] for of_range in found if of_range is not None]


def _joined(table: CsvTable, kind: str, scans: Sequence[ChunkScan]) -> FileScan:
    bases = np.concatenate([[0], np.cumsum([scan.rows for scan in scans])]).astype(np.int64)
    rejects = [REJECT_ROWS.empty_table()]
    for number, file in enumerate(table.files):
        first, stop = table.first_ranges[number : number + 2].tolist()
        of_file = [
            Reject(int(base - bases[first]) + reject.row + 1, reject.reason, reject.raw)
            for base, scan in zip(bases[first:stop], scans[first:stop], strict=True)
            for reject in scan.rejects
        ]
        if of_file:
            rejects.append(rejects_table(SOURCE, file.name, kind, of_file))
    return FileScan(
        table,
        int(bases[-1]),
        pa.concat_tables(rejects).combine_chunks(),
        ImageRuns.concat([scan.runs for scan in scans]),
        [scan.found for scan in scans],
        bases[:-1],
    )


def _if_well_quoted(look: Callable[[tuple[str, ...], bytes], R], of_file: Range) -> tuple[R] | None:
    """None where the quotes show that a cut may lie inside a quoted field."""
    data = of_file.read()
    good = b'"' not in data or well_quoted(data)
    return (look(of_file.columns, data),) if good else None


def _whole(look: Callable[[tuple[str, ...], bytes], R], of_file: Range) -> tuple[R]:
    return (look(of_file.columns, of_file.read()),)


@dataclass(frozen=True)
class KeyedRows:
    """Rows of a range with the place of their image.

    Attributes:
        parsed: the rows that pass `columns` and `value`.
        runs: those rows by image id.
        run_images: int32 [K], place of each run's image, -1 where unknown.
        row_images: int32 [N], the same for every row.
    """

    parsed: ParsedRows
    runs: Runs
    run_images: np.ndarray
    row_images: np.ndarray


def key_rows(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind], index: IdIndex
) -> KeyedRows:
    """Parses a range and looks its images up."""
    parsed = parse_rows(data, columns, kinds)
    runs = Runs.of(parsed.table["ImageID"].combine_chunks())
    run_images = index.find(runs.ids)
    return KeyedRows(parsed, runs, run_images, np.repeat(run_images, runs.lengths))


def finish_scan(
    keyed: KeyedRows, bad: Mapping[str, np.ndarray], data: bytes, found: Any
) -> ChunkScan:
    """Adds rows that break a rule to the rejects and the rest to the runs.

    Args:
        keyed: the rows.
        bad: reason -> bool [N], in the order in which reasons are told.
        data: the range, for the text of bad rows.
        found: passed on.
    """
    reason = np.full(len(keyed.row_images), -1)
    for place, mask in reversed(list(enumerate(bad.values()))):
        reason[mask] = place
    names = list(bad)
    broken = np.flatnonzero(reason >= 0)
    rejects = list(keyed.parsed.rejects)
    if len(broken):
        texts = row_texts(data)
        rejects += [
            Reject(number, names[reason[row]], texts[number])
            for row in broken.tolist()
            for number in [int(keyed.parsed.numbers[row])]
        ]
    runs = keyed.runs
    good: np.ndarray = np.zeros(0, np.int32)
    if len(runs.stops):
        good = np.add.reduceat((reason < 0).astype(np.int32), runs.starts)
    kept = np.flatnonzero((keyed.run_images >= 0) & (good > 0))
    numbers = keyed.parsed.numbers
    return ChunkScan(
        keyed.parsed.rows,
        tuple(rejects),
        ImageRuns(
            keyed.run_images[kept],
            np.zeros(len(kept), np.int32),
            numbers[runs.starts[kept]].astype(np.int32),
            numbers[runs.stops[kept] - 1].astype(np.int32),
            good[kept],
        ),
        found,
    )


def gather(
    scan: FileScan,
    kinds: Mapping[str, ColumnKind],
    chosen: np.ndarray,
    index: IdIndex,
    advance: Advance = lambda number: None,
) -> pa.Table:
    """Second pass: the rows of some images, in file order.

    Args:
        scan: the first pass.
        kinds: columns to read.
        chosen: bool [images].
        index: the image list's index.
        advance: told of each finished range.

    Returns:
        The columns of `kinds` as plain (not dictionary) arrays, with `image` int32, the place of
        the row's image. Rows that the first pass rejected by a rule of meaning are among them.
    """
    runs = scan.runs
    wanted = np.flatnonzero(chosen[runs.image])
    chunks, starts = np.unique(runs.chunk[wanted], return_index=True)
    tasks = []
    for chunk, at in zip(chunks.tolist(), np.split(wanted, starts[1:]), strict=False):
        rows = np.unique(_spans(runs.first[at], runs.last[at]))
        tasks.append((scan.table.ranges[chunk], rows))
    tables = run_plan(partial(_fetch, dict(kinds)), tasks, advance)
    schema = pa.schema([(name, _plain(kind.type)) for name, kind in kinds.items()])
    table = pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()
    image = index.find(_one(table["ImageID"]))
    table = table.append_column("image", pa.array(image, pa.int32()))
    return table.filter(pa.array(np.concatenate([chosen, [False]])[image]))


def _spans(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """All integers of the closed spans."""
    lengths = (last - first + 1).astype(np.int64)
    ends = np.cumsum(lengths)
    shift = np.repeat(first - np.concatenate([[0], ends[:-1]]), lengths)
    return np.asarray(np.arange(ends[-1]) + shift)


def _fetch(kinds: Mapping[str, ColumnKind], wanted: tuple[Range, np.ndarray]) -> pa.Table:
    of_file, rows = wanted
    table = parse_rows(take_rows(of_file.read(), rows), of_file.columns, kinds).table
    plain = [pc.cast(_one(table[name]), _plain(kind.type)) for name, kind in kinds.items()]
    return pa.table(plain, names=list(kinds))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
