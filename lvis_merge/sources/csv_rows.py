"""A range of a CSV file as a typed table, bad rows set aside.

The whole range is parsed at once by pyarrow. Only where that fails (a row with too few fields, a
coordinate that is no number) is it read row by row, the bad rows taken out, and the rest parsed
again, so that both ways give the same good rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lvis_merge.sources.csv_chunks import fields, row_texts
from lvis_merge.sources.rejects import Reject

# What pyarrow's CSV reader takes for a number; a test holds the two together.
_FLOAT = re.compile(
    r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|infinity|nan(?:\(\w*\))?)",
    re.IGNORECASE | re.ASCII,
)
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)

FLAG_VALUES = (-1, 0, 1)
ROTATIONS = (0.0, 90.0, 180.0, 270.0)


def _is_flag(text: str) -> bool:
    return not text or (_INTEGER.fullmatch(text) is not None and int(text) in FLAG_VALUES)


def _is_confidence(text: str) -> bool:
    return _FLOAT.fullmatch(text) is not None and float(text) in (0.0, 1.0)


def _is_rotation(text: str) -> bool:
    if not text:
        return True
    return _FLOAT.fullmatch(text) is not None and _rotation_known(float(text))


def _rotation_known(value: float) -> bool:
    return value != value or value in ROTATIONS


@dataclass(frozen=True)
class ColumnKind:
    """How a column is parsed and what its values may be.

    Attributes:
        type: Arrow type that pyarrow parses the column to.
        accepts: whether a field's text is a legal value.
        check: whether a parsed column holds legal values only.
    """

    type: pa.DataType
    accepts: Callable[[str], bool]
    check: Callable[[pa.Array], bool]


def _in_range(array: pa.Array) -> bool:
    if array.null_count == len(array):
        return True
    bounds = pc.min_max(array).as_py()
    return bool(bounds["min"] >= FLAG_VALUES[0] and bounds["max"] <= FLAG_VALUES[-1])


def _names(array: pa.Array) -> pa.Array:
    return array.dictionary if pa.types.is_dictionary(array.type) else pc.unique(array)


def _all_hex(array: pa.Array) -> bool:
    # neighbours share an id: look at each run once
    runs = pc.run_end_encode(array).values
    return array.null_count == 0 and bool(pc.all(pc.match_substring_regex(runs, _HEX_FULL)).as_py())


_HEX_FULL = r"^[0-9a-fA-F]+\z"
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())


def _is_image_id(text: str) -> bool:
    return _HEX.fullmatch(text) is not None


def _anything(value: object) -> bool:
    return True


def _is_coordinate(text: str) -> bool:
    return _FLOAT.fullmatch(text) is not None


def _no_nulls(array: pa.Array) -> bool:
    return array.null_count == 0


def _all_confidences(array: pa.Array) -> bool:
    return array.null_count == 0 and all(map(_is_confidence, _names(array).to_pylist()))


def _all_rotations(array: pa.Array) -> bool:
    return all(_is_rotation(text or "") for text in _names(array).to_pylist())


# functions by name, not lambdas: kinds travel to other processes
IMAGE_ID = ColumnKind(pa.string(), _is_image_id, _all_hex)
TEXT = ColumnKind(pa.string(), _anything, _anything)
NAME = ColumnKind(_DICTIONARY, _anything, _anything)
LABEL = ColumnKind(_DICTIONARY, bool, _no_nulls)
COORDINATE = ColumnKind(pa.float64(), _is_coordinate, _no_nulls)
FLAG = ColumnKind(pa.int8(), _is_flag, _in_range)
CONFIDENCE = ColumnKind(_DICTIONARY, _is_confidence, _all_confidences)
ROTATION = ColumnKind(_DICTIONARY, _is_rotation, _all_rotations)


@dataclass(frozen=True)
class ParsedRows:
    """A range, parsed.

    Attributes:
        table: good rows; each column one chunk.
        rows: data rows in the range, good or bad.
        numbers: int64 [N], for each good row its number in the range, from 0.
        rejects: bad rows; `Reject.row` is the number in the range, from 0.
    """

    table: pa.Table
    rows: int
    numbers: np.ndarray
    rejects: tuple[Reject, ...]


def parse_rows(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind]
) -> ParsedRows:
    """Parses whole rows of a CSV file.

    Args:
        data: the rows' bytes, UTF-8.
        columns: the file's columns in order.
        kinds: the columns to read; others are ignored and never checked.
    """
    table = None if _may_hide_blanks(data, kinds) else _parse(data, columns, kinds)
    if table is not None:
        return ParsedRows(table, table.num_rows, np.arange(table.num_rows), ())
    good, numbers, rejects, rows = _sieve(data, columns, kinds)
    table = _parse(good, columns, kinds)
    if table is None:
        raise AssertionError("rows that passed the row-wise checks do not parse")
    return ParsedRows(table, rows, numbers, rejects)


def _may_hide_blanks(data: bytes, kinds: Mapping[str, ColumnKind]) -> bool:
    """Whether pyarrow might read ` 0.5` as a number, which it is not."""
    numbers = any(kind.type in (pa.float64(), pa.int8()) for kind in kinds.values())
    return numbers and (b" " in data or b"\t" in data)


def _parse(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind]
) -> pa.Table | None:
    types = {name: kind.type for name, kind in kinds.items()}
    if not data or data.isspace():
        return pa.schema([(name, types[name]) for name in kinds]).empty_table()
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=list(columns), block_size=max(len(data), 1)
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=b'"' in data),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types,
                include_columns=list(kinds),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    table = table.combine_chunks()
    checked = all(kind.check(_one(table[name])) for name, kind in kinds.items())
    return table if checked else None


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _sieve(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind]
) -> tuple[bytes, np.ndarray, tuple[Reject, ...], int]:
    """Row by row: good rows as bytes, their numbers, bad rows, rows in all."""
    texts = row_texts(data)
    places = [(columns.index(name), kind) for name, kind in kinds.items()]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    numbers, rejects = [], []
    for number, text in enumerate(texts):
        values = fields(text)
        if len(values) != len(columns):
            rejects.append(Reject(number, "columns", text))
        elif not all(kind.accepts(values[place]) for place, kind in places):
            rejects.append(Reject(number, "value", text))
        else:
            numbers.append(number)
            writer.writerow(values)
    good = np.array(numbers, dtype=np.int64)
    return out.getvalue().encode(), good, tuple(rejects), len(texts)
