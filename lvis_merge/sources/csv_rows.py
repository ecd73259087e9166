"""A range of a CSV file as a typed table, bad rows set aside.

The whole range is parsed at once by pyarrow. Where that fails (a row with too few fields, a
coordinate that is no number) it is halved until the bad rows stand in small pieces; these are read
row by row, the bad rows taken out, and the rest parsed again, so that both ways give the same good
rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lvis_merge.errors import HopelessFileError
from lvis_merge.sources.csv_chunks import row_texts, well_quoted
from lvis_merge.sources.csv_fields import csv_bytes, fields
from lvis_merge.sources.rejects import Reject

# Python's float, Arrow's CSV reader and Arrow's cast agree on these spellings.
_FLOAT = re.compile(
    r"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)",
    re.IGNORECASE | re.ASCII,
)
# -1, 0 or 1 in all spellings of an integer that Arrow knows; testing every row for the plain ones
# would cost a fifth of the build.
_FLAG = re.compile(r"-?0*[01]|0x(?:0?[01]|ff)", re.ASCII | re.IGNORECASE)
# What Arrow takes for a number besides: blanks around it, a remark as in `nan(1)`.
_ODD_NUMBER = r"[ \t(]"
_ODD_MARKS = (b" ", b"\t", b"(")
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)

FLAGS = (-1, 0, 1)
MOST_REJECTS = 250_000
"""In a range: as many as it has rows of a usual length. Lines of a letter would be millions."""
_SIEVE_BYTES = 1 << 13
"""Pieces of at most this size are read row by row."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ROTATIONS = (0.0, 90.0, 180.0, 270.0)


def _is_flag(text: str) -> bool:
    return not text or _FLAG.fullmatch(text) is not None


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
        type: Arrow type of the parsed column.
        accepts: whether a field's text is a legal value.
        check: whether a parsed column holds legal values only.
    """

    type: pa.DataType
    accepts: Callable[[str], bool]
    check: Callable[[pa.Array], bool]


def _all_flags(array: pa.Array) -> bool:
    if array.null_count == len(array):
        return True
    bounds = pc.min_max(array).as_py()
    return bool(FLAGS[0] <= bounds["min"] and bounds["max"] <= FLAGS[-1])


def _names(array: pa.Array) -> pa.Array:
    return array.dictionary if pa.types.is_dictionary(array.type) else pc.unique(array)


def _all_hex(array: pa.Array) -> bool:
    # neighbours share an id: look at each run once
    runs = pc.run_end_encode(array).values
    return array.null_count == 0 and bool(
        pc.all(pc.match_substring_regex(runs, IMAGE_ID_PATTERN)).as_py()
    )


IMAGE_ID_PATTERN = r"^[0-9a-fA-F]+\z"
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())


def is_image_id(text: str) -> bool:
    """Whether a text is an ImageID of Open Images: a hexadecimal number."""
    return _HEX.fullmatch(text) is not None


def _anything(value: object) -> bool:
    return True


def _is_coordinate(text: str) -> bool:
    return _FLOAT.fullmatch(text) is not None


def _no_nulls(array: pa.Array) -> bool:
    return bool(array.null_count == 0)


def _all_confidences(array: pa.Array) -> bool:
    return array.null_count == 0 and all(map(_is_confidence, _names(array).to_pylist()))


def _all_rotations(array: pa.Array) -> bool:
    return all(_is_rotation(text or "") for text in _names(array).to_pylist())


# functions by name, not lambdas: kinds travel to other processes
IMAGE_ID = ColumnKind(pa.string(), is_image_id, _all_hex)
TEXT = ColumnKind(pa.string(), _anything, _anything)
NAME = ColumnKind(_DICTIONARY, _anything, _anything)
LABEL = ColumnKind(_DICTIONARY, bool, _no_nulls)
COORDINATE = ColumnKind(pa.float64(), _is_coordinate, _no_nulls)
FLAG = ColumnKind(pa.int8(), _is_flag, _all_flags)
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

    Raises:
        HopelessFileError: there are more than `MOST_REJECTS` bad rows.
    """
    table = _parse(data, columns, kinds)
    if table is not None:
        return ParsedRows(table, table.num_rows, np.arange(table.num_rows), ())
    middle = data.rfind(b"\n", 0, len(data) // 2) + 1
    if len(data) > _SIEVE_BYTES and middle and b'"' not in data:
        parts = [parse_rows(part, columns, kinds) for part in (data[:middle], data[middle:])]
        return _joined(*parts)
    good, numbers, rejects, rows = _sieve(data, columns, kinds)
    table = _parse(good, columns, kinds)
    if table is None:
        raise AssertionError("rows that passed the row-wise checks do not parse")
    return ParsedRows(table, rows, numbers, rejects)


def _check_number(rejects: int) -> None:
    if rejects > MOST_REJECTS:
        raise HopelessFileError(
            f"more than {MOST_REJECTS:,} bad rows in one piece. Check that it is the right file,"
            " and download it again."
        )


def _joined(first: ParsedRows, second: ParsedRows) -> ParsedRows:
    _check_number(len(first.rejects) + len(second.rejects))
    table = pa.concat_tables([first.table, second.table]).unify_dictionaries().combine_chunks()
    behind = [Reject(first.rows + bad.row, bad.reason, bad.raw) for bad in second.rejects]
    return ParsedRows(
        table,
        first.rows + second.rows,
        np.concatenate([first.numbers, first.rows + second.numbers]),
        (*first.rejects, *behind),
    )


def _parse(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind]
) -> pa.Table | None:
    """All rows of a range, or None where one of them is bad or its quotes are."""
    if not data or (data.isspace() and not data.strip(b"\r\n")):
        return pa.schema([(name, kind.type) for name, kind in kinds.items()]).empty_table()
    if b'"' in data and not well_quoted(data):
        return None
    table = _read(data, columns, {name: kind.type for name, kind in kinds.items()})
    if table is None or _has_odd_numbers(data, columns, kinds):
        return None
    arrays = {name: _one(table[name]) for name in kinds}
    if not all(kind.check(arrays[name]) for name, kind in kinds.items()):
        return None
    return pa.table(arrays)


