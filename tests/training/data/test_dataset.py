"""What a dataset serves, against the Parquet tables read row by row."""

import pickle
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

import lvis_merge.manifest
from lvis_merge.errors import InputError, UsageError
from lvis_merge.training.data import ManifestDataset
from tests.manifest.small_rows import OPEN_A_ID
from tests.training.data.plain_sample import corners, has_mask, plain_images
from tests.training.small_manifest import (
    EDGE,
    IGNORE_ONLY,
    NO_ROWS,
    POLYGONS,
    RUN_LENGTHS,
    VAL,
    VAL_EMPTY,
)


def sample_of(dataset, image_id):
    return dataset[dataset.image_ids.tolist().index(image_id)]


def check_against_plain(dataset, manifest, split, keep_empty):
    plain = plain_images(manifest, split, keep_empty)
    assert len(dataset) == len(plain)
    for index, expected in enumerate(plain):
        packed = dataset[index]
        sample, image = packed["data_samples"], expected["image"]
        meta = sample.metainfo
        assert (meta["img_id"], meta["source"]) == (image["image_id"], image["source"])
        assert meta["img_path"].endswith(image["file_name"])
        assert meta["ori_shape"] == meta["img_shape"] == (image["height"], image["width"])
        assert packed["inputs"].shape == (3, image["height"], image["width"])
        assert meta["position"] == -1
        for name in ("neg_labels", "pos_labels", "not_exhaustive_labels"):
            assert meta[name].dtype == np.int64
            assert meta[name].tolist() == expected[name]
        objects, ignored = sample.gt_instances, sample.ignored_instances
        assert objects.labels.tolist() == expected["labels"]
        assert ignored.labels.tolist() == expected["ignored_labels"]
        assert (objects.bboxes.tensor.numpy() == corners(expected["objects"])).all()
        assert (ignored.bboxes.tensor.numpy() == corners(expected["ignored"])).all()
        assert objects.has_mask.tolist() == [has_mask(row) for row in expected["objects"]]
        for mask, row in zip(objects.masks.masks, expected["objects"], strict=True):
            if row["segmentation"]:
                assert [part.tolist() for part in mask] == row["segmentation"]


def test_train_samples_are_the_rows_of_the_manifest(open_demo, demo_manifest):
    check_against_plain(open_demo(), demo_manifest, "train", keep_empty=False)


def test_every_val_image_is_served_in_test_mode(open_demo, demo_manifest):
    dataset = open_demo(split="val", test_mode=True)
    assert 0 in np.bincount(dataset.object_image, minlength=len(dataset))
    check_against_plain(dataset, demo_manifest, "val", keep_empty=True)


def test_labels_follow_the_order_of_category_ids(open_small, small):
    dataset = open_small()
    categories = lvis_merge.manifest.open(small.manifest).pandas("categories")
    assert dataset.category_ids.tolist() == categories["category_id"].tolist() == [1, 2, 3, 5]
    assert dataset.frequencies == categories["frequency"].tolist()
    assert dataset.metainfo == {"classes": tuple(categories["name"])}
    assert dataset.num_classes == 4


# options, and the images that are served then
SERVED = {
    "images with an object": ({}, [POLYGONS, RUN_LENGTHS, EDGE, OPEN_A_ID]),
    "keep_empty: images without any row, and those with ignore regions only": (
        {"keep_empty": True},
        [POLYGONS, RUN_LENGTHS, NO_ROWS, IGNORE_ONLY, EDGE, OPEN_A_ID],
    ),
    "some sources": ({"sources": ["open_images"]}, [OPEN_A_ID]),
    "the first so many": ({"indices": 2}, [POLYGONS, RUN_LENGTHS]),
    "some places, in their order": ({"indices": [3, 0]}, [OPEN_A_ID, POLYGONS]),
    "another split": ({"split": "val"}, [VAL]),
    "test mode: all images of the split": ({"split": "val", "test_mode": True}, [VAL, VAL_EMPTY]),
}


@pytest.mark.parametrize(("options", "images"), SERVED.values(), ids=SERVED)
def test_served_images(open_small, options, images):
    dataset = open_small(**options)
    assert dataset.image_ids.tolist() == images
    assert [dataset[n]["data_samples"].img_id for n in range(len(dataset))] == images


@pytest.mark.parametrize("options", [case[0] for case in SERVED.values()], ids=SERVED)
def test_objects_for_the_sampler_are_those_of_the_samples(open_small, options):
    dataset = open_small(**options | {"keep_empty": True})
    images, labels, sources = [], [], []
    for place in range(len(dataset)):
        info = dataset.get_data_info(place)
        mine = info["rows"].labels[~info["rows"].ignored]
        images += [place] * len(mine)
        labels += mine.tolist()
        sources.append(info["source"])
    assert dataset.object_image.tolist() == images
    assert dataset.object_label.tolist() == labels
    assert dataset.image_source.tolist() == sources
    assert dataset.object_image.dtype == dataset.object_label.dtype == np.int64


# options, and how many ignore regions the images with polygons and of Open Images have then
REGIONS = {
    "all by default": ({}, 3, 4),
    "unmatched: not the box of an object that LVIS has": ({"coco_boxes": "unmatched"}, 2, 4),
    "one reason": ({"ignore_reasons": ["crowd"]}, 1, 0),
    "a matched box is a coco_box": ({"ignore_reasons": ["coco_box"]}, 2, 0),
    "reasons and unmatched": (
        {"ignore_reasons": ["coco_box", "inside"], "coco_boxes": "unmatched"},
        1,
        1,
    ),
    "none": ({"ignore_reasons": []}, 0, 0),
}


