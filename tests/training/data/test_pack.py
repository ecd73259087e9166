"""Packing an image: the tensor that mmdet's own packing makes of it."""

import numpy as np
import pytest
from mmdet.datasets.transforms import PackDetInputs

from lvis_merge.training.data import PackManifestInputs

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 53, 3)).astype(np.uint8)

# what transforms leave behind
IMAGES = {
    "as decoded": PIXELS,
    "flipped horizontally": np.flip(PIXELS, 1),
    "flipped vertically": np.flip(PIXELS, 0),
    "flipped both ways": np.flip(PIXELS, (0, 1)),
    "cropped": PIXELS[3:30, 5:41],
    "cropped, then flipped": np.flip(PIXELS[3:30, 5:41], 1),
    "channels swapped": PIXELS[:, :, ::-1],
    "transposed": PIXELS.transpose(1, 0, 2),
    "floating point": PIXELS.astype(np.float32) / 7,
    "floating point, flipped": np.flip(PIXELS.astype(np.float32) / 7, 1),
    "one row": PIXELS[:1],
    "one column, flipped": np.flip(PIXELS[:, :1], 1),
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_the_tensor_is_mmdets(image):
    packed = PackManifestInputs().transform({"img": image})["inputs"]
    stock = PackDetInputs().transform({"img": image})["inputs"]
    assert packed.dtype == stock.dtype
    assert packed.shape == stock.shape
    assert packed.is_contiguous()
    assert (packed == stock).all()


def test_the_tensor_is_a_copy():
    image = PIXELS.copy()
    packed = PackManifestInputs().transform({"img": image})["inputs"]
    image[:] = 0
    assert packed.any()


def test_results_are_left_as_they_are():
    results = {"img": PIXELS, "img_id": 5}
    PackManifestInputs().transform(results)
    assert results["img"] is PIXELS