def _has_odd_numbers(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind]
) -> bool:
    """Whether the reader took a text for a number that is none here, such as ` 0.5`."""
    numbers = [name for name, kind in kinds.items() if kind.type in (pa.float64(), pa.int8())]
    if not numbers or not any(mark in data for mark in _ODD_MARKS):
        return False
    texts = _read(data, columns, dict.fromkeys(numbers, pa.string()))
    return texts is None or any(
        pc.any(pc.match_substring_regex(column, _ODD_NUMBER)).as_py() for column in texts.columns
    )


def _read(
    data: bytes, columns: tuple[str, ...], types: Mapping[str, pa.DataType]
) -> pa.Table | None:
    if data.startswith(_BYTE_ORDER_MARK):
        data = b"\n" + data  # the reader would drop the mark, which belongs to a field
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=list(columns), block_size=len(data)
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=b'"' in data),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _sieve(
    data: bytes, columns: tuple[str, ...], kinds: Mapping[str, ColumnKind]
) -> tuple[bytes, np.ndarray, tuple[Reject, ...], int]:
    """Row by row: good rows as bytes, their numbers, bad rows, rows in all."""
    texts = row_texts(data)
    places = [(columns.index(name), kind) for name, kind in kinds.items()]
    good, numbers, rejects = [], [], []
    for number, text in enumerate(texts):
        values = fields(text)
        if len(values) != len(columns):
            rejects.append(Reject(number, "columns", text))
        elif not all(kind.accepts(values[place]) for place, kind in places):
            rejects.append(Reject(number, "value", text))
        else:
            numbers.append(number)
            good.append(values)
        _check_number(len(rejects))
    return csv_bytes(good), np.array(numbers, dtype=np.int64), tuple(rejects), len(texts)
