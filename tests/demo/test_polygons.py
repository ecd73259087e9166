import numpy as np
import pytest

from lvis_merge.demo.polygons import (
    area,
    behind_post,
    clip_to_frame,
    extent,
    raster,
    without_slivers,
)

SQUARE = np.array([[2.0, 1.0], [6.0, 1.0], [6.0, 5.0], [2.0, 5.0]])
# A U, open at the top: x 0..9, its two arms 3 wide.
U_SHAPE = np.array([[0, 0], [3, 0], [3, 6], [6, 6], [6, 0], [9, 0], [9, 9], [0, 9]], dtype=float)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((SQUARE,), 16.0),
        ((SQUARE[::-1],), 16.0),  # either direction of turn
        ((SQUARE, SQUARE + 10), 32.0),  # parts add up
        ((U_SHAPE,), 63.0),
    ],
)
def test_area_is_the_sum_of_the_parts(shape, expected):
    assert area(shape) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("shape", "frame", "expected"),
    [
        ((SQUARE,), (20, 20), (2, 1, 4, 4)),  # inside: untouched
        ((SQUARE,), (4, 20), (2, 1, 2, 4)),  # cut at the right
        ((SQUARE - 3,), (20, 20), (0, 0, 3, 2)),  # cut at left and top
        ((SQUARE, SQUARE + 30), (20, 20), (2, 1, 4, 4)),  # a part outside vanishes
        ((U_SHAPE,), (20, 5), (0, 0, 9, 5)),  # a concave cut keeps both arms
    ],
)
def test_clipping_to_the_frame_keeps_extent_exact(shape, frame, expected):
    assert extent(clip_to_frame(shape, *frame)) == pytest.approx(expected)


def test_a_concave_cut_keeps_area_exact():
    assert area(clip_to_frame((U_SHAPE,), 20, 5)) == pytest.approx(30.0)


def test_a_shape_outside_the_frame_is_nothing():
    assert clip_to_frame((SQUARE + 50,), 20, 20) == ()


def test_a_post_splits_an_outline_in_two():
    seen = behind_post((SQUARE,), 3.5, 4.5)
    assert [extent((part,)) for part in seen] == [(2, 1, 1.5, 4), (4.5, 1, 1.5, 4)]


def test_slivers_are_left_out():
    sliver = SQUARE * np.array([0.01, 1.0])
    (kept,) = without_slivers((SQUARE, sliver), 1.0)
    assert kept is SQUARE


@pytest.mark.parametrize("scale", [1, 3])
def test_raster_covers_pixels_by_their_centres(scale):
    mask = raster((SQUARE,), 8, 8, scale)
    # PIL paints the border pixel on both sides, hence up to one row and column more.
    assert mask.shape == (8 * scale, 8 * scale)
    assert mask[scale : 5 * scale, 2 * scale : 6 * scale].all()
    assert mask.sum() <= (4 * scale + 1) ** 2
