"""has_mask stays with its object through mmdet's transforms, and the mask with its box."""

import copy

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from mmengine.dataset import pseudo_collate

from lvis_merge.errors import InputError
from lvis_merge.training.data import (
    Draw,
    LoadManifestAnnotations,
    ManifestBitmapMasks,
    ManifestMasks,
    PackManifestInputs,
)
from lvis_merge.training.data.pipeline import build_pipeline
from lvis_merge.training.data.rows import ImageRows
from lvis_merge.training.data.seeding import seeded
from tests.training.data.conftest import LOAD, PACK

SIZE = 96
COUNT = 24  # objects, every third box-only, every fourth an ignore region


def masked(label):
    return label % 3 != 0


def scene(bitmaps):
    """Objects whose label says which they are; masks are their boxes, so both can be compared."""
    rng = np.random.default_rng(0)
    low = rng.uniform(0, SIZE - 30, (COUNT, 2)).astype(np.float32).round()
    size = rng.uniform(8, 30, (COUNT, 2)).astype(np.float32).round()
    corners = np.concatenate([low, low + size], axis=1)[:, [0, 1, 2, 1, 2, 3, 0, 3]]
    rows = ImageRows(
        boxes_xywh=np.concatenate([low, size], axis=1),
        labels=np.arange(COUNT),
        ignored=np.arange(COUNT) % 4 == 0,
        polygons=[[corners[n]] if masked(n) else [] for n in range(COUNT)],
        rles=[None] * COUNT,
    )
    results = {
        "rows": rows,
        "width": SIZE,
        "height": SIZE,
        "img": rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8),
        "img_shape": (SIZE, SIZE),
        "ori_shape": (SIZE, SIZE),
    }
    results = LoadManifestAnnotations().transform(results)
    if bitmaps:
        polygons = results["gt_masks"]
        results["gt_masks"] = ManifestBitmapMasks(
            polygons.to_ndarray().astype(np.uint8), SIZE, SIZE, polygons.has_mask
        )
    return results


NO_FILL = {"prob": 1.0, "level": 6}
# a transform, and how far (pixels) a mask's extent may be from its box afterwards; None: rotated
# and sheared masks need not fill their boxes
TRANSFORMS = {
    "Resize": ({"type": "Resize", "scale": (150, 120), "keep_ratio": False}, 2),
    "Resize, aspect kept": ({"type": "Resize", "scale": (150, 120), "keep_ratio": True}, 2),
    "RandomChoiceResize": (
        {"type": "RandomChoiceResize", "scales": [(60, 60), (130, 130)], "keep_ratio": True},
        2,
    ),
    "RandomFlip": (
        {
            "type": "RandomFlip",
            "prob": [0.3, 0.3, 0.3],
            "direction": ["horizontal", "vertical", "diagonal"],
        },
        1,
    ),
    "RandomCrop": ({"type": "RandomCrop", "crop_size": (50, 40)}, 1),
    "RandomCrop, boxes from masks": (
        {"type": "RandomCrop", "crop_size": (50, 40), "recompute_bbox": True},
        1,
    ),
    "MinIoURandomCrop": ({"type": "MinIoURandomCrop", "min_crop_size": 0.3}, 1),
    "Expand": ({"type": "Expand", "prob": 1.0}, 1),
    "Pad": ({"type": "Pad", "size": (130, 120)}, 1),
    "PhotoMetricDistortion": ({"type": "PhotoMetricDistortion"}, 1),
    "FilterAnnotations": ({"type": "FilterAnnotations", "min_gt_bbox_wh": (15, 15)}, 1),
    "FilterAnnotations by mask": (
        {
            "type": "FilterAnnotations",
            "by_box": False,
            "by_mask": True,
            "min_gt_mask_area": 250,
        },
        1,
    ),
    "TranslateX": ({"type": "TranslateX", **NO_FILL}, 2),
    "TranslateY": ({"type": "TranslateY", **NO_FILL}, 2),
    "ShearX": ({"type": "ShearX", **NO_FILL}, None),
    "ShearY": ({"type": "ShearY", **NO_FILL}, None),
    "Rotate": ({"type": "Rotate", **NO_FILL}, None),
}


def extent(mask, polygons):
    """x1, y1, x2, y2 of a mask; None of an empty one."""
    if polygons:
        points = np.concatenate([part.reshape(-1, 2) for part in mask])
        return [*points.min(axis=0), *points.max(axis=0)]
    rows, columns = np.nonzero(mask)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else None


