"""Reads label maps: `mid,…` (Open Images), `coco_id,…` (COCO) or `source_id,…` (any other set).

The header tells them apart.

A map is edited by people and small, so it is read strictly: the first bad row stops the reading,
where `map check` lists them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.labelmap.csv_text import CsvRow, csv_rows, decode_csv, read_bytes
from lvis_merge.labelmap.relations import RELATIONS
from lvis_merge.labelmap.rows import STYLES, LabelMap, MapRow, MapStyle


@dataclass(frozen=True)
class RowFault:
    """What is wrong with one row of a map.

    Attributes:
        row: 1-based place in the file.
        message: what is wrong and what to do.
    """

    row: int
    message: str


@dataclass(frozen=True)
class RejectedPair:
    """An Open Images class and an LVIS category that look alike and are not the same."""

    mid: str
    synset: str
    open_images_name: str
    lvis_name: str
    reason: str


def read_map(path: Path | str) -> LabelMap:
    """Reads and checks a label map.

    Args:
        path: a CSV with the columns of one of `STYLES`, in any order; others are ignored.

    Returns:
        The map, with the file's bytes.

    Raises:
        InputError: no such file, not UTF-8, a missing column, or the first bad row: a wrong
            number of fields, an empty or repeated id, an unknown relation.
    """
    data = read_bytes(path)
    style, rows, faults = parse_map(data, str(path))
    if faults:
        first = min(faults, key=lambda fault: fault.row)
        raise InputError(f"{path}, row {first.row}: {first.message}")
    return LabelMap(Path(path).name, style, rows, data, hashlib.sha256(data).hexdigest())


def parse_map(data: bytes, name: str) -> tuple[MapStyle, tuple[MapRow, ...], list[RowFault]]:
    """Splits a map into good rows and faults.

    Args:
        data: the file.
        name: what messages call the file.

    Returns:
        Its style, the rows without a fault, and the faults in file order.

    Raises:
        InputError: text that is not UTF-8 or no CSV, or a header of no style.
    """
    header, lines = csv_rows(decode_csv(data, name), name)
    style = _style_of(header, name)
    places = [header.index(column) for column in style.columns]
    rows: list[MapRow] = []
    faults: list[RowFault] = []
    first_row_of: dict[str, int] = {}
    for line in lines:
        if len(line.fields) != len(header):
            faults.append(RowFault(line.row, _field_count_message(line, len(header))))
            continue
        row = _to_row(line, places, style)
        problems = list(_row_problems(row, style))
        first = first_row_of.setdefault(row.source_id, row.row)
        if row.source_id and first != row.row:
            problems.append(
                f"{style.id_column} {row.source_id} is already in row {first};"
                " a class maps to one category. Remove one of the rows."
            )
        faults += [RowFault(row.row, problem) for problem in problems]
        if not problems:
            rows.append(row)
    return style, tuple(rows), faults


def _style_of(header: list[str], name: str) -> MapStyle:
    style = next((style for style in STYLES if style.id_column in header), None)
    if style is None:
        ids = " or ".join(style.id_column for style in STYLES)
        raise InputError(
            f"{name}: no column {ids}, so it is no label map."
            f" Give a CSV with the header {' or '.join(','.join(s.columns) for s in STYLES)}."
        )
    missing = [column for column in style.columns if column not in header]
    if missing:
        raise InputError(
            f"{name}: missing column {', '.join(missing)}."
            f" A label map for {style.name} has the header {','.join(style.columns)}."
        )
    return style


def _field_count_message(line: CsvRow, expected: int) -> str:
    return (
        f"{len(line.fields)} fields where the header has {expected}."
        " Put a field that holds a comma in double quotes."
    )


def _to_row(line: CsvRow, places: list[int], style: MapStyle) -> MapRow:
    source_id, source_name, synset, lvis_name, relation, note = (
        line.fields[place] for place in places
    )
    if style.numeric_ids and _is_number(source_id):
        source_id = str(int(source_id))  # `07` is COCO's 7
    return MapRow(
        line.row, source_id, source_name, synset or None, lvis_name, relation or None, note
    )


def _is_number(text: str) -> bool:
    # isdecimal alone also takes other scripts' digits; nine digits keep it within int32
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _row_problems(row: MapRow, style: MapStyle) -> Iterator[str]:
    if not row.source_id:
        yield f"{style.id_column} is empty. Fill it in or remove the row."
    elif style.numeric_ids and not _is_number(row.source_id):
        yield f"{style.id_column} {row.source_id!r} is not a whole number. Correct it."
    if row.relation is not None and row.relation not in RELATIONS:
        yield (
            f"relation {row.relation!r} is not one of {', '.join(RELATIONS)}. Correct it;"
            " a pair that no name rule gives and a person has checked is 'curated'."
        )
    if row.synset is None:
        if not style.may_lack_synset:
            yield "lvis_synset is empty. Fill it in or remove the row."
        elif row.relation is not None:
            yield f"relation {row.relation!r} without an lvis_synset. Fill in both or neither."
    elif row.relation is None:
        yield f"relation is empty. Give one of {', '.join(RELATIONS)}."


def read_rejected(path: Path | str) -> dict[tuple[str, str], RejectedPair]:
    """Reads the pairs that names suggest and that people found wrong or ambiguous.

    Args:
        path: a CSV with the columns `mid,open_images_name,lvis_synset,lvis_name,reason`.

    Returns:
        The pairs by (MID, synset).

    Raises:
        InputError: no such file, not UTF-8, a missing column or a wrong number of fields.
    """
    name = str(path)
    header, lines = csv_rows(decode_csv(read_bytes(path), name), name)
    columns = ("mid", "lvis_synset", "open_images_name", "lvis_name", "reason")
    missing = [column for column in columns if column not in header]
    if missing:
        raise InputError(f"{name}: missing column {', '.join(missing)}.")
    places = [header.index(column) for column in columns]
    pairs = {}
    for line in lines:
        if len(line.fields) != len(header):
            raise InputError(f"{name}, row {line.row}: {_field_count_message(line, len(header))}")
        pair = RejectedPair(*(line.fields[place] for place in places))
        pairs[pair.mid, pair.synset] = pair
    return pairs
