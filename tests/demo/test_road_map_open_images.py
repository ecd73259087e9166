"""The road-map world's Open Images: what its files say, and how far its pictures are away."""

import csv
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lvis_merge.demo.road_map_classes import load_looks, shape_mid
from lvis_merge.demo.road_map_paint import paint_road_map, shifted_camera, usual_camera
from lvis_merge.demo.road_map_scene import Wanted, arrange
from lvis_merge.demo.scene import Scene
from tests.demo.road_map_truth import SMALL

SUBSETS = {
    "train": "train-images-boxable-with-rotation.csv",
    "validation": "validation-images-with-rotation.csv",
}


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def all_rows(road_map, name):
    return [r for s in SUBSETS for r in rows(road_map.openimages_dir / name.format(s))]


@pytest.fixture(scope="module")
def boxes(road_map):
    return all_rows(road_map, "{}-annotations-bbox.csv")


@pytest.fixture(scope="module")
def labels(road_map):
    return all_rows(road_map, "{}-annotations-human-imagelabels-boxable.csv")


def mids(truth, names):
    return {truth.classes[name].mid for name in names}


def test_listed_images_are_on_disk_in_their_size(road_map, truth):
    sizes = {
        r["ImageID"]: (int(r["Width"]), int(r["Height"])) for r in rows(road_map.openimages_sizes)
    }
    assert len(sizes) == SMALL.open_images
    for subset, name in SUBSETS.items():
        listed = {row["ImageID"] for row in rows(road_map.openimages_dir / name)}
        assert listed == {one.image_id for one in truth.candidates if one.subset == subset}
        folder = road_map.openimages_images / subset
        assert listed == {path.stem for path in folder.iterdir()}
        for image in listed:
            with Image.open(folder / f"{image}.jpg") as picture:
                assert picture.size == sizes[image]


def test_boxes_lie_in_the_frame_and_come_without_masks(boxes):
    for row in boxes:
        assert 0 <= float(row["XMin"]) < float(row["XMax"]) <= 1
        assert 0 <= float(row["YMin"]) < float(row["YMax"]) <= 1


def test_the_map_names_the_tail_and_each_of_it_is_boxed_equally_often(road_map, boxes, truth):
    mapped = {row["mid"]: row["lvis_synset"] for row in rows(road_map.mapping)}
    assert mapped == {c.mid: c.synset for c in truth.classes.values() if c.rank >= 48}
    counts = Counter(row["LabelName"] for row in boxes if row["LabelName"] in mapped)
    assert len(counts) == 48
    assert max(counts.values()) <= 2.5 * min(counts.values())
    objects = [i for one in truth.candidates for i in one.scene.singles]
    tail = sum(truth.classes[item.class_name].is_tail for item in objects)
    assert tail / len(objects) == pytest.approx(SMALL.open_images_tail, abs=0.06)


def test_every_image_is_a_candidate(boxes, truth):
    tail = {cls.mid for cls in truth.classes.values() if cls.is_tail}
    flags = ("IsGroupOf", "IsDepiction")
    objects = {
        row["ImageID"]
        for row in boxes
        if row["LabelName"] in tail and all(row[flag] == "0" for flag in flags)
    }
    assert objects == {one.image_id for one in truth.candidates}


def test_labels_are_true_and_of_the_stated_share(boxes, labels, truth):
    boxed, present, absent = set(), set(), []
    for row in boxes:
        boxed.add((row["ImageID"], row["LabelName"]))
    for row in labels:
        key = (row["ImageID"], row["LabelName"])
        if row["Confidence"] == "1":
            present.add(key)
        else:
            absent.append(key)
    assert boxed <= present
    drawn = {
        (one.image_id, truth.classes[item.class_name].mid)
        for one in truth.candidates
        for item in one.scene.items
    }
    assert present <= drawn
    shapes = {shape_mid(shape): shape for shape in load_looks().shapes}
    below = {
        mid: {c.mid for c in truth.classes.values() if c.shape == s} for mid, s in shapes.items()
    }
    for image, mid in absent:
        assert not drawn & {(image, child) for child in below.get(mid, {mid})}
    # the first class of an image is verified in any case
    first, others = SMALL.open_images, len(drawn) - SMALL.open_images
    assert len(boxed) == pytest.approx(first + SMALL.verified * others, abs=0.06 * others)
    labelled = len(present - boxed)
    assert labelled == pytest.approx(SMALL.label_only * others, abs=0.03 * others)
    leaves = sum(mid not in shapes for _, mid in absent)
    assert leaves == SMALL.absent * SMALL.open_images
    wholes = len(absent) - leaves
    assert wholes / SMALL.open_images == pytest.approx(SMALL.absent_shapes, abs=0.07)


def test_all_objects_of_a_boxed_class_are_boxed_and_a_heap_has_one_box(boxes, truth):
    found = Counter((row["ImageID"], row["LabelName"], row["IsGroupOf"]) for row in boxes)
    for one in truth.candidates:
        heaps = {item.class_name for item in one.scene.crowd}
        singles = Counter(item.class_name for item in one.scene.singles)
        for name, said in one.said.items():
            mid = truth.classes[name].mid
            assert found[one.image_id, mid, "1"] == (name in heaps)
            assert found[one.image_id, mid, "0"] == (singles[name] if said == "boxed" else 0)


