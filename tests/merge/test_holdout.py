"""Leakage: the same image id, or the same Flickr photo."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from lvis_merge.merge.holdout import HoldOut


def rows(*pairs: tuple[int, int | None]) -> pa.Table:
    return pa.table(
        {
            "image_id": pa.array([pair[0] for pair in pairs], pa.int64()),
            "flickr_photo_id": pa.array([pair[1] for pair in pairs], pa.int64()),
        }
    )


HELD = HoldOut.of([rows((7, 70), (3, None)), rows(), rows((7, 71), (2**52 + 1, 70))])


def test_an_image_leaks_by_id_or_by_photo() -> None:
    """Rule: same manifest image_id, or same non-null Flickr photo id; null is like no photo."""
    cases = [
        # (image id, photo, leaks)
        (7, None, True),
        (8, 70, True),  # another id, the same photo
        (8, 71, True),
        (8, None, False),  # image 3 is held out without a photo: null does not match null
        (3, 5, True),
        (2**52 + 1, None, True),
        (2**52 + 2, 72, False),
        (70, 7, False),  # ids and photos are told apart
    ]
    photos = pa.array([case[1] for case in cases], pa.int64())
    expected = [case[2] for case in cases]
    ids = np.array([case[0] for case in cases])
    assert HELD.leaks(ids, photos).tolist() == expected
    assert HELD.leaks(ids, pa.chunked_array([photos[:3], photos[3:]])).tolist() == expected


def test_nothing_leaks_where_nothing_is_held_out() -> None:
    """Rule: no hold-out, no loss; without photos ids alone count."""
    photos = pa.array([None, 70], pa.int64())
    assert HoldOut.of([]).leaks(np.array([1, 2]), photos).tolist() == [False, False]
    by_id = HoldOut.of([rows((1, None))])
    assert by_id.leaks(np.array([1, 2]), photos).tolist() == [True, False]
    assert HELD.leaks(np.zeros(0, np.int64), pa.array([], pa.int64())).tolist() == []


def test_the_hash_is_of_the_sorted_distinct_ids() -> None:
    """Rule: the manifest tells which ids were held out, whatever the files they came from."""
    lines = "image 3\nimage 7\nimage 4503599627370497\nflickr 70\nflickr 71\n"
    assert HELD.sha256() == hashlib.sha256(lines.encode()).hexdigest()
    again = HoldOut.of([rows((2**52 + 1, 71), (7, None), (3, 70), (3, 70))])
    assert again.sha256() == HELD.sha256()
    assert HoldOut.of([rows((3, 7))]).sha256() != HoldOut.of([rows((7, 3))]).sha256()
