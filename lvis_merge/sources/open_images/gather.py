"""Second pass over one table of the folder: the rows of a few images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.sources.csv_chunks import take_rows
from lvis_merge.sources.csv_rows import ColumnKind, parse_rows
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.open_images.ids import IdIndex
from lvis_merge.sources.open_images.scan import Advance
from lvis_merge.sources.plan import run_plan
from lvis_merge.sources.ranges import READ_AGAIN, Range


def gather(
    table: CsvTable,
    kinds: Mapping[str, ColumnKind],
    runs: pa.Table,
    index: IdIndex,
    advance: Advance = lambda number: None,
) -> pa.Table:
    """The rows of some images, in file order.

    Args:
        table: cut as it was scanned.
        kinds: columns to read.
        runs: `chunk`, `first` and `last` of those images' rows, in any order.
        index: places of the images.
        advance: told of each finished range.

    Returns:
        The columns of `kinds` as plain (not dictionary) arrays, with `image` int32, the place of
        the row's image. Rows that the first pass rejected by a rule of meaning are among them.

    Raises:
        InputError: the rows are of other images than in the first pass.
    """
    chunk, first, last = (runs[name].to_numpy() for name in ("chunk", "first", "last"))
    order = np.argsort(chunk, kind="stable")
    chunks, starts = np.unique(chunk[order], return_index=True)
    tasks = [
        (table.ranges[place], np.unique(_numbers(first[at], last[at])))
        for place, at in zip(chunks.tolist(), np.split(order, starts[1:]), strict=False)
    ]
    tables = run_plan(partial(_rows, dict(kinds)), tasks, advance)
    schema = pa.schema([(name, _plain(kind.type)) for name, kind in kinds.items()])
    rows = pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()
    image = index.find(_one(rows["ImageID"]))
    if (image < 0).any():
        raise InputError(f"{table.name}: changed while it was read. {READ_AGAIN}")
    return rows.append_column("image", pa.array(image, pa.int32()))


def _numbers(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """All integers of the closed spans."""
    lengths = (last - first + 1).astype(np.int64)
    ends = np.cumsum(lengths)
    shift = np.repeat(first - np.concatenate([[0], ends[:-1]]), lengths)
    return np.asarray(np.arange(ends[-1]) + shift)


def _rows(kinds: Mapping[str, ColumnKind], wanted: tuple[Range, np.ndarray]) -> pa.Table:
    of_file, rows = wanted
    table = parse_rows(take_rows(of_file.read(), rows), of_file.columns, kinds).table
    plain = [pc.cast(_one(table[name]), _plain(kind.type)) for name, kind in kinds.items()]
    return pa.table(plain, names=list(kinds))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
