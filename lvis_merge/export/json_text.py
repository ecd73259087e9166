"""Columns as JSON text, a column at a time.

An LVIS train file spells tens of millions of coordinates. Nearly all are multiples of 0.01, whose
texts lie in a table of 8-byte words: a look-up each instead of a formatting, and the words without
their padding are the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_GRID = 1 << 17
"""Multiples of 0.01 in the table: up to 1310.71 pixels; others are formatted one by one."""

_BLOCK = 1 << 16
"""Values at a time: what they need stays in a core's cache."""

_WORD = 8
_PADDING = b"\0"
_BETWEEN, _END_OF_PART, _END_OF_ROW = b",", b"|", b"]"
"""What follows a number, one byte each; the second stands for three."""

_NEW_PART = b"],["

_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def decimals(
    values: npt.NDArray[np.float32],
    part_ends: npt.NDArray[np.int64],
    row_ends: npt.NDArray[np.int64],
) -> pa.StringArray:
    """Rows of numbers, as the shortest decimals that give the same float32: `x,y],[x,y]`.

    Args:
        values: float32 [V], finite.
        part_ends: int64, places in `values` behind which a new part of the same row begins.
        row_ends: int64 [N + 1], from 0 to V: row i is values[row_ends[i] : row_ends[i + 1]].

    Returns:
        N texts; empty for a row without numbers.
    """
    texts, sizes = [], []
    start = 0
    while start < len(row_ends) - 1:
        stop = max(
            int(np.searchsorted(row_ends, row_ends[start] + _BLOCK, side="right")) - 1, start + 1
        )
        first, last = row_ends[start], row_ends[stop]
        low, high = np.searchsorted(part_ends, (first, last))
        text, lengths = _block(
            values[first:last], part_ends[low:high] - first, row_ends[start : stop + 1] - first
        )
        texts.append(text)
        sizes.append(lengths)
        start = stop
    return _cut(b"".join(texts), _ends(np.concatenate([np.zeros(0, np.int64), *sizes])))


def _block(
    values: npt.NDArray[np.float32],
    part_ends: npt.NDArray[np.int64],
    row_ends: npt.NDArray[np.int64],
) -> tuple[bytes | bytearray, npt.NDArray[np.int64]]:
    """The texts of some rows, one behind the other, and the length of each."""
    grid, words, lengths = _table()
    # a value out of the table's range takes its first or last entry, and is found to differ
    cents = (values * np.float32(100) + np.float32(0.5)).astype(np.int32)
    filled = row_ends[1:] > row_ends[:-1]
    last = row_ends[1:][filled] - 1
    if (grid.take(cents, mode="clip") != values.view(np.uint32)).any():
        return _one_by_one(values, part_ends, last, row_ends)
    padded = bytearray(_WORD * len(values))
    found = words.take(cents, mode="clip", out=np.frombuffer(padded, np.uint64))
    found[part_ends] += _instead_of_comma(_END_OF_PART, lengths[cents[part_ends]])
    found[last] += _instead_of_comma(_END_OF_ROW, lengths[cents[last]])
    text = padded.translate(None, _PADDING).replace(_END_OF_PART, _NEW_PART)
    letters = lengths.take(cents, mode="clip")
    letters[part_ends] += len(_NEW_PART) - 1
    sizes = np.zeros(len(filled), np.int64)
    if len(values):
        sizes[filled] = np.add.reduceat(letters, row_ends[:-1][filled], dtype=np.int64)
    return text, sizes


@cache
def _table() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """The bits of the multiples of 0.01; their texts with a comma, padded; the texts' lengths."""
    grid = (np.arange(_GRID) / 100).astype(np.float32)
    texts = [text.encode() + _BETWEEN for text in pa.array(grid).cast(pa.string()).to_pylist()]
    words = np.array(texts, f"S{_WORD}").view(np.uint64)
    return grid.view(np.uint32), words, np.array([len(text) for text in texts], np.uint8)


