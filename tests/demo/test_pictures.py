import numpy as np
import pytest
from PIL import Image

from lvis_merge.demo.long_tail_open_images_rows import _normalised
from lvis_merge.demo.pictures import _TO_STORED, Picture, Print
from lvis_merge.demo.scene import Scene


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_boxes_turn_with_the_stored_picture(turn):
    # One bright block in a dark picture, turned as the file is.
    pixels = np.zeros((40, 80), np.uint8)
    pixels[5:15, 10:50] = 255
    image = Image.fromarray(pixels)
    stored = np.asarray(image.transpose(_TO_STORED[turn]) if turn else image)
    rows, columns = np.nonzero(stored)
    height, width = stored.shape
    expected = (
        columns.min() / width,
        (columns.max() + 1) / width,
        rows.min() / height,
        (rows.max() + 1) / height,
    )
    assert _normalised((10, 5, 40, 10), 80, 40, turn) == pytest.approx(expected)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_sets_the_stored_picture_upright(turn):
    # Open Images: the counter-clockwise turn by `Rotation` restores the upright picture.
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    stored = image.transpose(_TO_STORED[turn])
    upright = np.rot90(np.asarray(stored), turn // 90)
    assert np.array_equal(upright, np.asarray(image))


@pytest.mark.parametrize(
    ("turn", "scale", "size"),
    [
        (0, 1.0, (256, 192)),
        (90, 1.0, (192, 256)),  # sideways: the sides change places
        (180, 1.0, (256, 192)),
        (0, 1.25, (320, 240)),  # an enlarged copy
    ],
)
def test_size_of_a_print_is_that_of_the_stored_file(tmp_path, turn, scale, size):
    picture = Picture((0, 0, 0), Scene(256, 192, (), None))
    assert Print(tmp_path / "x.jpg", picture, turn, scale).size == size
