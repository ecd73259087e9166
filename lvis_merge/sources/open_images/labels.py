"""Human-verified image labels: which classes were looked for and found, or not found."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.csv_rows import CONFIDENCE, IMAGE_ID, LABEL, parse_rows
from lvis_merge.sources.open_images.gather import gather
from lvis_merge.sources.open_images.ids import IdIndex, Runs
from lvis_merge.sources.open_images.scan import (
    Advance,
    ChunkScan,
    FileScan,
    Spans,
    all_rejects,
    first_reason,
    runs_table,
)

KINDS = {"ImageID": IMAGE_ID, "LabelName": LABEL, "Confidence": CONFIDENCE}
NEEDED = tuple(KINDS)


def look_at_labels(
    classes: Collection[str], unknown: Spans, columns: tuple[str, ...], data: bytes
) -> ChunkScan:
    """The first pass over a range, bound to `classes` a `Look`; finds `RUNS`.

    Args:
        classes: the MIDs of the class list.
        unknown: rows whose image is unknown.
        columns: of the file.
        data: the range.
    """
    parsed = parse_rows(data, columns, KINDS)
    labels = parsed.table["LabelName"].combine_chunks()
    known = np.array([name in classes for name in labels.dictionary.to_pylist()], dtype=bool)
    bad = {
        "unknown_image": unknown.hold(parsed.numbers),
        "unknown_category": ~known[labels.indices.to_numpy()],
    }
    runs = Runs.of(parsed.table["ImageID"].combine_chunks())
    reason = first_reason(bad)
    rejects = all_rejects(parsed, reason, tuple(bad), data)
    return ChunkScan(parsed.rows, rejects, runs_table(parsed, runs, reason < 0))


def chosen_labels(
    scan: FileScan, runs: pa.Table, index: IdIndex, classes: Collection[str], advance: Advance
) -> pa.Table:
    """Second pass: the verified labels of the chosen images.

    Args:
        scan: the first pass.
        runs: the chosen images', as `gather`.
        index: places of the chosen images.
        classes: the class list.
        advance: told of each finished range.

    Returns:
        `image` int32 (place), `mid` string, `present` bool; in file order.
    """
    table = gather(scan.table, KINDS, runs, index, advance)
    table = table.filter(pc.is_in(table["LabelName"], value_set=pa.array(list(classes))))
    present = pc.equal(pc.cast(table["Confidence"], pa.float64()), 1.0)
    return pa.table({"image": table["image"], "mid": table["LabelName"], "present": present})
