"""Image lists: ids, photos and rotations of all images, details of the chosen ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lvis_merge.sources.open_images.images import (
    DETAILS,
    ImageList,
    details,
    ids_of_boxes,
    join_lists,
    scan_list,
)
from tests.sources.open_images.small_files import (
    BOXES,
    IMAGES,
    box_row,
    csv_file,
    nothing,
    reject_tuples,
)

A, B, C, D = (f"000000000000000{digit}" for digit in "abcd")
URL = "https://farm1.staticflickr.com/1/{}_x_o.jpg"


def image_row(
    image: str, photo: str = "7", title: str = "t", rotation: str = "0", author: str = "me"
) -> list[str]:
    return [image, "train", URL.format(photo) if photo else "", author, title, rotation]


TRAIN = [
    image_row(A, "11", 'two\n"lines"'),
    image_row("xyz"),  # value
    image_row(B, "", rotation="90.0"),
    image_row(A, "99", "a repetition"),  # duplicate_id
    image_row(C, "12")[:-1],  # columns: the next row of C is the first good one
    image_row(C, "13", rotation="45"),  # value
    image_row(C, "14", "", rotation="", author=""),
    image_row("b", "photo", rotation="nan"),  # not B
    image_row("B", "15", rotation="-0"),
]
VALIDATION = [image_row(D, "21", rotation="270"), image_row(A, "22"), image_row("b", "23")]
REJECTS = [
    ("t.csv", 2, "value"),
    ("t.csv", 4, "duplicate_id"),
    ("t.csv", 5, "columns"),
    ("t.csv", 6, "value"),
    ("v.csv", 2, "duplicate_id"),
    ("v.csv", 3, "duplicate_id"),
]


def both_lists(folder: Path, chunk_bytes: int) -> ImageList:
    files = [
        csv_file(folder, "t.csv", IMAGES, TRAIN, chunk_bytes),
        csv_file(folder, "v.csv", IMAGES, VALIDATION, chunk_bytes),
    ]
    return join_lists([scan_list(file, nothing) for file in files], [None, None])


@pytest.mark.parametrize("chunk_bytes", [1, 120, 1 << 20])
def test_lists_are_joined_and_a_repeated_id_is_rejected(tmp_path: Path, chunk_bytes: int) -> None:
    """Rule: the first good row of an id counts, over the subsets in their order."""
    images = both_lists(tmp_path, chunk_bytes)
    assert images.ids.to_pylist() == [A, B, C, "b", "B", D]
    assert images.subset.tolist() == [0, 0, 0, 0, 0, 1]
    assert images.flickr_photo_id.to_pylist() == [11, None, 14, None, 15, 21]
    assert images.rotated.tolist() == [False, True, False, False, False, True]
    assert images.listed.all()
    found = [(row["file"], row["row"], row["reason"]) for row in images.rejects.to_pylist()]
    assert sorted(found) == REJECTS
    assert images.rows == (len(TRAIN), len(VALIDATION))
    assert sum(images.rows) == len(images.ids) + images.rejects.num_rows
    repeated = [row["raw"] for row in images.rejects.to_pylist() if row["row"] == 4]
    assert repeated == [",".join(TRAIN[3])]


@pytest.mark.parametrize("chunk_bytes", [1, 120, 1 << 20])
def test_details_are_those_of_the_first_good_row(tmp_path: Path, chunk_bytes: int) -> None:
    """Rule: a rejected row gives no detail; an empty field is null, a column not there too."""
    images = both_lists(tmp_path, chunk_bytes)
    chosen = np.array([True, False, True, True, False, True])
    table = details(images, chosen, nothing)
    assert table.schema.names == ["image", *DETAILS]
    rows = table.select(["image", "OriginalURL", "License", "Author", "Title"]).to_pydict()
    assert sorted(zip(*rows.values(), strict=True)) == [
        (0, URL.format("11"), None, "me", 'two\n"lines"'),
        (2, URL.format("14"), None, None, None),
        (3, URL.format("photo"), None, "me", "t"),
        (5, URL.format("21"), None, "me", "t"),
    ]


def test_a_list_may_hold_image_ids_alone(tmp_path: Path) -> None:
    """Rule: only ImageID is needed; without Rotation every image is upright."""
    file = csv_file(tmp_path, "t.csv", ("ImageID",), [[A], [B]], 1 << 20)
    images = join_lists([scan_list(file, nothing)], [None])
    assert images.flickr_photo_id.to_pylist() == [None, None]
    assert images.rotated.tolist() == [False, False]
    table = details(images, np.array([False, True]), nothing)
    assert table.to_pylist() == [{"image": 1, **dict.fromkeys(DETAILS)}]


@pytest.mark.parametrize("chunk_bytes", [1, 150, 1 << 20])
def test_a_subset_without_a_list_has_the_images_of_its_readable_boxes(
    tmp_path: Path, chunk_bytes: int
) -> None:
    """Rule: box rows that pass `columns` and `value` name the images, also bad boxes; a cut inside
    a quoted field loses none of them."""
    rows = [
        box_row(B, source="two\nlines" * 9),
        box_row(A, "/m/unknown"),
        box_row(C)[:-1],
        box_row(D, box=("half", "1", "0", "1")),
        box_row(B),
        box_row("c", box=("0.5", "0.4", "0", "1")),
    ]
    file = csv_file(tmp_path, "b.csv", BOXES, rows, chunk_bytes)
    ids = ids_of_boxes(file, nothing)
    assert ids.to_pylist() == [B, A, "c"]


def test_images_known_from_boxes_belong_to_their_subset_whatever_the_lists_say(
    tmp_path: Path,
) -> None:
    """Rule: `duplicate_id` is about rows of image lists; other subsets have no image rows."""
    file = csv_file(tmp_path, "t.csv", IMAGES, [image_row(A), image_row(B), image_row(A)], 1 << 20)
    images = join_lists([None, scan_list(file, nothing)], [pa.array([C, A]), None])
    assert images.ids.to_pylist() == [C, A, A, B]
    assert images.subset.tolist() == [0, 0, 1, 1]
    assert images.listed.tolist() == [False, False, True, True]
    assert reject_tuples(images.rejects) == [(3, "duplicate_id")]
    assert images.index(0).find(pa.array([A, B, C])).tolist() == [1, -1, 0]
    assert images.index(1).find(pa.array([A, B, C])).tolist() == [2, 3, -1]
    assert details(images, np.ones(4, bool), nothing)["image"].to_pylist() == [2, 3]
    assert images.rows == (0, 3)


def test_no_list_at_all(tmp_path: Path) -> None:
    """Rule: image lists are optional."""
    images = join_lists([None], [pa.array([A])])
    assert images.ids.to_pylist() == [A]
    assert images.rejects.num_rows == 0
    assert len(details(images, np.array([True]), nothing)) == 0
