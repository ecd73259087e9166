"""The long-tailed world keeps what it promises, read back from its files alone."""

import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask
from pycocotools.coco import COCO

from lvis_merge.demo import WorldSize, draw_world
from lvis_merge.errors import InputError


def read(path):
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def train(world):
    return read(world.lvis_train)


@pytest.fixture(scope="module")
def val(world):
    return read(world.lvis_val)


@pytest.fixture(scope="module")
def coco(world):
    return read(world.coco)


def by_image(annotations):
    found = {}
    for annotation in annotations:
        found.setdefault(annotation["image_id"], []).append(annotation)
    return found


def photo_id(url):
    return int(url.rsplit("/", 1)[1].split("_")[0])


def file_of(world, image):
    return world.image_root.joinpath(*image["coco_url"].split("/")[-2:])


def overlap(one, other):
    corner = [max(one[i], other[i]) for i in (0, 1)]
    end = [min(one[i] + one[i + 2], other[i] + other[i + 2]) for i in (0, 1)]
    shared = max(end[0] - corner[0], 0) * max(end[1] - corner[1], 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def test_the_same_seed_gives_the_same_bytes(world, other_folder, small_size):
    steps = []
    again = draw_world(
        other_folder / "world", 0, small_size, lambda done, total: steps.append((done, total))
    )
    files = sorted(path.relative_to(world.folder) for path in world.folder.rglob("*"))
    assert files == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*"))
    for name in files:
        if (world.folder / name).is_file():
            assert (world.folder / name).read_bytes() == (again.folder / name).read_bytes(), name
    jpegs = sum(name.suffix == ".jpg" for name in files)
    assert steps == [(done, jpegs) for done in range(1, jpegs + 1)]


def test_another_seed_draws_another_world_over_the_first(world, train, other_folder, small_size):
    other = draw_world(other_folder / "world", 1, small_size)
    assert read(other.lvis_train)["images"][0]["id"] != train["images"][0]["id"]
    files = list(other.image_root.rglob("*.jpg"))
    listed = [*read(other.lvis_train)["images"], *read(other.lvis_val)["images"]]
    listed += [*read(other.lvis_test)["images"], *read(other.coco)["images"]]
    assert set(files) == {file_of(other, image) for image in listed}


def test_a_folder_with_other_files_is_left_alone(tmp_path, small_size):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="no demo world wrote"):
        draw_world(tmp_path, 0, small_size)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_world_too_small_for_its_promises_is_refused():
    with pytest.raises(ValueError, match="open_images"):
        WorldSize(open_images=10)


@pytest.mark.parametrize("name", ["lvis_train", "lvis_val", "coco"])
def test_boxes_and_areas_follow_from_the_polygons(world, name):
    document = read(getattr(world, name))
    images = {image["id"]: image for image in document["images"]}
    objects = [a for a in document["annotations"] if not a.get("iscrowd") and a["bbox"][3] > 0]
    assert len({a["id"] for a in document["annotations"]}) == len(document["annotations"])
    for annotation in objects:
        points = np.concatenate([np.reshape(p, (-1, 2)) for p in annotation["segmentation"]])
        low, high = points.min(axis=0), points.max(axis=0)
        assert annotation["bbox"] == pytest.approx([*low, *(high - low)], abs=1e-6)
        image = images[annotation["image_id"]]
        assert (low >= 0).all()
        assert (high <= [image["width"], image["height"]]).all()
        size = (image["height"], image["width"])
        filled = mask.area(mask.merge(mask.frPyObjects(annotation["segmentation"], *size)))
        rim = np.abs(np.diff(points, axis=0)).sum()
        assert annotation["area"] == pytest.approx(filled, abs=0.4 * rim + 2)


def test_outlines_of_several_parts_are_there(train):
    assert any(len(annotation["segmentation"]) > 1 for annotation in train["annotations"])


def test_frequency_is_that_of_the_file_itself(train, val):
    images = Counter(
        c for _, c in {(a["image_id"], a["category_id"]) for a in train["annotations"]}
    )
    for category in train["categories"]:
        count = images[category["id"]]
        assert category["image_count"] == count
        assert category["frequency"] == ("r" if count <= 10 else "c" if count <= 100 else "f")
        assert count >= 1
    key = [(c["id"], c["synset"], c["frequency"]) for c in train["categories"]]
    assert key == [(c["id"], c["synset"], c["frequency"]) for c in val["categories"]]
    assert [c["id"] for c in train["categories"]] == list(range(1, len(key) + 1))


@pytest.mark.parametrize("name", ["lvis_train", "lvis_val"])
def test_federated_lists_agree_with_the_annotations(world, name):
    document = read(getattr(world, name))
    annotated = by_image(document["annotations"])
    not_exhaustive = 0
    for image in document["images"]:
        present = {a["category_id"] for a in annotated.get(image["id"], [])}
        assert image["neg_category_ids"]
        assert not present & set(image["neg_category_ids"])
        assert set(image["not_exhaustive_category_ids"]) <= present
        not_exhaustive += bool(image["not_exhaustive_category_ids"])
    assert not_exhaustive > 0
    assert len(annotated) < len(document["images"])  # some images have no annotation


def test_test_images_come_without_annotations_or_lists(world):
    document = read(world.lvis_test)
    assert "annotations" not in document
    assert all("neg_category_ids" not in image for image in document["images"])


def test_listed_images_are_on_disk_in_their_size(world, train, val, coco):
    test = read(world.lvis_test)
    for document in (train, val, test, coco):
        for image in document["images"]:
            with Image.open(file_of(world, image)) as picture:
                assert picture.size == (image["width"], image["height"])


def test_coco_covers_lvis_train_and_objects_that_lvis_left_out(train, coco):
    lvis_images = {image["id"] for image in train["images"]}
    assert lvis_images < {image["id"] for image in coco["images"]}
    lvis, unmatched, matched = by_image(train["annotations"]), 0, 0
    for annotation in coco["annotations"]:
        if annotation["image_id"] in lvis_images and annotation["bbox"][3] > 0:
            others = lvis.get(annotation["image_id"], [])
            best = max((overlap(annotation["bbox"], o["bbox"]) for o in others), default=0.0)
            unmatched += best < 0.5
            matched += best >= 0.7
    assert unmatched > 5
    assert matched > 20


def test_pycocotools_reads_the_files_and_crowds_are_run_lengths(world, coco):
    api = COCO(str(world.coco))
    crowds = [a for a in coco["annotations"] if a["iscrowd"]]
    assert crowds
    for annotation in crowds:
        assert isinstance(annotation["segmentation"]["counts"], list)
        assert api.annToMask(annotation).sum() == annotation["area"]
    lvis = COCO(str(world.lvis_train))
    assert all(lvis.annToMask(a).any() for a in lvis.dataset["annotations"])


def test_one_coco_box_has_no_height(coco):
    assert [a["bbox"][3] for a in coco["annotations"]].count(0.0) == 1


def test_two_train_images_leak_into_val(train, val):
    ids = {image["id"] for image in val["images"]}
    photos = {photo_id(image["flickr_url"]) for image in val["images"]}
    leaks = [i for i in train["images"] if photo_id(i["flickr_url"]) in photos]
    assert sorted(image["id"] in ids for image in leaks) == [False, True]