@pytest.mark.parametrize(("options", "polygons", "opened"), REGIONS.values(), ids=REGIONS)
def test_ignore_regions_that_act(open_small, options, polygons, opened):
    dataset = open_small(**options)
    counts = [
        len(sample_of(dataset, image)["data_samples"].ignored_instances)
        for image in (POLYGONS, OPEN_A_ID)
    ]
    assert counts == [polygons, opened]
    assert len(sample_of(dataset, POLYGONS)["data_samples"].gt_instances) == 3  # never objects


def test_images_without_objects_have_empty_instances_and_their_regions(open_small):
    dataset = open_small(keep_empty=True)
    for image, regions in ((NO_ROWS, 0), (IGNORE_ONLY, 1)):
        sample = sample_of(dataset, image)["data_samples"]
        assert sample.gt_instances.bboxes.tensor.shape == (0, 4)
        assert sample.gt_instances.has_mask.shape == (0,)
        assert len(sample.gt_instances.masks) == 0
        assert len(sample.ignored_instances) == regions


def test_only_a_box_with_no_area_in_the_frame_is_left_out(open_small):
    objects = sample_of(open_small(), EDGE)["data_samples"].gt_instances
    assert objects.bboxes.tensor.tolist() == [[50, 40, 80, 70], [-5, 20, 5, 30]]


def test_a_run_length_mask_makes_the_masks_of_its_image_bitmaps(open_small):
    objects = sample_of(open_small(), RUN_LENGTHS)["data_samples"].gt_instances
    assert objects.has_mask.tolist() == [True, True, False]
    bitmaps = objects.masks.to_ndarray()
    assert bitmaps.shape == (3, 48, 64)
    assert bitmaps[1].sum() == 200
    assert bitmaps[1, 20:30, 30:50].all()
    assert bitmaps[0].sum() == 400  # the polygon's pixels
    assert bitmaps[2, 30:46, 2:14].all()  # a filled box stands for no mask


def test_without_masks_no_object_has_one(open_small):
    loading = [{"type": "LoadManifestImage"}]
    loading += [{"type": "LoadManifestAnnotations", "with_mask": False}]
    dataset = open_small(pipeline=[*loading, {"type": "PackManifestInputs"}])
    objects = dataset[0]["data_samples"].gt_instances
    assert "masks" not in objects
    assert objects.has_mask.tolist() == [False] * 3


def test_positives_by_source_after_the_whole_pipeline_are_the_manifests(open_demo, demo_manifest):
    """The rule that stock loading breaks: box-only objects must not become ignore regions."""
    dataset = open_demo(
        [
            {"type": "RandomChoiceResize", "scales": [(160, 96), (200, 128)], "keep_ratio": True},
            {"type": "RandomFlip", "prob": 0.5},
        ]
    )
    counts = Counter()
    for place in range(len(dataset)):
        sample = dataset[place]["data_samples"]
        counts[sample.source, "objects"] += len(sample.gt_instances)
        counts[sample.source, "masks"] += int(sample.gt_instances.has_mask.sum())
        counts[sample.source, "ignored"] += len(sample.ignored_instances)
    expected = Counter()
    for plain in plain_images(demo_manifest, "train", keep_empty=False):
        source = plain["image"]["source"]
        expected[source, "objects"] += len(plain["objects"])
        expected[source, "masks"] += sum(map(has_mask, plain["objects"]))
        expected[source, "ignored"] += len(plain["ignored"])
    assert counts == expected
    assert expected["open_images", "objects"] > expected["open_images", "masks"] == 0


def test_pixels_are_bgr_as_stored(open_small, small):
    packed = sample_of(open_small(), POLYGONS)
    with Image.open(packed["data_samples"].img_path) as image:
        stored = np.asarray(image)[:, :, ::-1]
    difference = packed["inputs"].permute(1, 2, 0).numpy().astype(int) - stored
    assert packed["inputs"].dtype == torch.uint8
    assert abs(difference).max() <= 2  # two decoders


def test_a_pickle_is_small_and_opens_the_same_dataset(open_demo):
    dataset = open_demo(coco_boxes="unmatched", indices=[5, 3])
    assert len(dataset.object_image)
    data = pickle.dumps(dataset)
    assert len(data) < 3_000
    again = pickle.loads(data)
    assert again.image_ids.tolist() == dataset.image_ids.tolist()
    assert again.object_label.tolist() == dataset.object_label.tolist()
    assert (again[1]["inputs"] == dataset[1]["inputs"]).all()


# options, and what the message names
REFUSED = {
    "no such split": ({"split": "dev"}, "train, val, test"),
    "a split that the manifest has not": ({"split": "test"}, "no test images"),
    "no such source": ({"sources": ["lvis", "objects365"]}, "objects365.*lvis, open_images"),
    "no image left": ({"sources": []}, "no train image is left"),
    "an index out of range": ({"indices": [4]}, "4 images"),
    "no such reason": ({"ignore_reasons": ["crowded"]}, "crowded.*crowd"),
    "no such choice of COCO boxes": ({"coco_boxes": "off"}, "'unmatched'"),
    "no such on_missing": ({"on_missing": "ignore"}, "'skip'"),
    "skipping in an evaluation": ({"on_missing": "skip", "test_mode": True}, "test mode"),
    "no manifest": ({"manifest": "/no/such/folder"}, "no such folder"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_options(small, cache, options, message):
    with pytest.raises(InputError, match=message):
        ManifestDataset(**{"manifest": small.manifest, "cache_dir": cache} | options)


def test_an_image_root_that_is_not_there_is_refused(small, cache):
    with pytest.raises(UsageError, match="no such folder"):
        ManifestDataset(small.manifest, image_roots=["/no/such/root"], cache_dir=cache)
