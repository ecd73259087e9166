"""Decodes COCO's compressed run lengths, all masks at once.

The reference decoder reads past the end of a damaged string; this one reports it. A count is
written in characters of 5 bits and a bit that says whether more follow; from the fourth count on it
is a difference to the count two before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.manifest.validate.columns import Bools, Ints

_FIRST_CHARACTER = 48
_MORE, _SIGN, _BITS = 0x20, 0x10, 5
_MAX_CHARACTERS = 7  # of a count: 35 bits hold any 32-bit one


@dataclass(frozen=True)
class RunLengths:
    """What masks hold, one element each.

    Attributes:
        well_formed: whether the string decodes to counts that are not negative.
        pixels: height x width that the counts cover.
        area: pixels of the mask.
    """

    well_formed: Bools
    pixels: Ints
    area: Ints


def decode(strings: pa.StringArray) -> RunLengths:
    """Decodes compressed counts.

    Args:
        strings: `[M]`, no nulls.

    Returns:
        What each of the M masks holds.
    """
    texts = [text.encode() for text in strings.to_pylist()]
    lengths = np.array([len(text) for text in texts], np.int64)
    owner = np.repeat(np.arange(len(texts)), lengths)
    code = np.frombuffer(b"".join(texts), np.uint8).astype(np.int64) - _FIRST_CHARACTER
    well_formed = lengths > 0
    np.logical_and.at(well_formed, owner, (code >= 0) & (code < 2 * _MORE))

    ends = (code & _MORE) == 0
    last = np.cumsum(lengths)[lengths > 0] - 1
    well_formed[owner[last]] &= ends[last]
    ends[last] = True  # a cut string must not run into the next one
    start = np.flatnonzero(np.concatenate([[True], ends[:-1]])) if len(code) else owner
    count_of = np.cumsum(np.concatenate([[0], ends[:-1]])) if len(code) else owner
    place = np.arange(len(code)) - start[count_of]
    np.logical_and.at(well_formed, owner, place < _MAX_CHARACTERS)
    shift = np.minimum(place, _MAX_CHARACTERS) * _BITS
    value = np.zeros(len(start), np.int64)
    np.add.at(value, count_of, (code & 0x1F) << shift)
    final = np.flatnonzero(ends)
    negative = (code[final] & _SIGN) != 0
    value[negative] -= np.int64(1) << (shift[final][negative] + _BITS)
    return _summed(value, owner[start], well_formed)


def _summed(value: Ints, owner: Ints, well_formed: Bools) -> RunLengths:
    """Undoes the differences and sums up."""
    masks = len(well_formed)
    number = np.bincount(owner, minlength=masks)
    first = np.cumsum(number) - number
    place = np.arange(len(value)) - first[owner]
    counts = value.copy()
    for parity in (0, 1):
        # Counts 1, 3, 5, … and 2, 4, 6, … are running sums; count 0 stands alone.
        chosen = np.flatnonzero((place % 2 == parity) & (place > 0))
        total = np.cumsum(value[chosen])
        opens = np.concatenate([[True], owner[chosen][1:] != owner[chosen][:-1]])[: len(chosen)]
        base = (total - value[chosen])[opens]
        counts[chosen] = total - np.repeat(
            base, np.diff(np.append(np.flatnonzero(opens), len(chosen)))
        )
    np.logical_and.at(well_formed, owner, counts >= 0)
    pixels, area = np.zeros(masks, np.int64), np.zeros(masks, np.int64)
    np.add.at(pixels, owner, counts)
    np.add.at(area, owner, np.where(place % 2 == 1, counts, 0))
    return RunLengths(well_formed, pixels, area)
