"""Label files: verified present or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.sources.open_images.labels import chosen_labels
from tests.sources.open_images.first_pass import index_of, scan_of_images
from tests.sources.open_images.small_files import CLASSES, LABELS, csv_file, nothing, reject_tuples

A, B = "00000000000000aa", "00000000000000bb"

ROWS = [
    # (row, reason or None, present)
    ([A, "verification", "/m/1", "1"], None, True),
    ([A, "verification", "/m/1", "0"], None, False),  # both are kept: evidence decides
    ([B, "verification", "/m/2", "1.0"], None, True),
    ([B, "verification", "/m/2", "+1"], None, True),
    ([A, "verification", "/m/3", "0.000"], None, False),
    ([A, "verification", "/m/3", "-0"], None, False),
    ([A, "verification", "/m/3", "1e0"], None, True),
    ([A, "verification", "/m/1", "0.5"], "value", None),
    ([A, "verification", "/m/1", ""], "value", None),
    ([A, "verification", "/m/1", "nan"], "value", None),
    ([A, "verification", "/m/1", " 1"], "value", None),
    ([A, "verification", "", "1"], "value", None),
    (["x", "verification", "/m/1", "1"], "value", None),
    (["cc", "verification", "/m/1", "1"], "unknown_image", None),
    ([A, "verification", "/m/9", "1"], "unknown_category", None),
    ([A, "verification", "/m/1"], "columns", None),
    ([A, "verification", "/m/1", "1"], None, True),  # a repeated row
]


@pytest.mark.parametrize("chunk_bytes", [1, 100, 1 << 20])
def test_labels_are_checked_and_fetched(tmp_path: Path, chunk_bytes: int) -> None:
    """Rule: confidence is 0 or 1 as a number; the image and the class must be known."""
    file = csv_file(tmp_path, "l.csv", LABELS, [row for row, _, _ in ROWS], chunk_bytes)
    known = scan_of_images(tmp_path, file, "label", [A, B])
    expected = [(number, reason) for number, (_, reason, _) in enumerate(ROWS, 1) if reason]
    assert reject_tuples(known.rejects) == expected
    good = sum(known.runs["good"].to_pylist())
    assert good + known.rejects.num_rows == known.scan.rows == len(ROWS)
    for places in ([0, 1], [0], []):
        index = index_of([A, B], places)
        table = chosen_labels(known.scan, known.runs_of(places), index, CLASSES.keys(), nothing)
        assert list(zip(*table.to_pydict().values(), strict=True)) == [
            ([A, B].index(row[0]), row[2], present)
            for row, reason, present in ROWS
            if reason is None and [A, B].index(row[0]) in places
        ]
