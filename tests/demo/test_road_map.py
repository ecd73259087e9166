"""The road-map world keeps the numbers of its design, measured on a drawn one."""

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from lvis_merge.demo import RoadMapDesign, draw_road_map
from lvis_merge.demo.road_map_classes import deal_classes, load_looks
from lvis_merge.demo.road_map_design import CLASSES, CROWD_MEMBERS
from lvis_merge.errors import InputError
from tests.demo.road_map_truth import SMALL


def read(path):
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def train(road_map):
    return read(road_map.lvis_train)


@pytest.fixture(scope="module")
def val(road_map):
    return read(road_map.lvis_val)


@pytest.fixture(scope="module")
def coco(road_map):
    return read(road_map.coco)


def by_image(document):
    found = {image["id"]: [] for image in document["images"]}
    for annotation in document["annotations"]:
        found[annotation["image_id"]].append(annotation)
    return found


def ids(truth, names):
    return {truth.classes[name].lvis_id for name in names}


def covered(box, regions):
    """Whether more than half of a box lies in one of the regions."""
    x, y, width, height = box
    for left, top, across, down in regions:
        shared = max(min(x + width, left + across) - max(x, left), 0)
        shared *= max(min(y + height, top + down) - max(y, top), 0)
        if shared > 0.5 * width * height:
            return True
    return False


def test_the_full_design_is_the_stated_one():
    design = RoadMapDesign()
    counts = [design.instances(rank) for rank in range(CLASSES)]
    assert (counts[0], counts[-1]) == (500, 2)
    steps = [np.log(more / fewer) for more, fewer in pairwise(counts[:60])]
    assert np.std(steps) < 0.01
    assert 3600 <= design.train_images <= 3800
    assert design.images < 6000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unannotated", 1.0),  # nothing would be left
        ("pairs", -0.1),  # a negative share
        ("fewest_instances", 1),  # one image cannot be in train twice
        ("annotated_per_image", 40.0),  # fewer images than objects of the first class
    ],
)
def test_numbers_that_no_world_has_are_refused(name, value):
    with pytest.raises(ValueError, match=r"share|instances"):
        RoadMapDesign(**{name: value})


