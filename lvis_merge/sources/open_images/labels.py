"""Human-verified image labels: which classes were looked for and found, or not found."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.csv_rows import CONFIDENCE, IMAGE_ID, LABEL
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.open_images.ids import IdIndex
from lvis_merge.sources.open_images.scan import (
    Advance,
    ChunkScan,
    FileScan,
    finish_scan,
    gather,
    key_rows,
    scan_table,
)

KINDS = {"ImageID": IMAGE_ID, "LabelName": LABEL, "Confidence": CONFIDENCE}
NEEDED = tuple(KINDS)


def _look(
    index: IdIndex, classes: Collection[str], columns: tuple[str, ...], data: bytes
) -> ChunkScan:
    keyed = key_rows(data, columns, KINDS, index)
    labels = keyed.parsed.table["LabelName"].combine_chunks()
    known = np.array([name in classes for name in labels.dictionary.to_pylist()], dtype=bool)
    bad = {
        "unknown_image": keyed.row_images < 0,
        "unknown_category": ~known[labels.indices.to_numpy()],
    }
    return finish_scan(keyed, bad, data, None)


def scan_labels(
    table: CsvTable, index: IdIndex, classes: Collection[str], advance: Advance
) -> FileScan:
    """First pass over a table of labels."""
    return scan_table(table, "label", partial(_look, index, classes), advance)


def chosen_labels(
    scan: FileScan, chosen: np.ndarray, index: IdIndex, classes: Collection[str], advance: Advance
) -> pa.Table:
    """Second pass: the verified labels of the chosen images.

    Returns:
        `image` int32 (place), `mid` string, `present` bool; in file order.
    """
    table = gather(scan, KINDS, chosen, index, advance)
    table = table.filter(pc.is_in(table["LabelName"], value_set=pa.array(list(classes))))
    present = pc.equal(pc.cast(table["Confidence"], pa.float64()), 1.0)
    return pa.table({"image": table["image"], "mid": table["LabelName"], "present": present})
