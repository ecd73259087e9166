"""What the long-tailed world promises of its Open Images files, read back from them."""

import csv
import json
from collections import Counter

import pytest
from PIL import Image

from lvis_merge.demo.classes import load_classes

FLAGS = ["IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"]
SUBSETS = ["train", "validation"]
LISTS = {
    "train": "train-images-boxable-with-rotation.csv",
    "validation": "validation-images-with-rotation.csv",
}


def rows(path, header=None):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, header))


@pytest.fixture(scope="module")
def boxes(world):
    return {s: rows(world.openimages_dir / f"{s}-annotations-bbox.csv") for s in SUBSETS}


@pytest.fixture(scope="module")
def images(world):
    return {s: rows(world.openimages_dir / LISTS[s]) for s in SUBSETS}


@pytest.fixture(scope="module")
def labels(world):
    name = "{}-annotations-human-imagelabels-boxable.csv"
    return {s: rows(world.openimages_dir / name.format(s)) for s in SUBSETS}


@pytest.fixture(scope="module")
def names(world):
    path = world.openimages_dir / "class-descriptions-boxable.csv"
    return {row["mid"]: row["name"] for row in rows(path, ["mid", "name"])}


def good(row, names, known):
    """A box row that a merge may use."""
    if row["YMax"] is None or row["LabelName"] not in names or row["ImageID"] not in known:
        return False
    low_x, high_x, low_y, high_y = (float(row[k]) for k in ("XMin", "XMax", "YMin", "YMax"))
    in_order = 0 <= low_x < high_x <= 1 and 0 <= low_y < high_y <= 1
    return in_order and all(row[flag] in ("-1", "0", "1") for flag in FLAGS)


def test_all_but_six_box_rows_are_good(boxes, images, names):
    bad = Counter()
    for subset in SUBSETS:
        known = {row["ImageID"] for row in images[subset]}
        assert boxes[subset]
        bad[subset] = sum(not good(row, names, known) for row in boxes[subset])
    assert bad == {"train": 6, "validation": 0}


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("IsGroupOf", "1"),
        ("IsDepiction", "1"),
        ("IsInside", "1"),
        ("IsOccluded", "1"),
        ("IsTruncated", "1"),
        ("IsGroupOf", "-1"),  # unknown
        ("IsOccluded", "-1"),
    ],
)
def test_every_flag_occurs(boxes, flag, value):
    assert any(row[flag] == value for row in boxes["train"])


def test_unknown_flags_go_with_boxes_that_a_machine_found(boxes):
    for row in boxes["train"]:
        if row["YMax"] is not None:
            unknown = all(row[flag] == "-1" for flag in FLAGS)
            assert unknown == (row["Source"] == "activemil")


def test_one_box_row_is_there_twice(boxes):
    counts = Counter(tuple(map(str, row.values())) for row in boxes["train"])
    assert max(counts.values()) == 2


def test_unmapped_and_mapped_classes_are_boxed(boxes):
    seen = {row["LabelName"] for row in boxes["train"]}
    classes = load_classes()
    assert classes["tree"].mid in seen
    tail = {c.mid for c in classes.values() if c.mid and c.lvis_id and c.coco_id is None}
    assert tail <= seen


def test_image_lists_name_the_files_on_disk(world, images):
    sizes = {
        r["ImageID"]: (int(r["Width"]), int(r["Height"])) for r in rows(world.openimages_sizes)
    }
    for subset in SUBSETS:
        folder = world.openimages_images / subset
        assert {row["ImageID"] for row in images[subset]} == {p.stem for p in folder.iterdir()}
        for path in folder.iterdir():
            with Image.open(path) as picture:
                assert picture.size == sizes[path.stem]


def test_rotations_are_of_every_kind(images):
    turns = Counter(row["Rotation"] for subset in SUBSETS for row in images[subset])
    assert {"0.0", "90.0", "180.0", "270.0", ""} <= set(turns)


def test_one_image_is_listed_twice_and_two_share_thirteen_digits(images):
    counts = Counter(row["ImageID"] for row in images["train"])
    assert sorted(counts.values())[-2:] == [1, 2]
    tails = Counter(image[-13:] for image in counts)
    assert sorted(tails.values())[-2:] == [1, 2]


def test_titles_and_authors_need_quoting(images):
    texts = [row[key] for row in images["train"] for key in ("Title", "Author")]
    assert any("," in text for text in texts)
    assert any('"' in text for text in texts)
    assert all(row["Rotation"] is not None and None not in row for row in images["train"])


def test_candidates_leak_into_lvis_val(world, images):
    val = json.loads(world.lvis_val.read_text("utf-8"))["images"]
    photos = {image["flickr_url"].rsplit("/", 1)[1].split("_")[0] for image in val}
    shared = [
        row["ImageID"]
        for subset in SUBSETS
        for row in images[subset]
        if row["OriginalURL"].rsplit("/", 1)[1].split("_")[0] in photos
    ]
    assert len(shared) == 2


def test_listed_exceptions_are_candidates(world, images):
    known = {row["ImageID"] for subset in SUBSETS for row in images[subset]}
    for path in (world.openimages_exclude, world.holdout):
        listed = {row["ImageID"] for row in rows(path)}
        assert listed
        assert listed <= known


def test_labels_speak_both_ways_and_once_against_themselves(labels):
    both = set()
    for subset in SUBSETS:
        said = {}
        for row in labels[subset]:
            said.setdefault((row["ImageID"], row["LabelName"]), set()).add(row["Confidence"])
        both |= {key for key, values in said.items() if {"0", "1"} <= values}
    assert len(both) == 1
    assert any(row["Confidence"] == "0.6" for row in labels["train"])


def test_boxed_classes_are_verified_present(boxes, labels, images, names):
    for subset in SUBSETS:
        known = {row["ImageID"] for row in images[subset]}
        present = {
            (row["ImageID"], row["LabelName"]) for row in labels[subset] if row["Confidence"] == "1"
        }
        boxed = {
            (row["ImageID"], row["LabelName"]) for row in boxes[subset] if good(row, names, known)
        }
        assert boxed <= present
        assert len(present - boxed) > (1 if subset == "train" else -1)  # verified, not boxed


def test_a_building_is_absent_beside_an_instrument(boxes, labels, names):
    mids = {name: mid for mid, name in names.items()}
    instruments = {mids["Banjo"], mids["Violin"]}
    played = {row["ImageID"] for row in boxes["train"] if row["LabelName"] in instruments}
    absent = {
        row["ImageID"]
        for row in labels["train"]
        if row["LabelName"] == mids["Building"] and row["Confidence"] == "0"
    }
    assert played & absent


def test_the_hierarchy_is_in_the_published_form(world, names):
    root = json.loads((world.openimages_dir / "bbox_labels_600_hierarchy.json").read_text("utf-8"))
    found, relations = set(), set()

    def walk(node):
        found.add(node["LabelName"])
        for key in node.keys() - {"LabelName"}:
            relations.add(key)
            for child in node[key]:
                walk(child)

    walk(root)
    assert relations == {"Subcategory", "Part"}
    assert found - {root["LabelName"]} == set(names)
