"""One table in one or several files: CSV, or Parquet with the same column names.

The order of the files is that of the rows; which row is in which file changes no result, only what
bad rows are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from lvis_merge.errors import InputError
from lvis_merge.sources.csv_chunks import CsvFile, check_columns, recut
from lvis_merge.sources.files import first_line
from lvis_merge.sources.ranges import Range, RangedFile, UnreadableError, file_size

PARQUET = ".parquet"
_FEW_ROWS = 100_000
_TEXT_BYTES = 1 << 29
"""Of a row group as CSV; a million rows of boxes are a fifth of it."""
_AGAIN = "Write it again."


@dataclass(frozen=True)
class RowGroup:
    """A row group of a Parquet file, read as rows of a CSV file: one set of checks serves both.

    Attributes:
        path: local path or URL.
        number: of the row group.
        columns: of the file.
        size: bytes of the row group, unpacked.
    """

    path: Path | str
    number: int
    columns: tuple[str, ...]
    size: int = 0

    def read(self) -> bytes:
        """The rows as CSV without a header.

        Raises:
            InputError: it is damaged, or of columns that are no text, or far too large as text.
        """
        try:
            return self._as_csv()
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{self.path}: row group {self.number} cannot be read ({first_line(error)})."
                f" {_AGAIN}"
            ) from error

    def _as_csv(self) -> bytes:
        found = pq.ParquetFile(RangedFile(self.path))
        texts = [field.name for field in found.schema_arrow if pa.types.is_string(field.type)]
        # a text that is in the file once for many rows is in memory once, until it is measured
        file = pq.ParquetFile(RangedFile(self.path), metadata=found.metadata, read_dictionary=texts)
        table = file.read_row_group(self.number, columns=list(self.columns))
        if (size := sum(map(_text_bytes, table.columns))) > _TEXT_BYTES:
            raise InputError(
                f"{self.path}: row group {self.number} is {size >> 20:,} MiB as text, which is more"
                " than a table of Open Images has. Write it in smaller row groups."
            )
        out = pa.BufferOutputStream()
        pyarrow.csv.write_csv(
            pa.table([_texts(column) for column in table.columns], names=table.column_names),
            out,
            pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed"),
        )
        return bytes(out.getvalue())


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Of a column of texts that are kept once each."""
    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = (
        pc.sum(pc.binary_length(pc.cast(chunk.dictionary, pa.large_binary())).take(chunk.indices))
        for chunk in column.chunks
    )
    return sum(length.as_py() or 0 for length in lengths)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as a CSV file would have it: flags as 0 and 1, nulls as nothing.

    Bytes that are no UTF-8 stay: a CSV file may hold them too, and its rows are rejected.
    """
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    return pc.cast(column, pa.string(), safe=False)


@dataclass(frozen=True)
class CsvTable:
    """A table.

    Attributes:
        files: at least one; all with the same columns, in any order.
    """

    files: tuple[CsvFile, ...]

    @property
    def name(self) -> str:
        """Of the first file."""
        return self.files[0].name

    @property
    def columns(self) -> frozenset[str]:
        """Names."""
        return frozenset(self.files[0].columns)

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """Of all files, in order."""
        return tuple(chunk for file in self.files for chunk in file.chunks)

    @cached_property
    def first_ranges(self) -> np.ndarray:
        """int64 [files + 1]: place in `ranges` where each file starts, and their number."""
        return np.cumsum([0, *(len(file.chunks) for file in self.files)])

    def recut(self) -> CsvTable:
        """The same table, its CSV files cut only where no quoted field is open."""
        return CsvTable(
            tuple(file if file.name.endswith(PARQUET) else recut(file) for file in self.files)
        )


def table_of(files: Sequence[CsvFile]) -> CsvTable:
    """One table of several files.

    Raises:
        InputError: their columns differ.
    """
    for file in files:
        if set(file.columns) != set(files[0].columns):
            odd = sorted(set(file.columns) ^ set(files[0].columns))
            raise InputError(
                f"{file.name}: is a part of one table with {files[0].name}, but only one of"
                f" them has {', '.join(odd)[:300]}. Mend one, or leave it out."
            )
    return CsvTable(tuple(files))


def open_parquet(path: Path | str, name: str, needed: Sequence[str]) -> CsvFile:
    """Reads the schema of a Parquet file; its row groups are the ranges.

    Args:
        path: local path or URL.
        name: base name as the user gave it, for messages.
        needed: columns that must be there.

    Raises:
        InputError: it is no Parquet file, lacks a needed column, or has more rows than bytes.
    """
    try:
        found = pq.ParquetFile(RangedFile(path))
        rows = found.metadata.num_rows
        schema = found.schema_arrow
    except UnreadableError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name}: is no Parquet file, or cut short. {_AGAIN}") from error
    if rows > max(file_size(path), _FEW_ROWS):
        # ids and coordinates differ: no table of Open Images is packed so well
        raise InputError(
            f"{name}: has {rows:,} rows in {file_size(path):,} bytes, so they are much the same."
            " Check that it is the right file."
        )
    # lists and the like have no place in a CSV file
    columns = tuple(field.name for field in schema if not pa.types.is_nested(field.type))
    check_columns(name, columns, needed)
    return CsvFile(
        path,
        name,
        columns,
        tuple(
            RowGroup(path, number, columns, found.metadata.row_group(number).total_byte_size)
            for number in range(found.num_row_groups)
        ),
    )
