"""Hand-computed cases: why the reference itself can be trusted."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.reference.coco_json import COCO_ANNOTATION, LVIS_ANNOTATION, check_annotations
from tests.reference.evidence import descendants, evidence
from tests.reference.hold_out import open_images_number
from tests.reference.matching import matched
from tests.reference.open_images_files import box_order, read_hierarchy
from tests.reference.reading import Row, csv_records, json_members
from tests.reference.selection import Candidate, balanced_selection, random_selection
from tests.reference.tables import with_merged_counts
from tests.reference.values import NotAValueError, flickr_photo_id, rotation

# Smallest sha256 first. "0:0e" begins 36b3, 0d 37f3, 0c 4105, 0b bb81, 0a eb71; "1:0c" 5995,
# 0b ceb6, 0e dcb6, 0d df35, 0a f6e9 (as the sha256sum tool says).
BY_HASH = {0: ["0e", "0d", "0c", "0b", "0a"], 1: ["0c", "0b", "0e", "0d", "0a"]}
FIVE = [
    Candidate("0a", frozenset({1}), 0),
    Candidate("0b", frozenset({1, 2}), 0),
    Candidate("0c", frozenset({2}), 1),
    Candidate("0d", frozenset({1}), 0),
    Candidate("0e", frozenset({2}), 0),
]


def ids(candidates: list[Candidate]) -> list[str]:
    return [candidate.source_image_id for candidate in candidates]


def test_balanced_selection_follows_the_loop() -> None:
    """Counts 0,0: `a` first, its best is 0b (two categories before 0e's one; 0c is flagged).

    1,1: `a` again, 0e. Then 1 has fewest: 0d before 0a, by hash. 2,2: `a`, 0c. 0a is left.
    """
    names = {1: "b.n.01", 2: "a.n.01"}
    in_turn = ["0b", "0e", "0d", "0c", "0a"]
    for limit in (1, 2, 3, 4, 5, 20000):
        assert ids(balanced_selection(FIVE, names, limit, 0, Counter())) == in_turn[:limit]


@pytest.mark.parametrize("seed", [0, 1])
def test_random_selection_is_by_hash_of_seed_and_id(seed: int) -> None:
    assert ids(random_selection(FIVE, 3, seed)) == BY_HASH[seed][:3]


def test_hierarchy_takes_subcategory_edges_of_all_nodes(tmp_path: Path) -> None:
    """b stands twice, once below a `Part` edge: both its children count; a's part does not."""
    tree = {
        "LabelName": "root",
        "Subcategory": [
            {
                "LabelName": "a",
                "Subcategory": [{"LabelName": "b", "Subcategory": [{"LabelName": "c"}]}],
                "Part": [{"LabelName": "p"}],
            },
            {"LabelName": "z", "Part": [{"LabelName": "b", "Subcategory": [{"LabelName": "d"}]}]},
        ],
    }
    (tmp_path / "bbox_labels_600_hierarchy.json").write_text(json.dumps(tree))
    children = read_hierarchy(tmp_path)
    assert descendants("a", children) == {"b", "c", "d"}
    assert descendants("z", children) == set()


CATEGORIES = {"b": 2, "c": 3, "d": 4, "e": 5, "f": 5}
CHILDREN = {"a": {"b", "c"}, "c": {"d"}}


@pytest.mark.parametrize(
    ("labels", "rows", "positive", "negative", "not_exhaustive"),
    [
        # an unmapped class verified absent denies all its mapped descendants
        ([("a", 0)], [], [], [2, 3, 4], []),
        # a box of any role takes its category out of the negatives; an object makes it positive
        ([("a", 0)], [(2, "depiction"), (3, None)], [3], [4], []),
        # verified present wins, and has no object: not exhaustive
        ([("a", 0), ("c", 1)], [], [3], [2, 4], [3]),
        # both 1 and 0: neither, and it denies nothing below it
        ([("c", 1), ("c", 0)], [], [], [], []),
        # both 1 and 0, but its ancestor is absent: denied with the rest
        ([("c", 1), ("c", 0), ("a", 0)], [], [], [2, 3, 4], []),
        # presence is not passed up
        ([("d", 1)], [(4, None)], [4], [], []),
        # group_of: positive and not exhaustive, with or without an object beside it
        ([("b", 1)], [(2, "group_of"), (2, None)], [2], [], [2]),
        ([], [(4, "group_of")], [4], [], [4]),
        # inside alone makes nothing positive
        ([], [(4, "inside")], [], [], []),
        # two classes of one category: one absent, one present
        ([("e", 0), ("f", 1)], [(5, None)], [5], [], []),
        # without hierarchy entry: its own category only
        ([("e", 0)], [], [], [5], []),
    ],
)
def test_evidence_of_one_image(
    labels: list[tuple[str, int]],
    rows: list[tuple[int, str | None]],
    positive: list[int],
    negative: list[int],
    not_exhaustive: list[int],
) -> None:
    found = evidence(labels, rows, CATEGORIES, CHILDREN, Counter())
    assert (found.positive, found.negative, found.not_exhaustive) == (
        positive,
        negative,
        not_exhaustive,
    )


def box(**changes: Any) -> dict[str, Any]:
    row = {"LabelName": "/m/b", "XMin": 0.1, "XMax": 0.5, "YMin": 0.1, "YMax": 0.5}
    flags = dict.fromkeys(("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction"), False)
    return {**row, **flags, "IsInside": None, "Source": "xclick", **changes}


def test_rank_compares_numbers_as_numbers_and_nulls_first() -> None:
    in_order = [
        box(LabelName="/m/a", XMin=0.9, XMax=1.0),
        box(XMin=0.09),
        box(IsInside=None, Source=None),
        box(IsInside=None),
        box(IsInside=False),
        box(IsInside=True),
        box(IsOccluded=True, IsInside=None),
        box(YMax=0.6),
        box(XMax=0.55, YMax=0.2),
    ]
    backwards = in_order[::-1]
    assert sorted(backwards, key=box_order) == in_order


def lvis_object(number: int, bbox: list[float], category: int = 1) -> dict[str, Any]:
    return {"id": number, "image_id": 7, "category_id": category, "bbox": bbox}


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        # inter 50, union 100: exactly a half is enough
        ([lvis_object(4, [0, 0, 5, 10])], 4),
        # inter 49, union 100
        ([lvis_object(4, [0, 0, 4.9, 10])], None),
        # the same IoU of 9/11 on both sides: the lowest id
        ([lvis_object(9, [1, 0, 10, 10]), lvis_object(5, [-1, 0, 10, 10])], 5),
        # the highest IoU, whatever its id
        ([lvis_object(5, [-1, 0, 10, 10]), lvis_object(9, [0, 0, 10, 10])], 9),
        # another category
        ([lvis_object(4, [0, 0, 10, 10], category=2)], None),
    ],
)
def test_matched_object(objects: list[dict[str, Any]], expected: int | None) -> None:
    found = matched([0, 0, 10, 10], 7, 1, objects, Counter())
    assert (found and found["id"]) == expected
    assert matched([0, 0, 10, 10], 7, None, objects, Counter()) is None


