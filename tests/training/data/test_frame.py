"""Pixels in the frame of the boxes: EXIF orientation, sizes, damaged files."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from lvis_merge.training.data.frame import ImageError, read_in_frame

WIDTH, HEIGHT = 40, 24
TAG = 0x0112
NEAR = 16  # what JPEG costs at quality 95; the picture spans 0 to 255


def picture(width=WIDTH, height=HEIGHT):
    """Each corner of another colour, smooth enough for JPEG."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def encoded(kind="JPEG", orientation=None, thumbnail=None, **options):
    exif = Image.Exif()
    if orientation:
        exif[TAG] = orientation
    data = io.BytesIO()
    picture().save(data, kind, exif=exif, quality=95, **options)
    data = data.getvalue()
    if thumbnail:  # an application segment with a whole JPEG in it, as cameras write
        data = (
            data[:2] + b"\xff\xe2" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + data[2:]
        )
    return data


def read(tmp_path, data, width=WIDTH, height=HEIGHT):
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    return read_in_frame(path, width, height, "image 7")


def turned(orientation):
    """The upright picture, by Pillow's reading of the tag."""
    from PIL import ImageOps

    with Image.open(io.BytesIO(encoded(orientation=orientation))) as image:
        return np.asarray(ImageOps.exif_transpose(image))[:, :, ::-1]


@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
def test_pixels_are_as_stored_where_the_stored_size_fits(tmp_path, orientation):
    """Orientations 2 to 4 keep the size, so they are never applied."""
    image = read(tmp_path, encoded(orientation=orientation))
    stored = np.asarray(picture())[:, :, ::-1].astype(int)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert abs(image - stored).max() <= NEAR


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_tag_is_applied_where_only_the_upright_size_fits(tmp_path, orientation):
    image = read(tmp_path, encoded(orientation=orientation), HEIGHT, WIDTH)
    assert image.shape == (WIDTH, HEIGHT, 3)
    assert abs(image.astype(int) - turned(orientation)).max() <= NEAR


# a tag, and the manifest's size that neither frame has
WRONG = {
    "another size": (None, 41, 24),
    "swapped, but nothing says so": (None, HEIGHT, WIDTH),
    "swapped, and the tag turns it over": (3, HEIGHT, WIDTH),
    "a tag, and another size": (6, 24, 41),
}


@pytest.mark.parametrize(("orientation", "width", "height"), WRONG.values(), ids=WRONG)
def test_an_image_of_another_size_is_an_error(tmp_path, orientation, width, height):
    with pytest.raises(ImageError, match=rf"image 7: .*40 x 24 .*{width} x {height}") as caught:
        read(tmp_path, encoded(orientation=orientation), width, height)
    assert caught.value.fault == "wrong_size"


# bytes that a decoder might make something of
DAMAGED = {
    "cut short": encoded()[:-200],
    "the last bytes are missing": encoded()[:-40],
    "cut short, progressive": encoded(progressive=True)[:-200],
    "cut short, with a whole thumbnail in it": encoded(thumbnail=encoded())[:-200],
    "cut before the scan, with a whole thumbnail in it": encoded(thumbnail=encoded())[
        : len(encoded()) + 60
    ],
    "a PNG cut short": encoded("PNG")[:-100],
    "an error page": b"<html><body>404</body></html>",
    "nothing": b"",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_image_is_an_error_not_a_grey_picture(tmp_path, data):
    with pytest.raises(ImageError, match=r"image 7: .*picture\.jpg is .*Fetch it again") as caught:
        read(tmp_path, data)
    assert caught.value.fault == "unreadable"


# bytes that look odd and are a whole image
WHOLE = {
    "bytes after the end": encoded() + b"\0" * 64,
    "a scan marker after the end": encoded() + b"\xff\xda\0\0",
    "with a thumbnail": encoded(thumbnail=encoded()),
    "progressive": encoded(progressive=True),
    "PNG": encoded("PNG"),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_whole_image_is_read(tmp_path, data):
    stored = np.asarray(picture())[:, :, ::-1].astype(int)
    assert abs(read(tmp_path, data) - stored).max() <= NEAR


def test_grey_images_get_three_channels(tmp_path):
    data = io.BytesIO()
    picture().convert("L").save(data, "JPEG")
    image = read(tmp_path, data.getvalue())
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert (image[:, :, 0] == image[:, :, 2]).all()


def test_a_folder_of_the_images_name_is_unreadable(tmp_path):
    with pytest.raises(ImageError, match="cannot be read"):
        read_in_frame(tmp_path, WIDTH, HEIGHT, "image 7")


def test_the_error_crosses_processes_whole():
    again = pickle.loads(pickle.dumps(ImageError("image 7: gone", "missing")))
    assert (str(again), again.fault, again.exit_code) == ("image 7: gone", "missing", 3)
