"""Heads of a few channels, feature maps and images made by hand, all on a 64 x 64 frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

import lvis_merge.training.assigners
import lvis_merge.training.heads
import lvis_merge.training.losses  # noqa: F401  (registers what the configs below name)

CLASSES = 6
SIDE = 64
STRIDES = (4, 8)
CHANNELS = 8

SOFTMAX = {"type": "CrossEntropyLoss"}
BCE = {"type": "SigmoidBCELoss"}
EQL = {"type": "EqualizationLoss", "frequencies": [0.5, 0.5, 0.5, 1e-4, 1e-4, 1e-4]}
EQLV2 = {"type": "SigmoidEQLv2Loss", "num_classes": CLASSES}
SEESAW = {"type": "SeesawLoss", "num_classes": CLASSES}

_RCNN = {"pos_iou_thr": 0.5, "neg_iou_thr": 0.5, "min_pos_iou": 0.5, "match_low_quality": False}
_RPN = {"pos_iou_thr": 0.7, "neg_iou_thr": 0.3, "min_pos_iou": 0.3, "match_low_quality": True}


def extractor(size: int) -> dict[str, Any]:
    return {
        "type": "SingleRoIExtractor",
        "roi_layer": {"type": "RoIAlign", "output_size": size, "sampling_ratio": 2},
        "out_channels": CHANNELS,
        "featmap_strides": list(STRIDES),
        "finest_scale": 16,
    }


def roi_head(
    loss_cls: dict[str, Any],
    *,
    stock: bool = False,
    masks: bool = True,
    shared_extractor: bool = False,
    sampled: int = 512,
    assigner: str = "BackgroundIgnoreAssigner",
    sampler: str = "RandomSampler",
    bbox: dict[str, Any] | None = None,
    mask: dict[str, Any] | None = None,
    test: dict[str, Any] | None = None,
    seed: int = 0,
    **options: Any,
) -> Any:
    """An RoI head with initialised weights; mmdet's own classes where `stock`.

    512 sampled proposals are all there are: nothing is drawn. Fewer are drawn at random.
    """
    config: dict[str, Any] = {
        "type": "StandardRoIHead" if stock else "ManifestRoIHead",
        "bbox_roi_extractor": extractor(3),
        "bbox_head": {
            "type": "ConvFCBBoxHead" if stock else "ManifestBBoxHead",
            "num_shared_fcs": 2,
            "fc_out_channels": 16,
            "in_channels": CHANNELS,
            "roi_feat_size": 3,
            "num_classes": CLASSES,
            "loss_cls": loss_cls,
            **(bbox or {}),
        },
        "train_cfg": {
            "assigner": {"type": assigner, **_RCNN},
            "sampler": {
                "type": sampler,
                "num": sampled,
                "pos_fraction": 1.0 if sampled == 512 else 0.25,
                "add_gt_as_proposals": True,
            },
            "mask_size": 8,
            "pos_weight": -1,
        },
        "test_cfg": {
            "score_thr": 1e-4,
            "nms": {"type": "nms", "iou_threshold": 0.5},
            "max_per_img": 300,
            "mask_thr_binary": 0.5,
            **(test or {}),
        },
        **options,
    }
    if masks:
        config["mask_roi_extractor"] = None if shared_extractor else extractor(4)
        config["mask_head"] = {
            "type": "FCNMaskHead",
            "num_convs": 1,
            "in_channels": CHANNELS,
            "conv_out_channels": 6,
            "num_classes": CLASSES,
            **(mask or {}),
        }
        if shared_extractor:
            config["train_cfg"]["mask_size"] = 6
    torch.manual_seed(seed)
    head = MODELS.build(ConfigDict(config))
    head.init_weights()
    return head


def rpn_head(*, stock: bool = False, sampled: int = 5000, ignores: bool = True) -> Any:
    """A region proposal head of 960 anchors, initialised from seed 0."""
    torch.manual_seed(0)
    assigner = "BackgroundIgnoreAssigner" if ignores else "MaxIoUAssigner"
    head = MODELS.build(
        ConfigDict(
            type="RPNHead" if stock else "ManifestRPNHead",
            in_channels=CHANNELS,
            feat_channels=CHANNELS,
            anchor_generator={
                "type": "AnchorGenerator",
                "scales": [3],
                "ratios": [0.5, 1.0, 2.0],
                "strides": list(STRIDES),
            },
            loss_cls={"type": "CrossEntropyLoss", "use_sigmoid": True},
            loss_bbox={"type": "L1Loss"},
            train_cfg={
                "assigner": {"type": assigner, **_RPN},
                "sampler": {
                    "type": "RandomSampler",
                    "num": sampled,
                    "pos_fraction": 0.5,
                    "add_gt_as_proposals": False,
                },
                "allowed_border": -1,
                "pos_weight": -1,
            },
            test_cfg={
                "nms_pre": 100,
                "max_per_img": 50,
                "nms": {"type": "nms", "iou_threshold": 0.7},
                "min_bbox_size": 0,
            },
        )
    )
    head.init_weights()
    return head


def features(images: int, seed: int = 0, grad: bool = True) -> tuple[Tensor, ...]:
    draw = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(images, CHANNELS, SIDE // s, SIDE // s, generator=draw).requires_grad_(grad)
        for s in STRIDES
    )


def boxes(rows: Sequence[Sequence[float]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def random_boxes(count: int, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=draw) * (SIDE - 24)
    size = torch.rand(count, 2, generator=draw) * 20 + 4
    return torch.cat([corner, corner + size], dim=1)


def near(found: Tensor, count: int, seed: int) -> Tensor:
    """Proposals that overlap each box by more than half, `count` for each."""
    draw = torch.Generator().manual_seed(seed)
    side = (found[:, 2:] - found[:, :2]).repeat(count, 2)
    return found.repeat(count, 1) + side * (torch.rand(len(side), 4, generator=draw) - 0.5) * 0.2


def proposals(*of_images: Tensor) -> list[InstanceData]:
    return [InstanceData(bboxes=found.clone()) for found in of_images]


def image(
    found: Tensor,
    labels: Sequence[int],
    *,
    has_mask: Sequence[bool] | None = None,
    regions: Tensor | None = None,
    source: str = "lvis",
    neg: Sequence[int] = (),
    pos: Sequence[int] = (),
    not_exhaustive: Sequence[int] = (),
    polygons: bool = False,
) -> DetDataSample:
    """A training image. Masks are the upper left triangles of the boxes that have one."""
    sample = DetDataSample(
        metainfo={
            "img_shape": (SIDE, SIDE),
            "ori_shape": (SIDE, SIDE),
            "pad_shape": (SIDE, SIDE),
            "scale_factor": (1.0, 1.0),
            "source": source,
            "neg_labels": np.array(neg, np.int64),
            "pos_labels": np.array(pos, np.int64),
            "not_exhaustive_labels": np.array(not_exhaustive, np.int64),
        }
    )
    drawn = [True] * len(labels) if has_mask is None else list(has_mask)
    sample.gt_instances = InstanceData(
        bboxes=found,
        labels=torch.tensor(labels, dtype=torch.long),
        masks=_masks(found.numpy(), drawn, polygons),
    )
    if has_mask is not None:
        sample.gt_instances.has_mask = torch.tensor(drawn, dtype=torch.bool)
    if regions is not None:
        sample.ignored_instances = InstanceData(
            bboxes=regions, labels=torch.full((len(regions),), -1)
        )
    return sample


def _masks(found: np.ndarray, drawn: list[bool], polygons: bool) -> Any:
    """Triangles; of the objects without a mask the filled boxes, as the dataset gives them."""
    if polygons:
        parts = [
            [np.array([x1, y1, x2, y1] + ([] if has else [x2, y2]) + [x1, y2], np.float32)]
            for (x1, y1, x2, y2), has in zip(found, drawn, strict=True)
        ]
        return PolygonMasks(parts, SIDE, SIDE)
    across, down = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    planes = np.zeros((len(found), SIDE, SIDE), np.uint8)
    for plane, (x1, y1, x2, y2), has in zip(planes, found, drawn, strict=True):
        inside = (across >= x1) & (down >= y1) & (across <= x2) & (down <= y2)
        upper_left = (across - x1) / (x2 - x1) + (down - y1) / (y2 - y1) <= 1
        plane[inside & (upper_left | (not has))] = 1
    return BitmapMasks(planes, SIDE, SIDE)


def total(losses: dict[str, Any]) -> Tensor:
    """What mmengine would train on."""
    chosen = [value for name, value in losses.items() if "loss" in name]
    return sum(
        (sum(v.mean() for v in value) if isinstance(value, list) else value.mean())
        for value in chosen
    )


def gradients(module: torch.nn.Module) -> dict[str, Tensor | None]:
    return {name: parameter.grad for name, parameter in module.named_parameters()}