@pytest.mark.parametrize(
    ("flag", "share"), [("IsGroupOf", SMALL.groups), ("IsDepiction", SMALL.depictions)]
)
def test_groups_and_pictures_of_objects_are_as_many_as_stated(boxes, flag, share):
    count = sum(row[flag] == "1" for row in boxes)
    assert count / SMALL.open_images == pytest.approx(share, abs=0.035)
    assert count > 0


def empty_pictures(camera, count=60):
    scene = Scene(128, 128, (), None)
    return [
        np.asarray(paint_road_map(scene, {}, camera, np.random.default_rng(seed)), float)
        for seed in range(count)
    ]


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_the_camera_is_as_far_away_as_stated(shift):
    design = replace(SMALL, shift=shift)
    # the same room through both cameras, and nothing burnt out or black
    scenes = [
        empty_pictures(replace(camera, other_backdrops=0.0))
        for camera in (usual_camera(design), shifted_camera(design))
    ]
    kept = [
        (one, other)
        for one, other in zip(*scenes, strict=True)
        if max(one.max(), other.max()) < 255 and min(one.min(), other.min()) > 0
    ]
    assert len(kept) > 5
    ratio = np.mean([other.mean((0, 1)) / one.mean((0, 1)) for one, other in kept], axis=0)
    stated = 1 + shift * (np.array(design.shifted_colours) - 1)
    assert ratio == pytest.approx(stated, abs=0.01)
    # neighbours differ by the noise alone, but for a few edges
    noise = [np.median(np.abs(np.diff(p[:, :, 1], axis=1))) for pair in kept for p in pair]
    usual, shifted = np.mean(noise[::2]) / 0.954, np.mean(noise[1::2]) / 0.954
    assert usual == pytest.approx(design.noise, abs=1)
    assert shifted == pytest.approx(4 + shift * (design.shifted_noise - 4), abs=1)


def edges(picture):
    """Share of neighbouring pixels that differ clearly."""
    grey = picture.mean(axis=2)
    return sum(np.mean(np.abs(np.diff(grey, axis=axis)) > 4) for axis in (0, 1))


def test_so_many_of_its_backdrops_are_of_another_kind():
    camera = replace(shifted_camera(SMALL), noise=0.0, colours=(1.0, 1.0, 1.0))
    rooms = empty_pictures(replace(camera, other_backdrops=0.0))
    limit = max(map(edges, rooms))  # planks have edges everywhere, a room has a few
    strange = np.mean([edges(picture) > limit for picture in empty_pictures(camera, 120)])
    assert strange == pytest.approx(SMALL.shifted_backdrops, abs=0.1)


def test_its_objects_are_smaller_by_the_stated_factor(truth):
    def sides(scenes):
        items = [i for s in scenes for i in s.singles if i.style == "object" and not i.truncated]
        return np.median([np.sqrt(item.box[2] * item.box[3]) for item in items])

    lvis = sides([one.scene for one in truth.shelves["train"]])
    other = sides([one.scene for one in truth.candidates])
    assert other / lvis == pytest.approx(SMALL.open_images_size, rel=0.06)


def test_without_a_shift_it_is_drawn_as_the_others_are():
    design = replace(SMALL, shift=0.0)
    assert shifted_camera(design) == usual_camera(design)
    assert design.open_images_size == 1.0


@pytest.mark.parametrize("camera", [usual_camera(SMALL), shifted_camera(SMALL)])
def test_pixels_tell_hue_and_texture(camera, truth):
    looks = load_looks()
    right, contrast = [], {texture: [] for texture in looks.textures}
    for seed, cls in enumerate(truth.classes.values()):
        rng = np.random.default_rng(seed)
        scene = arrange([Wanted(cls)], 14, 16, rng)
        pixels = np.asarray(paint_road_map(scene, truth.classes, camera, rng), float)
        x, y, width, height = (round(value) for value in scene.items[0].box)
        inside = pixels[y : y + height, x : x + width].reshape(-1, 3)
        colour = inside - inside.mean(axis=1, keepdims=True)
        vivid = colour[np.abs(colour).sum(axis=1) > 60].mean(axis=0)
        plane = (vivid[0] - (vivid[1] + vivid[2]) / 2, np.sqrt(3) / 2 * (vivid[1] - vivid[2]))
        angle = np.degrees(np.arctan2(plane[1], plane[0]))
        off = {hue: abs((angle - at + 180) % 360 - 180) for hue, at in looks.hues.items()}
        right.append(min(off, key=off.get) == cls.hue)
        middle = pixels[y + 6 : y + height - 6, x + 6 : x + width - 6].mean(axis=2)
        contrast[cls.texture].append(np.std(middle))
    assert np.mean(right) > 0.9
    if camera.noise == SMALL.noise:
        plain = np.median(contrast["plain"])
        assert min(np.median(contrast["striped"]), np.median(contrast["dotted"])) > 1.5 * plain
