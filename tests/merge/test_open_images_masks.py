"""Which box a mask belongs to, and the mask at the size of its image."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pycocotools import mask as coco_mask

from lvis_merge.merge.open_images_masks import at_size, match_masks, run_lengths

CUP, DOG = "/m/cup", "/m/dog"
BOX = (0.123456789, 0.5, 0.25, 0.75)
ROUNDED = (0.123457, 0.5, 0.25, 0.75)
OTHER = (0.125, 0.5, 0.25, 0.75)

Row = tuple[str, str, tuple[float, float, float, float]]


@pytest.mark.parametrize(
    ("masks", "boxes", "expected"),
    [
        # six decimals of more
        ([("a", CUP, ROUNDED)], [("a", CUP, BOX)], [0]),
        ([("a", CUP, OTHER)], [("a", CUP, BOX)], [-1]),
        ([("a", CUP, BOX)], [("a", CUP, OTHER), ("a", CUP, BOX)], [1]),
        # of the same image and class
        ([("a", CUP, BOX)], [("b", CUP, BOX), ("a", DOG, BOX)], [-1]),
        # one mask a box, one box a mask
        ([("a", CUP, BOX), ("a", CUP, BOX)], [("a", CUP, BOX)], [0, -1]),
        ([("a", CUP, BOX), ("a", CUP, BOX)], [("a", CUP, BOX)] * 2, [0, 1]),
        ([("a", CUP, BOX)], [("a", CUP, BOX)] * 2, [0]),
        ([], [("a", CUP, BOX)], []),
        ([("a", CUP, BOX)], [], [-1]),
    ],
)
def test_a_mask_belongs_to_the_box_that_it_was_drawn_from(
    masks: list[Row], boxes: list[Row], expected: list[int]
) -> None:
    places = {"a": 0, "b": 1}
    mask_table = pa.table(
        {
            "ImageID": pa.array([row[0] for row in masks], pa.string()),
            "LabelName": pa.array([row[1] for row in masks], pa.string()),
            **corners("Box", masks),
        }
    )
    box_table = pa.table(
        {
            "image": pa.array([places[row[0]] for row in boxes], pa.int64()),
            "LabelName": pa.array([row[1] for row in boxes], pa.string()),
            **corners("", boxes),
        }
    )
    assert match_masks(mask_table, box_table, places).tolist() == expected


def corners(prefix: str, rows: list[Row]) -> dict[str, pa.Array]:
    names = ("XMin", "XMax", "YMin", "YMax")
    return {
        f"{prefix}{name}": pa.array([row[2][place] for row in rows], pa.float64())
        for place, name in enumerate(names)
    }


def test_a_pixel_is_the_one_of_the_mask_that_its_centre_lies_in() -> None:
    mask = np.array([[True, False], [False, True]])
    assert (at_size(mask, 2, 2) == mask).all()
    assert at_size(mask, 4, 2).tolist() == [[True, True, False, False], [False, False, True, True]]
    # centres of three pixels: 1/6, 1/2 and 5/6 of the width
    assert at_size(mask, 3, 1).tolist() == [[False, True, True]]
    assert at_size(np.ones((7, 5), bool), 1, 1).tolist() == [[True]]


def test_run_lengths_give_the_mask_back() -> None:
    mask = np.random.default_rng(0).random((13, 7)) < 0.5
    counts = run_lengths(mask)
    assert (coco_mask.decode({"size": [13, 7], "counts": counts}) == mask).all()
