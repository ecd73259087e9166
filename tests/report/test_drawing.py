import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from lvis_merge.manifest import schema
from lvis_merge.report.drawing import (
    BOX_COLOUR,
    LONG_SIDE,
    MASK_COLOUR,
    MOST_BYTES,
    Sample,
    draw_sample,
)
from tests.report import small

ORIENTATION = 0x0112
CATEGORIES = small.table(schema.CATEGORIES, [small.category(1, "banjo", "r")])


def stored(path: Path, size: tuple[int, int] = (100, 80), orientation: int = 1) -> Path:
    """A grey JPEG with an EXIF orientation."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.new("RGB", size, (90, 90, 90)).save(path, quality=95, exif=exif)
    return path


def drawn(path: Path, rows: list[dict], **image) -> Sample | None:
    annotations = small.table(schema.ANNOTATIONS, rows)
    row = small.table(schema.IMAGES, [small.image(1, **image)]).to_pylist()[0]
    return draw_sample(path, row, annotations, CATEGORIES)


def pixels(sample: Sample) -> np.ndarray:
    data = base64.b64decode(sample.data_uri.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)), np.int64)


def at(pixel: int) -> int:
    """A pixel of the stored 100 x 80 image in the picture."""
    return pixel * LONG_SIDE // 100


def near(pixel: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Equal but for JPEG's losses."""
    return bool(np.abs(pixel - colour).max() < 60)


BITMAP = np.zeros((80, 100), np.uint8, order="F")
BITMAP[10:50, 10:50] = 1


@pytest.mark.parametrize(
    ("shape", "colour"),
    [
        # polygons and bitmaps are outlined as masks
        ({"segmentation": small.SQUARE}, MASK_COLOUR),
        (
            {"segmentation": None, "mask_rle": coco_mask.encode(BITMAP)["counts"].decode()},
            MASK_COLOUR,
        ),
        # an object without a mask shows its box
        ({"segmentation": None}, BOX_COLOUR),
    ],
)
def test_an_object_is_outlined_in_the_colour_of_its_kind(tmp_path, shape, colour):
    sample = drawn(stored(tmp_path / "a.jpg"), [small.annotation(1, 1, **shape)])
    found = pixels(sample)
    # the right edge of x, y, w, h = 10, 10, 40, 40, half way down
    edge = found[at(30), at(48) : at(52)]
    assert any(near(pixel, colour) for pixel in edge)
    # neither inside nor outside is touched
    assert near(found[at(35), at(30)], (90, 90, 90))
    assert near(found[at(70), at(80)], (90, 90, 90))
    assert sample.objects == "banjo"


def test_an_ignore_region_is_hatched_and_has_no_name(tmp_path):
    rows = [small.annotation(1, 1, "coco", ignore_reason="coco_box")]
    sample = drawn(stored(tmp_path / "a.jpg"), rows)
    found = pixels(sample)
    # white lines inside, nothing outside
    assert found[at(15) : at(45), at(15) : at(45)].max() > 150
    assert near(found[at(70), at(80)], (90, 90, 90))
    assert (sample.objects, sample.ignored) == ("", "COCO box")


@pytest.mark.parametrize(
    ("size", "orientation", "is_drawn"),
    [
        # stored as the manifest says: the tag is not applied
        ((100, 80), 6, True),
        # upright only with the tag: applied
        ((80, 100), 6, True),
        # of the turned size without a tag that turns it
        ((80, 100), 1, False),
        ((80, 100), 3, False),
        # another size
        ((200, 160), 1, False),
    ],
)
def test_the_frame_is_the_stored_one_unless_only_the_tag_fits(
    tmp_path, size, orientation, is_drawn
):
    sample = drawn(stored(tmp_path / "a.jpg", size, orientation), [small.annotation(1, 1)])
    assert (sample is not None) is is_drawn
    if sample is not None:
        assert (sample.width, sample.height) == (LONG_SIDE, LONG_SIDE * 4 // 5)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\xff\xd8\xff\xe0truncated"])
def test_a_damaged_file_is_passed_over(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert drawn(path, [small.annotation(1, 1)]) is None


def test_large_images_are_reduced(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (768, 1024, 3), np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(noise).save(path)
    sample = drawn(path, [small.annotation(1, 1)], width=1024, height=768)
    assert (sample.width, sample.height) == (LONG_SIDE, LONG_SIDE * 3 // 4)
    # noise is the worst case; the lowest quality may be a little over
    assert len(sample.data_uri) < MOST_BYTES * 4 / 3 * 1.5


def test_rows_over_the_edge_are_drawn(tmp_path):
    over = {"bbox": [80.0, 60.0, 90.0, 90.0]}
    rows = [
        small.annotation(1, 1, "open_images", **over),
        small.annotation(1, 1, "coco", ignore_reason="coco_box", **over),
        # wholly outside
        small.annotation(1, 1, "coco", ignore_reason="coco_box", bbox=[200.0, 0.0, 5.0, 5.0]),
    ]
    sample = drawn(stored(tmp_path / "a.jpg"), rows)
    assert near(pixels(sample)[at(20), at(20)], (90, 90, 90))


def test_drawing_is_the_same_each_time(tmp_path):
    path = stored(tmp_path / "a.jpg")
    rows = [small.annotation(1, 1), small.annotation(1, 1, "coco", ignore_reason="crowd")]
    assert drawn(path, rows) == drawn(path, rows)