def test_csv_records_keep_the_raw_text_of_rows() -> None:
    text = 'a,b\r\n1,"two\nlines, ""x"""\r\n\r\n3,\n4'
    assert csv_records(text) == [
        ("a,b", ["a", "b"]),
        ('1,"two\nlines, ""x"""', ["1", 'two\nlines, "x"']),
        ("3,", ["3", ""]),
        ("4", ["4"]),
    ]


def test_json_members_keep_the_raw_text_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"n": {"a": [1]},\n "rows": [ {"id" : 1}, 5 ,"x"], "none": []}')
    assert json_members(path) == {
        "n": {"a": [1]},
        "rows": [({"id": 1}, '{"id" : 1}'), (5, "5"), ("x", '"x"')],
        "none": [],
    }


GOOD = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2], "area": 4.0}
GOOD["segmentation"] = [[1, 1, 3, 1, 3, 3]]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"segmentation": []}, None),
        ({"id": -1, "image_id": 0}, "value"),
        ({"image_id": 0, "category_id": 0, "bbox": [1, 1, 0, 2]}, "unknown_image"),
        ({"category_id": 0, "id": 99}, "unknown_category"),
        ({"id": 99, "bbox": [1, 1, 0, 2]}, "duplicate_id"),
        ({"bbox": [1, 1, 0, 2], "segmentation": [[1]]}, "box"),
        ({"bbox": [1, math.inf, 1, 2]}, "box"),
        ({"segmentation": [[1, 1, 3, 1, 3, 3], [1, 1, 3, 3]]}, "polygon"),
        ({"segmentation": [[1, 1, 3, 1, 3, 3, 4]]}, "polygon"),
        ({"segmentation": {"size": [9, 8], "counts": [72]}}, None),
        ({"segmentation": {"size": [8, 9], "counts": [72]}}, "polygon"),
        ({"area": math.inf}, "value"),
    ],
)
def test_first_reason_of_an_annotation(changes: dict[str, Any], reason: str | None) -> None:
    """After a row whose id is 99 and whose category is unknown: it still is the first 99."""
    rows = [
        Row("lvis", "annotation", "f", place, "", data)
        for place, data in enumerate(({**GOOD, "id": 99, "category_id": 0}, {**GOOD, **changes}))
    ]
    check_annotations(rows, LVIS_ANNOTATION, {7: {"id": 7, "width": 8, "height": 9}}, {1})
    assert [row.reason for row in rows] == ["unknown_category", reason]


