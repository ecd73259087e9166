"""Image ids of Open Images: hexadecimal text, nearly always 16 lower-case digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_DIGITS = 16
IMAGE_ID_OFFSET = 1 << 52
_ID_DIGITS = 13
"""The number mod 2^52 is the last 13 hex digits."""

_NIBBLE = np.full(256, 255, dtype=np.uint8)
_NIBBLE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)


def hex_keys(ids: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Ids as numbers.

    Args:
        ids: string [N], no nulls.

    Returns:
        uint64 [N] keys and bool [N] `regular`: 16 lower-case digits, for which the key stands for
        the id. Other keys are 0.
    """
    keys = np.zeros(len(ids), dtype=np.uint64)
    ids = pc.cast(ids, pa.string())
    if not len(ids):
        return keys, np.zeros(0, dtype=bool)
    _, offsets_buffer, data_buffer = ids.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    long_enough = np.flatnonzero(np.diff(offsets) == _DIGITS)
    regular = np.zeros(len(ids), dtype=bool)
    if not len(long_enough):
        return keys, regular
    data = np.frombuffer(data_buffer, np.uint8)
    text: np.ndarray
    if len(long_enough) == len(ids):
        text = data[offsets[0] : offsets[-1]].reshape(-1, _DIGITS)
    else:
        text = data[offsets[long_enough][:, None] + np.arange(_DIGITS)]
    digits = _NIBBLE[text]
    regular[long_enough] = (digits != 255).all(axis=1)
    digits[~regular[long_enough]] = 0
    pairs = (digits[:, 0::2] << 4) | digits[:, 1::2]
    keys[long_enough] = np.ascontiguousarray(pairs).view(">u8")[:, 0]
    return keys, regular


def manifest_image_ids(ids: pa.Array) -> np.ndarray:
    """int64 [N]: 2^52 + (the id as a hexadecimal number mod 2^52)."""
    keys, regular = hex_keys(ids)
    numbers = (keys & np.uint64(IMAGE_ID_OFFSET - 1)).astype(np.int64)
    for place in np.flatnonzero(~regular):
        numbers[place] = int(ids[int(place)].as_py()[-_ID_DIGITS:], 16)
    return numbers + IMAGE_ID_OFFSET


@dataclass(frozen=True)
class IdIndex:
    """Places of some images.

    Attributes:
        ids: string [M], distinct ImageIDs.
        places: int [M].
    """

    ids: pa.Array
    places: np.ndarray

    def find(self, ids: pa.Array) -> np.ndarray:
        """int64 [N]: the place of each id, -1 for another image."""
        at = pc.index_in(ids, value_set=self.ids).fill_null(-1).to_numpy()
        return np.asarray(np.append(self.places, -1)[at])


@dataclass(frozen=True)
class Runs:
    """Neighbouring rows of the same image, as one.

    Attributes:
        ids: string [K], the image of each run.
        stops: int64 [K], one past each run's last row.
    """

    ids: pa.Array
    stops: np.ndarray

    @classmethod
    def of(cls, column: pa.Array) -> Runs:
        """Runs of a string column without nulls."""
        encoded = pc.run_end_encode(column, run_end_type=pa.int64())
        return cls(encoded.values, encoded.run_ends.to_numpy())

    @cached_property
    def starts(self) -> np.ndarray:
        """int64 [K], each run's first row."""
        return np.concatenate([[0], self.stops[:-1]]).astype(np.int64)[: len(self.stops)]

    @cached_property
    def lengths(self) -> np.ndarray:
        """int64 [K], rows of each run."""
        return np.asarray(self.stops - self.starts)