@pytest.mark.parametrize("bitmaps", [False, True], ids=["polygons", "bitmaps"])
@pytest.mark.parametrize(("transform", "reach"), TRANSFORMS.values(), ids=TRANSFORMS)
def test_has_mask_and_mask_stay_with_their_object(transform, reach, bitmaps):
    start = scene(bitmaps)
    pipeline = build_pipeline([transform, *PACK])
    left = set()
    for seed in range(6):
        with seeded(seed):
            packed = pipeline(copy.deepcopy(start))
        if packed is None:
            continue
        objects = packed["data_samples"].gt_instances
        ignored = packed["data_samples"].ignored_instances
        assert isinstance(objects.masks, ManifestMasks)
        assert isinstance(objects.masks, BitmapMasks if bitmaps else PolygonMasks)
        assert objects.has_mask.dtype == torch.bool
        assert objects.has_mask.tolist() == [masked(n) for n in objects.labels.tolist()]
        assert objects.masks.has_mask.tolist() == objects.has_mask.tolist()
        assert not any(n % 4 == 0 for n in objects.labels.tolist())
        assert all(n % 4 == 0 for n in ignored.labels.tolist())
        assert "masks" not in ignored
        left |= {len(objects)}
        if reach is not None:
            boxes = objects.bboxes.clone()
            boxes.clip_(packed["data_samples"].img_shape)
            for box, mask in zip(boxes.tensor.tolist(), objects.masks.masks, strict=True):
                around = extent(mask, not bitmaps)
                if around is not None and min(box[2] - box[0], box[3] - box[1]) > 1:
                    assert around == pytest.approx(box, abs=reach)
    assert max(left) > 1  # something was compared


def test_box_only_samples_survive_random_affine(open_small):
    """RandomAffine moves no masks and refuses them; without masks has_mask is all False."""
    loading = [LOAD[0], {"type": "LoadManifestAnnotations", "with_mask": False}]
    dataset = open_small(
        pipeline=[*loading, {"type": "RandomAffine"}, {"type": "RandomShift", "prob": 1.0}, *PACK]
    )
    for position in range(5):
        objects = dataset[Draw(0, position)]["data_samples"].gt_instances
        assert objects.has_mask.tolist() == [False] * len(objects)


# how an object is picked, and which of four are left
PICKS = {
    "an integer": (2, [2]),
    "a slice": (slice(1, 3), [1, 2]),
    "a list": ([3, 0], [3, 0]),
    "an empty list": ([], []),
    "booleans": (np.array([True, False, True, False]), [0, 2]),
    "integers": (np.array([1, 3]), [1, 3]),
}


@pytest.mark.parametrize("bitmaps", [False, True], ids=["polygons", "bitmaps"])
@pytest.mark.parametrize(("index", "left"), PICKS.values(), ids=PICKS)
def test_picking_objects_from_the_containers(index, left, bitmaps):
    masks = scene(bitmaps)["gt_masks"][[0, 1, 2, 3]]
    picked = masks[index]
    assert picked.has_mask.tolist() == [masked(n) for n in left]
    assert len(picked) == len(left)
    assert picked.to_ndarray().tolist() == [masks.to_ndarray()[n].tolist() for n in left]


@pytest.mark.parametrize("bitmaps", [False, True], ids=["polygons", "bitmaps"])
def test_containers_put_together(bitmaps):
    masks = scene(bitmaps)["gt_masks"]
    both = masks.cat([masks[[0, 1]], masks[[2]]])
    assert type(both) is type(masks)
    assert both.has_mask.tolist() == [masked(n) for n in range(3)]
    assert (both.to_ndarray() == masks[[0, 1, 2]].to_ndarray()).all()


def test_has_mask_reaches_the_model_through_the_preprocessor(open_small):
    """Polygons and bitmaps in one batch, padded together."""
    dataset = open_small()
    batch = pseudo_collate([dataset[0], dataset[1], dataset[3]])
    expected = [sample.gt_instances.has_mask.tolist() for sample in batch["data_samples"]]
    preprocessor = DetDataPreprocessor(
        mean=[0, 0, 0], std=[1, 1, 1], bgr_to_rgb=True, pad_mask=True, pad_size_divisor=32
    )
    data = preprocessor(batch, training=True)
    assert data["inputs"].shape == (3, 3, 64, 96)
    for sample, has_mask in zip(data["data_samples"], expected, strict=True):
        assert sample.gt_instances.has_mask.tolist() == has_mask
        assert isinstance(sample.gt_instances.bboxes, torch.Tensor)
        assert (sample.gt_instances.masks.height, sample.gt_instances.masks.width) == (64, 96)


def test_masks_that_a_transform_made_anew_are_refused():
    results = scene(bitmaps=False)
    results["gt_masks"] = results["gt_masks"].to_bitmap()
    with pytest.raises(TypeError, match="box-only is lost"):
        PackManifestInputs().transform(results)


# a pipeline, and what the message names
REFUSED = {
    "mmdet's image loading": ([{"type": "LoadImageFromFile"}], "LoadManifestImage"),
    "mmdet's annotations, scope given": (
        [{"type": "mmdet.LoadAnnotations", "with_mask": True}],
        "LoadManifestAnnotations",
    ),
    "mmdet's packing": ([*LOAD, {"type": "PackDetInputs"}], "PackManifestInputs"),
    "a shift that leaves masks behind, nested": (
        [*LOAD, {"type": "RandomApply", "transforms": [{"type": "RandomShift"}]}],
        "RandomShift",
    ),
}


@pytest.mark.parametrize(("transforms", "message"), REFUSED.values(), ids=REFUSED)
def test_transforms_that_would_spoil_samples_silently_are_refused(transforms, message):
    with pytest.raises(InputError, match=message):
        build_pipeline(transforms)