def test_a_crowds_mask_is_not_read() -> None:
    row = Row("coco", "annotation", "f", 1, "", {**GOOD, "iscrowd": 1, "segmentation": [[1]]})
    check_annotations([row], COCO_ANNOTATION, {7: {"id": 7, "width": 8, "height": 9}}, {1})
    assert row.reason is None


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("http://farm8.staticflickr.com/70_12/6476759_7d3a_z.jpg", 6476759),
        ("http://x/123456789012345678_z.jpg", 123456789012345678),
        ("http://x/1234567890123456789_z.jpg", None),
        ("http://x/6476759.jpg", None),
        ("http://x/a6476759_z.jpg", None),
        (None, None),
    ],
)
def test_flickr_photo_id(url: str | None, number: int | None) -> None:
    assert flickr_photo_id(url) == number


def test_rotation_is_a_number_of_quarter_turns() -> None:
    assert [rotation(text) for text in (None, "nan", "0.0", "90.0", "270")] == [0, 0, 0, 90, 270]
    with pytest.raises(NotAValueError):
        rotation("45")


def test_image_number_is_the_last_13_hex_digits() -> None:
    assert open_images_number("abc000000000000F") == 2**52 + 15
    assert open_images_number("1") == 2**52 + 1


def test_merged_counts_and_bins() -> None:
    """1 has 10 images, 2 has 11, 3 has 100 and 4 has 101, 5 none; 4,000 images have objects."""
    spans = {1: range(10), 2: range(11), 3: range(100), 4: range(101), 6: range(4000)}
    annotations = [
        {"category_id": category, "image_id": image, "role": "object"}
        for category, images in spans.items()
        for image in images
    ]
    annotations += [
        {"category_id": 1, "image_id": 0, "role": "object"},
        {"category_id": 1, "image_id": 11, "role": "ignore"},
        {"category_id": 1, "image_id": 4001, "role": "object"},  # on a val image
    ]
    images = [{"image_id": n, "split": "val" if n == 4001 else "train"} for n in range(4002)]
    table = with_merged_counts(
        [{"category_id": c} for c in (6, 5, 4, 3, 2, 1)], images, annotations
    )
    assert [row["category_id"] for row in table] == [1, 2, 3, 4, 5, 6]
    assert [row["frequency_merged"] for row in table] == ["r", "c", "c", "f", "r", "f"]
    assert (table[0]["image_count"], table[0]["instance_count"]) == (10, 11)
    assert [row["f"] for row in table] == [0.0025, 0.00275, 0.025, 0.02525, 0.0, 1.0]
    assert table[4]["repeat_factor"] == 1.0
    few = with_merged_counts([{"category_id": 9}], images, [*annotations, ONE_OF_9])[0]
    assert few["repeat_factor"] == 2.0  # f = 1/4000 is a quarter of 0.001


ONE_OF_9 = {"category_id": 9, "image_id": 3, "role": "object"}
