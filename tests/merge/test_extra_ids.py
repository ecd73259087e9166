"""Ids of images of extra sources."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest

from lvis_merge.merge.extra_ids import coco_image_ids, extra_image_ids, id_collisions


def test_ids_are_of_the_name_and_the_published_id() -> None:
    """Rule: 2^51 + (first 8 bytes, big-endian, of sha256("NAME:id") mod 2^51)."""
    found = extra_image_ids("acme", pa.array(["5", "12"]))
    digests = [hashlib.sha256(text).digest() for text in (b"acme:5", b"acme:12")]
    assert found.tolist() == [2**51 + int.from_bytes(d[:8], "big") % 2**51 for d in digests]
    assert extra_image_ids("zoo", pa.array(["5"]))[0] != found[0]
    assert extra_image_ids("acme", pa.array([], pa.string())).tolist() == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://images.cocodataset.org/train2017/000000391895.jpg", 391895),
        ("https://images.cocodataset.org/val2017/000000000005.jpg", 5),
        ("http://images.cocodataset.org/000000000005.jpg", -1),
        ("http://images.cocodataset.org.example.org/a/5.jpg", -1),
        ("http://example.org/train2017/000000391895.jpg", -1),
        ("http://images.cocodataset.org/train2017/5.jpg?x=1", -1),
        (None, -1),
    ],
)
def test_coco_s_own_urls_tell_the_coco_image(url: str | None, expected: int) -> None:
    assert coco_image_ids(pa.array([url], pa.string())).tolist() == [expected]


@pytest.mark.parametrize(
    ("image_ids", "published", "free", "earlier", "expected"),
    [
        # nothing shared
        ([1, 2], [10, 11], [True, True], [], [False, False]),
        # of equal ones the lowest published id stays, as a number: 9 before 10
        ([1, 1, 1], [10, 9, 11], [True, True, True], [], [True, False, True]),
        # one that an earlier rule leaves out takes no place
        ([1, 1], [10, 9], [True, False], [], [False, False]),
        # an earlier source goes first
        ([1, 2], [10, 11], [True, True], [1], [True, False]),
    ],
)
def test_of_two_images_on_one_id_the_higher_source_id_goes(
    image_ids: list[int],
    published: list[int],
    free: list[bool],
    earlier: list[int],
    expected: list[bool],
) -> None:
    """Rule: id_collision."""
    before = [pa.table({"image_id": pa.array(earlier, pa.int64())})]
    arrays = (np.array(image_ids), np.array(published), np.array(free))
    assert id_collisions(*arrays, before).tolist() == expected
