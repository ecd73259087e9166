"""Small CSV files as rows of text (RFC 4180), with errors that name the file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError


@dataclass(frozen=True)
class CsvRow:
    """One row.

    Attributes:
        row: 1-based place in the file; the header (if it has one) and blank lines not counted.
        fields: the row's fields, as written.
    """

    row: int
    fields: list[str]


def read_bytes(path: Path | str) -> bytes:
    """The content of a local file.

    Raises:
        InputError: it does not exist or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason}).") from error


def decode_csv(data: bytes, name: str) -> str:
    """The text of a CSV file; a byte order mark, which spreadsheets write, is dropped.

    Raises:
        InputError: not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}, line {line}: not UTF-8 (byte {data[error.start]:#04x}). Save it as UTF-8."
        ) from None


def split_csv(text: str, name: str) -> list[list[str]]:
    """All rows of a CSV text but the blank ones.

    Raises:
        InputError: a quote where none may be, or one that is never closed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [fields for fields in reader if fields]
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num}: no valid CSV ({error})."
            " Put fields with commas or quotes in double quotes and double the quotes inside."
        ) from None


def csv_rows(text: str, name: str) -> tuple[list[str], list[CsvRow]]:
    """Header and data rows of a CSV text.

    Raises:
        InputError: no header, a column twice, or no valid CSV.
    """
    lines = split_csv(text, name)
    if not lines:
        raise InputError(f"{name}: is empty; it needs at least a header line.")
    header = lines[0]
    repeated = sorted(column for column, times in Counter(header).items() if times > 1)
    if repeated:
        columns = ", ".join(repeated)[:300]
        raise InputError(f"{name}: the column {columns} is there more than once.")
    return header, [CsvRow(number, fields) for number, fields in enumerate(lines[1:], 1)]
