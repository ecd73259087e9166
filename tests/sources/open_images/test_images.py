"""Image lists: ids, photos and rotations of all images, details of the chosen ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lvis_merge.sources.open_images.images import DETAILS, details, first_of_each, images_of_runs
from lvis_merge.sources.open_images.join import join_bucket, with_unlisted
from tests.sources.open_images.first_pass import Lists, images_of, read_lists, scan
from tests.sources.open_images.small_files import BOXES, IMAGES, box_row, csv_file, nothing

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


def both_lists(folder: Path, chunk_bytes: int) -> Lists:
    files = [
        csv_file(folder, "t.csv", IMAGES, TRAIN, chunk_bytes),
        csv_file(folder, "v.csv", IMAGES, VALIDATION, chunk_bytes),
    ]
    return read_lists(folder, files)


@pytest.mark.parametrize("chunk_bytes", [1, 120, 1 << 20])
def test_lists_are_joined_and_a_repeated_id_is_rejected(tmp_path: Path, chunk_bytes: int) -> None:
    """Rule: the first good row of an id counts, over the subsets in their order."""
    lists = both_lists(tmp_path, chunk_bytes)
    images = lists.images
    assert images["id"].to_pylist() == [A, B, C, "b", "B", D]
    assert images["image_id"].to_pylist() == [2**52 + int(i, 16) for i in (A, B, C, "b", "B", D)]
    assert images["subset"].to_pylist() == [0, 0, 0, 0, 0, 1]
    assert images["flickr_photo_id"].to_pylist() == [11, None, 14, None, 15, 21]
    assert images["rotated"].to_pylist() == [False, True, False, False, False, True]
    rejects = [row for table in lists.rejects for row in table.to_pylist()]
    assert [(row["file"], row["row"], row["reason"]) for row in rejects] == REJECTS
    rows = [scan.rows for scan in lists.scans]
    assert rows == [len(TRAIN), len(VALIDATION)]
    assert sum(rows) == len(images) + len(rejects)
    repeated = [row["raw"] for row in rejects if row["row"] == 4]
    assert repeated == [",".join(TRAIN[3])]


@pytest.mark.parametrize("chunk_bytes", [1, 120, 1 << 20])
def test_details_are_those_of_the_first_good_row(tmp_path: Path, chunk_bytes: int) -> None:
    """Rule: a rejected row gives no detail; an empty field is null, a column not there too."""
    lists = both_lists(tmp_path, chunk_bytes)
    table = details(lists.scans, lists.images.take([0, 2, 3, 5]), nothing)
    assert table.schema.names == ["image", *DETAILS]
    rows = table.select(["image", "OriginalURL", "License", "Author", "Title"]).to_pydict()
    assert sorted(zip(*rows.values(), strict=True)) == [
        (0, URL.format("11"), None, "me", 'two\n"lines"'),
        (1, URL.format("14"), None, None, None),
        (2, URL.format("photo"), None, "me", "t"),
        (3, URL.format("21"), None, "me", "t"),
    ]


def test_a_list_may_hold_image_ids_alone(tmp_path: Path) -> None:
    """Rule: only ImageID is needed; without Rotation every image is upright."""
    lists = read_lists(tmp_path, [csv_file(tmp_path, "t.csv", ("ImageID",), [[A], [B]], 1 << 20)])
    assert lists.images["flickr_photo_id"].to_pylist() == [None, None]
    assert lists.images["rotated"].to_pylist() == [False, False]
    table = details(lists.scans, lists.images.slice(1), nothing)
    assert table.to_pylist() == [{"image": 0, **dict.fromkeys(DETAILS)}]


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
    _, runs = scan(tmp_path, file, "box")
    for order in (np.arange(len(runs)), np.arange(len(runs))[::-1]):
        images = images_of_runs(1, runs.take(order))
        assert images["id"].to_pylist() == [B, A, "c"]
        assert images["subset"].to_pylist() == [1, 1, 1]


def test_images_known_from_boxes_belong_to_their_subset_whatever_the_lists_say(
    tmp_path: Path,
) -> None:
    """Rule: `duplicate_id` is about rows of image lists; other subsets have no image rows."""
    listed = csv_file(tmp_path, "t.csv", IMAGES, [image_row(A), image_row(B), image_row(A)], 1)
    lists, rows = scan(tmp_path, listed, "image")
    known, again = first_of_each([None, rows])
    assert (known["id"].to_pylist(), again["id"].to_pylist()) == ([A, B], [A])
    runs = [
        scan(tmp_path, csv_file(tmp_path, name, BOXES, [box_row(i) for i in ids], 1), "box")[1]
        for name, ids in (("v.csv", [C, A]), ("b.csv", [C, B]))
    ]
    images = with_unlisted(known, runs, [False, True])
    assert images["id"].to_pylist() == [C, A, A, B]
    assert images["subset"].to_pylist() == [0, 0, 1, 1]
    bucket, unknown, _ = join_bucket(images, runs, [None, None])
    assert sorted(bucket.boxes["image"].to_pylist()) == [0, 1, 3]
    assert [table["id"].to_pylist() for table in unknown] == [[], [C]]
    assert details([None, lists], images, nothing)["image"].to_pylist() == [2, 3]


def test_no_list_at_all() -> None:
    """Rule: image lists are optional."""
    images, again = first_of_each([None])
    assert (len(images), len(again)) == (0, 0)
    assert len(details([None], images_of([A]), nothing)) == 0
