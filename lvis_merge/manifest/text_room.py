"""Whether a small Parquet file holds so much text that it was made to fill the memory.

One value that is there a thousand times, and values that begin alike, take no space in the file.
What they unpack to shows only when they are unpacked; so the texts of a small file are counted a
few rows at a time. What a large file unpacks to is in proportion to it, or seen from its metadata.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_MOST_TIMES = 50
"""Tables of manifests unpack to some five times their size."""
_ALWAYS_BYTES = 64 << 20
"""So much a file of any size may unpack to: it does no harm."""
_SMALL_BYTES = 4 << 20
"""Above it a file that unpacks to fifty times its size would not be small either."""
_MOST_ROWS = 4096


def has_too_much_text(file: pq.ParquetFile, size: int) -> bool:
    """Whether a file unpacks to far more than tables of manifests do.

    Args:
        file: open.
        size: its length in bytes.

    Raises:
        pa.ArrowException: it is damaged.
    """
    most = max(_ALWAYS_BYTES, _MOST_TIMES * size)
    groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    lengths = [chunk.total_uncompressed_size for chunk in chunks]
    if sum(lengths) > most:
        return True
    texts = [
        field.name
        for field in file.schema_arrow
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    if size > _SMALL_BYTES or not texts:
        return False
    # a value is no longer than its column unpacked, before repetitions
    rows = max(1, min(_MOST_ROWS, _ALWAYS_BYTES // max([1, *lengths])))
    total = 0
    for batch in file.iter_batches(rows, columns=texts):
        total += sum(pc.sum(pc.binary_length(column)).as_py() or 0 for column in batch.columns)
        if total > most:
            return True
    return False
