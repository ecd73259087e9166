"""Decimal digits to integers, eight at a time.

Eight ASCII bytes are read as one little-endian 64-bit word, the first character in the lowest byte,
so that arithmetic on whole arrays of words replaces a loop over characters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WORD = 8
Words = npt.NDArray[np.uint64]

# Left shifts that clear all but the last k characters of a word, for k = 0..8. A shift by 64 is
# left to numpy, which defines it as 0.
_CLEARED_BITS = np.array([64, 56, 48, 40, 32, 24, 16, 8, 0], np.uint64)


def words_ending_at(
    text: bytes, ends: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> Words:
    """The last characters before each of `ends`, right-aligned in words, zero bytes before them.

    Args:
        text: the buffer, whose first 8 bytes are a margin that positions do not count.
        ends: int64 [N], exclusive byte positions behind the margin.
        lengths: int64 [N], how many characters to keep, 0 to 8.

    Returns:
        uint64 [N].
    """
    every_word: Words = np.ndarray(
        shape=(len(text) - WORD + 1,), dtype="<u8", buffer=text, strides=(1,)
    )
    words: Words = every_word[ends]
    cleared = _CLEARED_BITS.take(lengths)
    words >>= cleared
    words <<= cleared
    return words


def integers(words: Words) -> Words:
    """The number that the eight characters of each word spell; zero bytes count as `0`.

    Args:
        words: uint64 [N] of ASCII digits or zero bytes; changed in place.

    Returns:
        uint64 [N], the same array.
    """
    words &= np.uint64(0x0F0F0F0F0F0F0F0F)
    words *= np.uint64((10 << 8) + 1)
    words >>= np.uint64(8)
    words &= np.uint64(0x00FF00FF00FF00FF)
    words *= np.uint64((100 << 16) + 1)
    words >>= np.uint64(16)
    words &= np.uint64(0x0000FFFF0000FFFF)
    words *= np.uint64((10_000 << 32) + 1)
    words >>= np.uint64(32)
    return words


def are_digits(words: Words, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which words hold nothing but ASCII digits.

    Args:
        words: uint64 [N] from `words_ending_at`.
        lengths: int64 [N], the lengths given there.

    Returns:
        bool [N]; a word of no characters counts as digits.
    """
    zeros = np.uint64(0x3030303030303030)
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    filled = words | (zeros >> (np.uint64(8) * lengths.astype(np.uint64)))
    # A digit is 0x30..0x39: its high half byte is 3, and still is after adding 6.
    over_nine = (filled + np.uint64(0x0606060606060606)) & high
    digits: npt.NDArray[np.bool_] = ((filled & high) == zeros) & (over_nine == zeros)
    return digits
