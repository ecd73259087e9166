"""Polygon text to arrays, without a Python object per number.

An LVIS train file spells 47 million coordinates, nearly all like `[[222.54, 86.38, …], […]]`.
Blocks of such text are read with numpy, at a quarter of what decoding to Python lists costs. What
it does not know (signs, exponents) is decoded by msgspec, with the same result: float64 first, then
rounded to float32, as `np.float32(float(text))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
import numpy as np
import numpy.typing as npt

from lvis_merge.sources.digits import WORD, integers, words_ending_at

# what may be read in front of the first number
_MARGIN = b" " * WORD
_DECIMALS = 2
_DOT = ord(".")
# In a word, the first character is in the lowest byte.
_DOT_OF_TWO_DECIMALS = WORD - 1 - _DECIMALS
_BEFORE_DOT = np.uint64((1 << 40) - 1)
_BEHIND_DOT = np.uint64(0xFFFF << 48)
_POINT_ZERO_ZERO = np.uint64(int.from_bytes(b".00", "little") << 40)
# Bytes of valid JSON that mean more than arrays of plain decimals: signs, exponents, strings,
# objects, and null, true, false (each has an l or a u).
_NOT_PLAIN = (b"-", b"e", b"E", b'"', b"{", b"l", b"u")

_POLYGONS = msgspec.json.Decoder(list[list[list[float]]])


@dataclass(frozen=True)
class PolygonColumn:
    """The polygons of N rows, flattened.

    Attributes:
        values: float32 [V], x and y in turn, pixels.
        part_lengths: int64 [P], how many values each part has.
        parts: int64 [N], how many parts each row has.
    """

    values: npt.NDArray[np.float32]
    part_lengths: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int64]

    def bad_rows(self) -> npt.NDArray[np.bool_]:
        """Which rows have a part of fewer than 3 points, an odd number or a non-finite value."""
        bad_part = (self.part_lengths < 6) | (self.part_lengths % 2 == 1)
        finite = np.isfinite(self.values)
        if not finite.all():
            part_of_value = np.repeat(np.arange(len(self.part_lengths)), self.part_lengths)
            bad_part[part_of_value[~finite]] = True
        bad = np.zeros(len(self.parts), np.bool_)
        if bad_part.any():
            bad[np.repeat(np.arange(len(self.parts)), self.parts)[bad_part]] = True
        return bad


def parse_polygons(texts: Sequence[bytes]) -> PolygonColumn | None:
    """Reads the `segmentation` texts of a block of rows.

    Args:
        texts: valid JSON values (or buffers of them), best a few thousand at a time.

    Returns:
        The polygons, or None if one of the texts is no array of arrays of numbers.
    """
    if not texts:
        nothing = np.zeros(0, np.int64)
        return PolygonColumn(np.zeros(0, np.float32), nothing, nothing)
    # The margin stands before a comma, so the text that follows needs no special first row.
    joined = b",".join([_MARGIN, *texts])
    return _parse_plain(joined, len(texts)) or _parse_any(joined[len(_MARGIN) + 1 :])


def _parse_plain(text: bytes, rows: int) -> PolygonColumn | None:
    """Reads arrays of arrays of plain decimals behind the margin; None for anything else."""
    if any(byte in text for byte in _NOT_PLAIN):
        return None
    characters = np.frombuffer(text, np.uint8, offset=len(_MARGIN))
    # `.` and `0` to `9` (and `/`, which valid JSON has in strings only)
    in_number = (characters - np.uint8(ord("."))) <= ord("9") - ord(".")
    edges = np.flatnonzero(in_number[1:] != in_number[:-1])
    edges += 1
    starts, ends = edges[0::2], edges[1::2]

    # no other byte beyond `9` is left; after each: how deep, and how many numbers came before
    brackets = np.flatnonzero(characters > ord("9"))
    opens = characters[brackets] == ord("[")
    depth = np.cumsum(np.where(opens, 1, -1))
    if len(depth) and depth.max() > 2:
        return None
    between = np.diff(np.searchsorted(ends, brackets, side="right"), append=len(ends))
    in_part = depth == 2
    part_lengths = between[in_part]
    opens_row = np.flatnonzero(opens & (depth == 1))
    # numbers outside a part, such as [1, 2] or a bare 1, are no polygons
    if part_lengths.sum() != len(ends) or len(opens_row) != rows:
        return None
    parts = np.add.reduceat(in_part, opens_row, dtype=np.int64)
    return PolygonColumn(_decimals(text, starts, ends), part_lengths, parts)


def _decimals(
    text: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """The numbers from start to end, rounded as `np.float32(float(...))`.

    Args:
        text: begins with the margin.
        starts: int64 [N], byte positions behind the margin.
        ends: int64 [N], exclusive.
    """
    lengths = ends - starts
    too_long: list[int] = []
    if len(lengths) and lengths.max() > WORD:
        too_long = np.flatnonzero(lengths > WORD).tolist()
        words = words_ending_at(text, ends, np.minimum(lengths, WORD))
    else:
        words = words_ending_at(text, ends, lengths)
    # Most have two decimals; bring the others that fit to two, and leave the rest to float().
    fewer = np.flatnonzero(words.view(np.uint8)[_DOT_OF_TWO_DECIMALS::WORD] != _DOT)
    words[fewer], unread = _with_two_decimals(words[fewer], lengths[fewer])
    # Close the gap of the dot: the digits before it move up by one byte.
    before_dot = words & _BEFORE_DOT
    before_dot <<= np.uint64(8)
    words &= _BEHIND_DOT
    words |= before_dot
    # Both operands are exact, so IEEE division gives the float64 nearest to the decimal.
    values = np.divide(integers(words).view(np.int64), 10.0**_DECIMALS)
    for row in chain(too_long, fewer[unread].tolist()):
        values[row] = float(text[len(_MARGIN) + starts[row] : len(_MARGIN) + ends[row]])
    with np.errstate(over="ignore"):  # beyond float32 it is infinite, and told as a bad polygon
        return values.astype(np.float32)


def _with_two_decimals(
    words: npt.NDArray[np.uint64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Appends the missing decimals; also says which words are none of d.d and d."""
    dots = words.view(np.uint8).reshape(-1, WORD) == _DOT
    one = dots[:, WORD - 2] & (lengths < WORD)
    whole = ~dots.any(axis=1) & (lengths <= WORD - 1 - _DECIMALS)
    words[one] = (words[one] >> np.uint64(8)) | np.uint64(ord("0") << 56)
    words[whole] = (words[whole] >> np.uint64(24)) | _POINT_ZERO_ZERO
    return words, ~(one | whole)


def _parse_any(text: bytes) -> PolygonColumn | None:
    """Reads any JSON arrays of arrays of numbers; None for anything else."""
    try:
        rows = _POLYGONS.decode(b"[" + text + b"]")
    except msgspec.DecodeError:
        return None
    parts = list(chain.from_iterable(rows))
    with np.errstate(over="ignore"):
        values = np.fromiter(chain.from_iterable(parts), np.float64).astype(np.float32)
    return PolygonColumn(
        values,
        np.fromiter(map(len, parts), np.int64, len(parts)),
        np.fromiter(map(len, rows), np.int64, len(rows)),
    )
