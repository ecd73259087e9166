"""Run lengths and overlaps are those of pycocotools."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pycocotools import mask as coco_mask

from lvis_merge.manifest.validate.match_rules import overlaps
from lvis_merge.manifest.validate.run_lengths import decode


def test_run_lengths_decode_as_pycocotools_does() -> None:
    rng = np.random.default_rng(0)
    masks = [
        (rng.random((height, width)) < share).astype(np.uint8, order="F")
        for height, width, share in ((1, 1, 1.0), (7, 5, 0.5), (480, 640, 0.001), (300, 400, 0.0))
    ]
    encoded = [coco_mask.encode(np.asfortranarray(mask)) for mask in masks]
    runs = decode(pa.array([one["counts"].decode() for one in encoded]))
    assert runs.well_formed.tolist() == [True] * 4
    assert runs.pixels.tolist() == [mask.size for mask in masks]
    assert runs.area.tolist() == [int(coco_mask.area(one)) for one in encoded]


def test_damaged_run_lengths_do_not_spoil_their_neighbours() -> None:
    good = coco_mask.encode(np.ones((4, 6), np.uint8, order="F"))["counts"].decode()
    # Empty, cut within a count, characters outside the code, an endless count.
    runs = decode(pa.array([good, "", "P", "~~", "o" * 20 + "0", good]))
    assert runs.well_formed.tolist() == [True, False, False, False, False, True]
    assert runs.area[[0, 5]].tolist() == [24, 24]


def test_overlaps_are_those_of_pycocotools() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.uniform(1, 50, (40, 4)), rng.uniform(1, 50, (40, 4))
    expected = np.diag(coco_mask.iou(left, right, [0] * 40))
    np.testing.assert_allclose(overlaps(left, right), expected, atol=1e-12)
