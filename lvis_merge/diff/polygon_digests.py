"""Polygons as one number a row: half of a manifest is coordinates, and none needs to be kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.manifest import Manifest

_BATCH_ROWS = 1 << 14
_SEED = 20191027

DIGESTS = pa.schema([("segmentation", pa.uint64()), ("points", pa.int32())])
"""A digest of each row's polygons, null without any, and how many points they have."""


def polygon_digests(manifest: Manifest) -> pa.Table:
    """Reads the polygons of all annotations.

    Args:
        manifest: an open manifest.

    Returns:
        `DIGESTS`, in row order. Equal polygons have equal digests; that others have is as likely as
        that two random numbers of 64 bits are the same.

    Raises:
        InputError: the table is missing or damaged.
    """
    path = manifest.path / "annotations.parquet"
    try:
        with manifest.parquet("annotations") as file:
            batches = [
                digests(batch.column(0))
                for batch in file.iter_batches(_BATCH_ROWS, columns=["segmentation"])
            ]
    except (pa.ArrowException, OSError, KeyError, IndexError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Build the manifest again.") from error
    return pa.Table.from_batches(batches, DIGESTS)


def digests(rows: pa.ListArray) -> pa.RecordBatch:
    """The digests of some rows.

    Args:
        rows: list of lists of float32; null where there is no polygon.

    Returns:
        `DIGESTS`.
    """
    parts = rows.flatten()
    lengths = pc.list_value_length(parts).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = pc.fill_null(pc.list_value_length(rows), 0).to_numpy(zero_copy_only=False)
    of_parts = np.concatenate([[0], np.cumsum(lengths)])
    of_rows = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    values = parts.flatten().to_numpy(zero_copy_only=False)
    bits = (values + np.float32(0)).view(np.uint32)  # -0 is 0
    found = _sums(bits, of_parts[of_rows]) + _sums(lengths.astype(np.uint32), of_rows, odd=1)
    points = np.diff(of_parts[of_rows]) // 2
    return pa.record_batch(
        [
            pa.array(found, mask=rows.is_null().to_numpy(zero_copy_only=False)),
            pa.array(points.astype(np.int32)),
        ],
        schema=DIGESTS,
    )


def _sums(
    numbers: npt.NDArray[np.uint32], ends: npt.NDArray[np.int64], odd: int = 0
) -> npt.NDArray[np.uint64]:
    """Of each run of numbers, the sum of number times factor of its place, modulo 2^64.

    Args:
        numbers: uint32 [V].
        ends: int64 [N + 1], ascending, from 0 to V: run i is numbers[ends[i] : ends[i + 1]].
        odd: which list of factors.
    """
    sizes = np.diff(ends)
    place = np.arange(len(numbers)) - np.repeat(ends[:-1], sizes)
    factors = _factors(int(sizes.max(initial=0)), odd)
    # one more than the number: a zero at the end of a run counts too
    terms = (numbers.astype(np.uint64) + np.uint64(1)) * factors[place]
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    sums: npt.NDArray[np.uint64] = total[ends[1:]] - total[ends[:-1]]
    return sums


def _factors(count: int, odd: int) -> npt.NDArray[np.uint64]:
    """Random numbers of 64 bits, the same each time; a longer list begins like a shorter one."""
    generator = np.random.Generator(np.random.PCG64([_SEED, odd]))
    return generator.integers(0, 2**64, count, np.uint64)