def test_the_same_seed_gives_the_same_bytes(road_map, tmp_path):
    steps = []
    again = draw_road_map(
        tmp_path / "world", 0, SMALL, lambda done, total: steps.append((done, total))
    )
    files = sorted(path.relative_to(road_map.folder) for path in road_map.folder.rglob("*"))
    assert files == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*"))
    for name in files:
        if (road_map.folder / name).is_file():
            assert (road_map.folder / name).read_bytes() == (again.folder / name).read_bytes()
    assert steps == [(done, SMALL.images) for done in range(1, SMALL.images + 1)]


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="no demo world wrote"):
        draw_road_map(tmp_path, 0, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("seed", [0, 1])
def test_every_combination_is_a_class_and_ranks_favour_no_shape(seed):
    looks = load_looks()
    dealt = deal_classes(seed, SMALL)
    assert len({cls.name for cls in dealt}) == CLASSES
    assert len({(cls.shape, cls.hue, cls.texture) for cls in dealt}) == CLASSES
    assert sorted(cls.lvis_id for cls in dealt) == list(range(1, CLASSES + 1))
    for first in range(0, CLASSES, 8):
        assert {cls.shape for cls in dealt[first : first + 8]} == set(looks.shapes)


def test_another_seed_deals_other_classes_to_the_ranks():
    one, other = ([cls.name for cls in deal_classes(seed, SMALL)] for seed in (0, 1))
    assert sum(first == second for first, second in zip(one, other, strict=True)) < 10


def test_each_class_has_the_instances_of_its_rank(train, truth):
    counts = Counter(annotation["category_id"] for annotation in train["annotations"])
    for cls in truth.classes.values():
        assert counts[cls.lvis_id] == SMALL.instances(cls.rank), cls.name
    assert len(train["images"]) == SMALL.train_images
    empty = sum(not annotations for annotations in by_image(train).values())
    assert empty == pytest.approx(SMALL.empty * SMALL.train_images, abs=4)


def test_frequency_is_that_of_the_train_file(train, val):
    images = Counter(
        c for _, c in {(a["image_id"], a["category_id"]) for a in train["annotations"]}
    )
    for category in train["categories"]:
        count = images[category["id"]]
        assert category["image_count"] == count
        assert category["frequency"] == ("r" if count <= 10 else "c" if count <= 100 else "f")
    key = [(c["id"], c["synset"], c["frequency"]) for c in train["categories"]]
    assert key == [(c["id"], c["synset"], c["frequency"]) for c in val["categories"]]


def test_every_picture_shows_what_was_planned_and_nothing_touches(truth):
    for shelf in truth.shelves.values():
        for one in shelf:
            plan, scene = one.plan, one.scene
            names = Counter(item.class_name for item in scene.singles)
            assert names == Counter([*plan.annotated, *plan.hidden])
            assert len(scene.crowd) == (CROWD_MEMBERS if plan.crowd else 0)
            for place, item in enumerate(scene.singles):
                x, y, width, height = item.box
                assert min(x, y) >= 0
                assert x + width <= scene.width
                assert y + height <= scene.height
                assert not covered(item.box, [other.box for other in scene.singles[:place]])


def test_lvis_leaves_out_the_stated_share_and_coco_covers_most_of_it(train, coco, truth):
    annotated = by_image(train)
    regions = {image: [a["bbox"] for a in found] for image, found in by_image(coco).items()}
    objects = hidden = inside = 0
    for one in truth.shelves["train"]:
        boxes = [annotation["bbox"] for annotation in annotated[one.image_id]]
        for item in one.scene.items:
            objects += 1
            if not any(box == pytest.approx(item.box, abs=0.011) for box in boxes):
                hidden += 1
                inside += covered(item.box, regions[one.image_id])
    assert objects - hidden == len(train["annotations"])
    assert hidden / objects == pytest.approx(SMALL.unannotated, abs=0.02)
    assert inside / hidden == pytest.approx(SMALL.coco_covers, abs=0.02)


def test_federated_lists_are_sound_and_of_the_stated_length(train, truth):
    annotated = by_image(train)
    partly = 0
    for image, one in zip(train["images"], truth.shelves["train"], strict=True):
        shown = Counter(truth.classes[item.class_name].lvis_id for item in one.scene.items)
        said = Counter(annotation["category_id"] for annotation in annotated[image["id"]])
        neg, not_exhaustive = image["neg_category_ids"], image["not_exhaustive_category_ids"]
        assert len(set(neg)) == len(neg) == SMALL.neg
        assert not shown.keys() & set(neg)
        # what is annotated is annotated wholly, or listed
        assert {c for c in said if said[c] < shown[c]} == set(not_exhaustive)
        partly += len(not_exhaustive)
    assert partly == round(SMALL.not_exhaustive * SMALL.train_images)


def test_val_shows_every_class_equally_often_and_annotates_everything(val, truth):
    counts = Counter(annotation["category_id"] for annotation in val["annotations"])
    assert counts == dict.fromkeys(range(1, CLASSES + 1), SMALL.val_instances)
    assert len(val["images"]) == SMALL.val_images
    annotated = by_image(val)
    for image, one in zip(val["images"], truth.shelves["val"], strict=True):
        assert len(annotated[image["id"]]) == len(one.scene.items)
        assert len(image["neg_category_ids"]) == SMALL.neg
        assert not ids(truth, one.plan.present) & set(image["neg_category_ids"])
        assert image["not_exhaustive_category_ids"] == []


def test_the_exhaustive_val_file_differs_in_its_negatives_only(road_map, val):
    exhaustive = read(road_map.lvis_val_exhaustive)
    assert exhaustive["annotations"] == val["annotations"]
    assert exhaustive["categories"] == val["categories"]
    shown = by_image(val)
    for image, other in zip(exhaustive["images"], val["images"], strict=True):
        present = {annotation["category_id"] for annotation in shown[image["id"]]}
        assert set(image["neg_category_ids"]) == set(range(1, CLASSES + 1)) - present
        assert image | {"neg_category_ids": other["neg_category_ids"]} == other


def test_val_pictures_are_neither_in_train_nor_in_coco(train, val, coco):
    known = {image["id"] for document in (train, coco) for image in document["images"]}
    photos = {image["flickr_url"] for document in (train, coco) for image in document["images"]}
    assert not known & {image["id"] for image in val["images"]}
    assert not photos & {image["flickr_url"] for image in val["images"]}


def test_coco_outlines_every_object_of_its_classes(coco, truth):
    boxes = by_image(coco)
    shelved = [*truth.shelves["train"], *truth.shelves["coco"]]
    assert [image["id"] for image in coco["images"]] == [one.image_id for one in shelved]
    crowds = 0
    for one in shelved:
        items = [i for i in one.scene.singles if truth.classes[i.class_name].coco_id is not None]
        found = [a for a in boxes[one.image_id] if not a["iscrowd"]]
        assert [a["category_id"] for a in found] == [
            truth.classes[item.class_name].coco_id for item in items
        ]
        for item, annotation in zip(items, found, strict=True):
            assert annotation["bbox"] == pytest.approx(item.box, abs=5)
        crowds += sum(a["iscrowd"] for a in boxes[one.image_id])
    assert crowds == round(SMALL.crowds * SMALL.train_images)


def test_coco_is_coarser_and_its_own_classes_are_frequent(coco, truth):
    names = {category["id"]: category["name"] for category in coco["categories"]}
    own = [cls for cls in truth.classes.values() if cls.coco_is_own]
    assert len(own) == SMALL.coco_own
    assert {names[cls.coco_id] for cls in own} == {cls.name.replace("_", " ") for cls in own}
    coarse = {
        cls.shape: names[cls.coco_id]
        for cls in truth.classes.values()
        if cls.coco_id and not cls.coco_is_own
    }
    assert coarse == {shape: f"other {shape}" for shape in load_looks().shapes}
    assert len(names) == SMALL.coco_own + 8
    assert max(cls.rank for cls in own) < 32