def _instead_of_comma(tail: bytes, lengths: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """What turns the comma at the end of words into another byte, when it is added to them."""
    step = np.uint64(ord(tail) - ord(_BETWEEN))
    return step << (np.uint64(8) * (lengths.astype(np.uint64) - np.uint64(1)))


def _one_by_one(
    values: npt.NDArray[np.float32],
    part_ends: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    row_ends: npt.NDArray[np.int64],
) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The same for any numbers."""
    kinds = np.zeros(len(values), np.int8)
    kinds[part_ends], kinds[last] = 1, 2
    tails = pa.array([",", _NEW_PART.decode(), "]"]).take(pa.array(kinds))
    texts = pc.binary_join_element_wise(numbers(pa.array(values)), tails, "")
    starts = _ends(pc.binary_length(texts).to_numpy())
    return bytes(raw(texts)), np.diff(starts[row_ends])


def _ends(lengths: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    """Where each run begins, and where the last one ends."""
    ends = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    return ends


def _cut(data: bytes | pa.Buffer, ends: npt.NDArray[np.int32]) -> pa.StringArray:
    """Texts that lie one behind the other; no copy."""
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(data))


def polygons(rows: pa.ListArray) -> pa.StringArray:
    """Polygons by part, `[[x0,y0,…],[…]]`.

    Args:
        rows: list of lists of float32.

    Returns:
        Texts; null where a row is null or has no part.
    """
    parts = rows.flatten()
    lengths = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
    counts = pc.fill_null(pc.list_value_length(rows), 0).to_numpy(zero_copy_only=False)
    values = parts.flatten().to_numpy(zero_copy_only=False)
    of_parts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    of_rows = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    inner = np.ones(len(lengths), np.bool_)
    inner[of_rows[1:][counts > 0] - 1] = False
    texts = decimals(values, of_parts[1:][inner] - 1, of_parts[of_rows])
    if not counts.all():
        texts = pc.if_else(pa.array(counts > 0), texts, None)
    return pc.binary_join_element_wise("[[", texts, "]", "")


def number_lists(values: npt.NDArray[np.float32]) -> pa.StringArray:
    """Rows of equally many numbers, `[x,y,w,h]`.

    Args:
        values: float32 [N, K], finite, K at least 1.

    Returns:
        N texts.
    """
    rows, width = values.shape
    ends = np.arange(rows + 1, dtype=np.int64) * width
    texts = decimals(values.reshape(-1), np.zeros(0, np.int64), ends)
    return pc.binary_join_element_wise("[", texts, "")


def rectangles(boxes: npt.NDArray[np.float32]) -> pa.StringArray:
    """Boxes as polygons of one part with four corners.

    Args:
        boxes: float32 [N, 4], x, y, w, h in pixels.

    Returns:
        N texts.
    """
    return pc.binary_join_element_wise("[", number_lists(corners(boxes)), "]", "")


def corners(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The four corners of each box, clockwise from the top left: float32 [N, 8], x and y in turn.

    Args:
        boxes: float32 [N, 4], x, y, w, h in pixels.
    """
    x, y = boxes[:, 0], boxes[:, 1]
    right, bottom = x + boxes[:, 2], y + boxes[:, 3]
    return np.stack([x, y, right, y, right, bottom, x, bottom], axis=1)


def id_lists(rows: pa.ListArray) -> pa.StringArray:
    """Lists of whole numbers, `[1,2]`.

    Args:
        rows: lists of integers, no nulls.
    """
    lengths = pc.list_value_length(rows).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    texts = pa.ListArray.from_arrays(pa.array(offsets), rows.flatten().cast(pa.string()))
    return pc.binary_join_element_wise("[", pc.binary_join(texts, ","), "]", "")


def numbers(column: pa.Array) -> pa.StringArray:
    """Integers, or floats as the shortest decimals that give the same value; null stays null."""
    texts = column.cast(pa.string())
    if not pa.types.is_floating(column.type):
        return texts
    # the integer -0 has no sign
    return pc.if_else(pc.equal(texts, "-0"), "-0.0", texts)


def strings(column: pa.Array) -> pa.StringArray:
    """Texts in quotes, escaped; null stays null."""
    special = pc.fill_null(pc.match_substring_regex(column, _NEEDS_ESCAPE), False)
    if pc.any(special).as_py():
        escaped = [
            json.dumps(t, ensure_ascii=False)[1:-1] for t in column.filter(special).to_pylist()
        ]
        column = pc.replace_with_mask(column, special, pa.array(escaped, pa.string()))
    return pc.binary_join_element_wise('"', column, '"', "")


def constants(value: Any, rows: int) -> pa.StringArray:
    """The same JSON value in every row."""
    return pa.repeat(pa.scalar(json.dumps(value, ensure_ascii=False)), rows)


def objects(fields: Mapping[str, pa.StringArray], end: str = ",\n") -> pa.StringArray:
    """Rows of JSON objects.

    Args:
        fields: texts of the values, by key; a null leaves the key out. The first has no null.
        end: what follows each of them.

    Returns:
        One text a row.
    """
    pieces: list[Any] = []
    for place, (name, texts) in enumerate(fields.items()):
        lead = f"{',' if place else '{'}{json.dumps(name)}:"
        if texts.null_count:
            pieces.append(pc.coalesce(pc.binary_join_element_wise(lead, texts, ""), ""))
        else:
            pieces += [lead, texts]
    return pc.binary_join_element_wise(*pieces, "}" + end, "")


def raw(texts: pa.StringArray) -> memoryview:
    """The bytes of all texts of a chunk, one after the other, without a copy."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    return memoryview(data)[ends[0] : ends[1]]
