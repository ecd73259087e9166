"""Transform: what the model gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.datasets.transforms import PackDetInputs
from mmdet.registry import TRANSFORMS

from lvis_merge.training.data.masks import ManifestMasks

META_KEYS = (
    "img_id",
    "img_path",
    "ori_shape",
    "img_shape",
    "scale_factor",
    "flip",
    "flip_direction",
    "source",
    "neg_labels",
    "pos_labels",
    "not_exhaustive_labels",
    "position",
)


def channels_first(image: np.ndarray) -> np.ndarray:
    """Copies an image into one plane per channel.

    OpenCV does in a fraction of a millisecond what a transposed copy by numpy or torch takes two
    for; but an image that is a flipped view it would first copy pixel by pixel.

    Args:
        image: [H, W, C].

    Returns:
        [C, H, W], of the same type.
    """
    down, across = (stride < 0 for stride in image.strides[:2])
    planes = cv2.split(image[:: -1 if down else 1, :: -1 if across else 1])
    if down or across:
        code = -1 if down and across else int(across)
        planes = [cv2.flip(plane, code) for plane in planes]
    return np.stack(planes)


@TRANSFORMS.register_module()
class PackManifestInputs(PackDetInputs):
    """mmdet's packing, with `has_mask` and with what the image's source knows of it.

    `gt_instances` has bboxes, labels, has_mask (bool [G]; all False where masks are not loaded)
    and, if loaded, masks; `ignored_instances` has bboxes and labels.

    Args:
        meta_keys: keys of the results that become metainfo of the sample, where they are there.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        super().__init__(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Packs one sample.

        Raises:
            TypeError: a transform put other masks in the place of ours, so that it is no longer
                known which objects have one.
        """
        masks = results.get("gt_masks")
        if masks is not None and not isinstance(masks, ManifestMasks):
            raise TypeError(
                f"gt_masks became {type(masks).__name__}: a transform of the pipeline makes masks"
                " of its own (CopyPaste, Mosaic, …), and which objects are box-only is lost."
                " Leave it out."
            )
        rest = {key: value for key, value in results.items() if key != "img"}
        packed: dict[str, Any] = super().transform(rest)
        if "img" in results:
            packed["inputs"] = torch.from_numpy(channels_first(results["img"]))
        sample = packed["data_samples"]
        if "bboxes" in sample.gt_instances:
            objects = sample.gt_instances
            objects.has_mask = (
                torch.zeros(len(objects), dtype=torch.bool)
                if masks is None
                else torch.from_numpy(objects.masks.has_mask)
            )
        if "masks" in sample.ignored_instances:
            del sample.ignored_instances.masks
        return packed
