"""A table by image that is kept on disk, so that memory holds a part of it at a time.

Its rows fall into buckets by their manifest image id: all rows about an image, and about those that
would share its id, are in one bucket, of every table with the same number of buckets.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from lvis_merge.errors import InputError

MOST_BUCKETS = 2048
_BUCKET_BYTES = 64 << 20
"""Of the files: a bucket of Open Images holds some 50,000 images."""
_UNSORTED_BYTES = 32 << 20
"""What is kept in memory before it is sorted into its buckets."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 / golden ratio (Knuth, TAOCP 3, 6.4): neighbouring ids go to different buckets."""


def bucket_number(size: int) -> int:
    """How many buckets suit tables of so many bytes in all."""
    return min(1 + size // _BUCKET_BYTES, MOST_BUCKETS)


def bucket_of(image_ids: np.ndarray, number: int) -> np.ndarray:
    """uint16 [N]: the bucket of each int64 manifest image id, of `number` buckets."""
    mixed = (image_ids.astype(np.uint64) * _SPREAD) >> np.uint64(32)
    return np.asarray((mixed % np.uint64(number)).astype(np.uint16))


class Buckets:
    """A table in buckets: first written, then read.

    Args:
        folder: to keep it in; it goes with that folder.
        schema: of the rows. For `add` it has `image_id`, int64.
        number: of buckets.
    """

    def __init__(self, folder: Path, schema: pa.Schema, number: int) -> None:
        self.schema = schema
        self.number = number
        self._folder = folder / f"buckets-{secrets.token_hex(8)}"
        self._unsorted: list[pa.Table] = []
        self._unsorted_bytes = 0

    def add(self, table: pa.Table) -> None:
        """Adds rows, each to the bucket of its image.

        Raises:
            InputError: the disk does not take them.
        """
        self._unsorted.append(table)
        self._unsorted_bytes += table.nbytes
        if self._unsorted_bytes >= _UNSORTED_BYTES:
            self._sort_out()

    def put(self, bucket: int, table: pa.Table) -> None:
        """Adds rows to one bucket.

        Raises:
            InputError: the disk does not take them.
        """
        try:
            self._folder.mkdir(exist_ok=True)
            with self._path(bucket).open("ab") as file:
                for batch in table.cast(self.schema).combine_chunks().to_batches():
                    file.write(batch.serialize())
        except OSError as error:
            raise InputError(
                f"{self._folder.parent}: does not hold what is kept there while Open Images is read"
                f" ({error.strerror or error}). Make room there, or name a folder on a larger disk"
                " in TMPDIR."
            ) from error

    def read(self, bucket: int) -> pa.Table:
        """The rows of a bucket, each column one chunk; their order is that of their coming."""
        self._sort_out()
        path = self._path(bucket)
        # not mapped into memory: pages of a mapped file count as the process's own
        source = pa.BufferReader(path.read_bytes() if path.exists() else b"")
        batches = []
        while source.tell() < source.size():
            batches.append(pa.ipc.read_record_batch(pa.ipc.read_message(source), self.schema))
        return pa.Table.from_batches(batches, self.schema).combine_chunks()

    def clear(self) -> None:
        """Removes all rows."""
        self._unsorted, self._unsorted_bytes = [], 0
        for bucket in range(self.number):
            self._path(bucket).unlink(missing_ok=True)

    def _path(self, bucket: int) -> Path:
        return self._folder / str(bucket)

    def _sort_out(self) -> None:
        if not self._unsorted:
            return
        table = pa.concat_tables(self._unsorted)
        self._unsorted, self._unsorted_bytes = [], 0
        bucket = bucket_of(table["image_id"].to_numpy(), self.number)
        table = table.take(pa.array(np.argsort(bucket, kind="stable")))
        stops = np.cumsum(np.bincount(bucket, minlength=self.number))
        start = 0
        for place, stop in enumerate(stops.tolist()):
            if stop > start:
                self.put(place, table.slice(start, stop - start))
            start = stop


NewBuckets = Callable[[pa.Schema], Buckets]
"""Makes empty ones for a table of that schema."""
