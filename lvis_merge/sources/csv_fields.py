"""A row of a CSV file as its fields, and back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_FIELD_TEXT = re.compile(r'"((?:[^"]|"")*+)"?([^,]*)|([^,]*)')


def fields(text: str) -> list[str]:
    """The fields of one row's text; a stray quote is read as Python's `csv` reads it."""
    if '"' not in text:
        return text.split(",")
    found, place = [], 0
    while place <= len(text):
        field = _FIELD_TEXT.match(text, place)
        assert field is not None  # the pattern matches the empty text
        plain = field[3]
        found.append(plain if plain is not None else field[1].replace('""', '"') + field[2])
        place = field.end() + 1
    return found


def csv_bytes(rows: Iterable[list[str]]) -> bytes:
    """Rows of fields as CSV, UTF-8."""
    out = io.StringIO(newline="")
    # fields that hold a character of the line end are quoted: so both are named
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
