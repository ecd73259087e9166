"""Files to rows: plain, gzip or zip; CSV records with their raw text; JSON arrays likewise."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RAW_LENGTH = 1000


@dataclass
class Row:
    """One data row of an input file and what became of it.

    Attributes:
        data: parsed fields by name; of a rejected row possibly incomplete or no dict at all.
        reason: why the row was rejected, or None.
        rule: which rule left the row out, or None; only looked at where `reason` is None.
    """

    source: str
    kind: str
    file: str
    row: int
    raw: str
    data: Any
    reason: str | None = None
    rule: str | None = None


def read_text(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (member,) = archive.namelist()
            data = archive.read(member)
    return data.decode("utf-8")


def csv_records(text: str) -> list[tuple[str, list[str]]]:
    """Splits CSV text into (raw text without its line end, fields); blank lines are no rows."""
    records = []
    start = 0
    quoted = False
    for place, character in enumerate(text + "\n"):
        if character == '"':
            quoted = not quoted  # a doubled quote flips twice
        if character == "\n" and not quoted:
            raw = text[start:place].removesuffix("\r")
            start = place + 1
            if raw:
                (fields,) = csv.reader(io.StringIO(raw, newline=""), strict=True)
                records.append((raw, fields))
    return records


def csv_rows(path: Path, source: str, kind: str, needed: tuple[str, ...]) -> list[Row]:
    """The data rows of a counted CSV file; `columns` is checked here, all other checks later.

    `data` is a dict of the text fields by header name; an empty field is None.
    """
    records = csv_records(read_text(path))
    header = records[0][1]
    assert set(needed) <= set(header), f"{path.name}: header lacks {set(needed) - set(header)}"
    rows = []
    for number, (raw, fields) in enumerate(records[1:], start=1):
        row = Row(source, kind, path.name, number, raw, None)
        if len(fields) != len(header):
            row.reason = "columns"
        else:
            row.data = {name: text or None for name, text in zip(header, fields, strict=True)}
        rows.append(row)
    return rows


def csv_dicts(path: Path) -> list[dict[str, str | None]]:
    """The rows of a CSV table that is only looked up (maps, sizes, exclusions)."""
    records = csv_records(read_text(path))
    header = records[0][1]
    return [
        {name: text or None for name, text in zip(header, fields, strict=True)}
        for _, fields in records[1:]
    ]


def json_members(path: Path) -> dict[str, Any]:
    """The members of a top-level JSON object; an array becomes a list of (value, raw text)."""
    text = read_text(path)
    decoder = json.JSONDecoder()

    def skip(place: int) -> int:
        while text[place] in " \t\r\n":
            place += 1
        return place

    members: dict[str, Any] = {}
    place = skip(0)
    assert text[place] == "{"
    place = skip(place + 1)
    while text[place] != "}":
        key, place = decoder.raw_decode(text, place)
        place = skip(place)
        assert text[place] == ":"
        place = skip(place + 1)
        if text[place] == "[":
            items = []
            place = skip(place + 1)
            while text[place] != "]":
                value, end = decoder.raw_decode(text, place)
                items.append((value, text[place:end]))
                place = skip(end)
                if text[place] == ",":
                    place = skip(place + 1)
            members[key] = items
            place = skip(place + 1)
        else:
            members[key], place = decoder.raw_decode(text, place)
            place = skip(place)
        if text[place] == ",":
            place = skip(place + 1)
    return members


def json_rows(path: Path, members: dict[str, Any], key: str, source: str, kind: str) -> list[Row]:
    """The rows of one array of a JSON file, not yet checked."""
    return [
        Row(source, kind, path.name, number, raw, value)
        for number, (value, raw) in enumerate(members[key], start=1)
    ]


def good(rows: list[Row]) -> list[dict[str, Any]]:
    return [row.data for row in rows if row.reason is None]
