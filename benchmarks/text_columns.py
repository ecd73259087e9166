"""Vectorised text: columns of strings that are joined into rows and written as they are.

Everything here works on whole Arrow string arrays, because a Python loop over the 14.6 million
rows of Open Images takes longer than the benchmark it would be made for.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def table_of_hundredths(top: int) -> pa.Array:
    """Render 0.0, 0.01, ... up to ``top`` as JSON writes them; entry i is i / 100."""
    return pa.array([repr(i / 100) for i in range(top * 100 + 1)])


def table_of_millionths() -> pa.Array:
    """Render 0.000000 to 1.000000; entry i is i / 1,000,000 with six decimals."""
    return pa.array([f"{i / 1_000_000:.6f}" for i in range(1_000_001)])


def fixed_width(matrix: NDArray[np.uint8]) -> pa.Array:
    """Read the rows of a ``[n, width]`` matrix of ASCII codes as n strings."""
    count, width = matrix.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    data = np.ascontiguousarray(matrix)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))


def hexadecimal(numbers: NDArray[np.uint64]) -> pa.Array:
    """Render 64-bit numbers as 16 lower-case hexadecimal digits."""
    pairs = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), np.uint8)
    octets = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    return fixed_width(pairs.reshape(256, 2)[octets].reshape(-1, 16))


def zero_padded(numbers: Ints, width: int) -> pa.Array:
    """Render non-negative integers with leading zeros."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return fixed_width((numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8))


def random_text(rng: np.random.Generator, count: int, width: int, alphabet: str) -> pa.Array:
    """Draw ``count`` strings of ``width`` characters of an ASCII alphabet."""
    letters = np.frombuffer(alphabet.encode(), np.uint8)
    return fixed_width(letters[rng.integers(0, len(letters), (count, width))])


def as_text(values: NDArray[Any]) -> pa.Array:
    """Render numbers the shortest way."""
    return pa.array(values).cast(pa.string())


def pick(table: pa.Array, index: NDArray[Any]) -> pa.Array:
    """Take entries of a table of strings."""
    return table.take(pa.array(index))


def lists(values: pa.Array, counts: NDArray[Any], separator: str) -> pa.Array:
    """Join consecutive runs of ``counts[i]`` strings into one string each."""
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), values), separator)


def rows(*columns: pa.Array | str) -> pa.Array:
    """Concatenate columns (a plain ``str`` is the same in every row) row by row."""
    scalars = [pa.scalar(c) if isinstance(c, str) else c for c in columns]
    return pc.binary_join_element_wise(*scalars, "")


def write_text(file: IO[bytes], text: pa.Array) -> None:
    """Write the strings one after the other, with nothing between them."""
    first, last = text.offset, text.offset + len(text)
    offsets = np.frombuffer(text.buffers()[1], np.int32)
    if last > first:
        file.write(memoryview(text.buffers()[2])[offsets[first] : offsets[last]])


def write_json_rows(file: IO[bytes], text: pa.Array, first: bool) -> None:
    """Write rows that each begin with ", ", without that comma before the very first."""
    if first and len(text):
        file.write(text[0].as_py()[2:].encode())
        text = text.slice(1)
    write_text(file, text)


def repository_file(*parts: str) -> Path:
    """Path of a file or folder of this repository."""
    return Path(__file__).resolve().parent.parent.joinpath(*parts)
