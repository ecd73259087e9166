"""Images that cannot be used: an error that names them, or the next image and a count."""

import shutil

import pytest
from mmcv.transforms import BaseTransform

from lvis_merge.errors import InputError
from lvis_merge.training.data import Draw, ImageError
from tests.training.data.conftest import LOAD, PACK
from tests.training.small_manifest import EDGE, POLYGONS, RUN_LENGTHS


@pytest.fixture
def root(small, tmp_path):
    """A copy of the images, to be spoilt."""
    return shutil.copytree(small.root, tmp_path / "images")


def picture(root, image_id):
    return root / f"train2017/{image_id:012d}.jpg"


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-300])


def replace(path):
    shutil.copyfile(path.parent.parent / "train/000026e7ee790996.jpg", path)


# what is done to an image, its fault, and what the message says
SPOILT = {
    "missing": (remove, "missing", "not found below .*images.*--image-root.*fetch"),
    "cut short": (cut, "unreadable", "cut short"),
    "another image": (replace, "wrong_size", "80 x 60 pixels, the manifest says 64 x 48"),
}


@pytest.mark.parametrize(("spoil", "fault", "message"), SPOILT.values(), ids=SPOILT)
def test_an_unusable_image_is_an_error_that_names_it(open_small, root, spoil, fault, message):
    spoil(picture(root, RUN_LENGTHS))
    dataset = open_small(image_roots=[str(root)])
    assert dataset[0]["data_samples"].img_id == POLYGONS
    with pytest.raises(ImageError, match=rf"image 11 \(lvis, train2017/0+11.jpg\).*{message}") as e:
        dataset[1]
    assert e.value.fault == fault
    assert e.value.exit_code == 3


@pytest.mark.parametrize(("spoil", "fault"), [case[:2] for case in SPOILT.values()], ids=SPOILT)
def test_skipping_takes_the_next_image_and_counts(open_small, root, spoil, fault):
    spoil(picture(root, RUN_LENGTHS))
    dataset = open_small(image_roots=[str(root)], on_missing="skip")
    for _ in range(2):
        sample = dataset[Draw(1, 50)]["data_samples"]
        assert (sample.img_id, sample.position) == (EDGE, 50)
    assert dataset[1]["data_samples"].img_id == EDGE
    assert dataset.skipped == {fault: 3}


def test_the_image_after_the_last_is_the_first(open_small, root):
    remove(root / "train/000026e7ee790996.jpg")
    dataset = open_small(image_roots=[str(root)], on_missing="skip")
    assert dataset[3]["data_samples"].img_id == POLYGONS


def test_no_usable_image_at_all_ends_in_an_error(open_small, tmp_path):
    dataset = open_small(image_roots=[str(tmp_path)], on_missing="skip")
    with pytest.raises(InputError, match=r"none of 4 images.*'missing': 4"):
        dataset[0]


def test_without_roots_the_message_asks_for_one(open_small):
    with pytest.raises(ImageError, match="no image root is given"):
        open_small(image_roots=[])[0]


def test_roots_are_tried_in_turn_and_may_be_bound_to_a_source(open_small, small, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    bound = [str(empty), f"open_images={small.root}"]
    dataset = open_small(image_roots=bound)
    assert dataset[3]["data_samples"].source == "open_images"
    with pytest.raises(ImageError, match=f"below {empty}\\."):
        dataset[0]


class LeavesNothing(BaseTransform):
    """Drops the images whose ids it is given, as a filter or a crop may."""

    def __init__(self, images):
        self.images = images

    def transform(self, results):
        return None if results["img_id"] in self.images else results


def test_a_pipeline_that_leaves_nothing_gives_the_draw_to_the_next_image(open_small):
    dataset = open_small([LeavesNothing([POLYGONS, RUN_LENGTHS])])
    assert dataset[Draw(0, 3)]["data_samples"].img_id == EDGE
    assert not dataset.skipped


def test_an_evaluation_may_drop_no_image(open_small):
    dataset = open_small([LeavesNothing([POLYGONS])], test_mode=True)
    with pytest.raises(InputError, match="left nothing of image 9"):
        dataset[0]


def test_skipped_images_are_told_at_one_ten_hundred(open_small, root, monkeypatch):
    remove(picture(root, RUN_LENGTHS))
    told = []
    monkeypatch.setattr(
        "lvis_merge.training.data.dataset.print_log", lambda text, **options: told.append(text)
    )
    dataset = open_small(image_roots=[str(root)], on_missing="skip", pipeline=[*LOAD, *PACK])
    for _ in range(23):
        dataset[1]
    assert [int(text.split()[0]) for text in told] == [1, 10]
    assert "image 11" in told[0]
