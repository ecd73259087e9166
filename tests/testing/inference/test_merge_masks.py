"""Masks averaged over views: a network that is right at each view gives the right mask."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from pycocotools import mask as coco_mask
from torch import Tensor

from lvis_merge.testing.inference.merge_masks import mean_masks, pasted_run_lengths
from lvis_merge.testing.inference.network import Boxes, ViewFeatures
from lvis_merge.testing.inference.view_frame import ViewFrame

SIZE = 28
INSIDE, OUTSIDE = 8.0, -6.0
"""Halfway between the two no pixel is at exactly 0.5, where roundings would decide."""


def inside(x: Tensor, y: Tensor) -> Tensor:
    """The objects of the image: all points of two slanted stripes; nothing about it is even."""
    return ((x * 0.7137 + y * 1.2891) % 41.03 < 17.01) & (x - 0.4 * y < 150.1)


class ExactNetwork:
    """The masks of a network that knows the truth: of a box in any view, at its 28 x 28 cells."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def masks(self, view: ViewFeatures, boxes_xyxy: Tensor, labels: Tensor) -> Tensor:
        """Looks at the pixels of the view, which is resized and may be mirrored."""
        self.asked.append(boxes_xyxy)
        step = (torch.arange(SIZE, dtype=torch.float64) + 0.5) / SIZE
        x1, y1, x2, y2 = boxes_xyxy.double()[:, :, None].unbind(dim=1)
        x = (x1 + (x2 - x1) * step)[:, None, :].expand(-1, SIZE, -1)
        y = (y1 + (y2 - y1) * step)[:, :, None].expand(-1, -1, SIZE)
        true: ViewFrame = view.sample
        across, down = true.scale
        in_image = x / across, y / down
        if true.flipped:
            in_image = true.width - in_image[0], in_image[1]
        return torch.where(inside(*in_image), INSIDE, OUTSIDE).float()

    def pasted(self, masks: Tensor, boxes_xyxy: Tensor, height: int, width: int) -> Tensor:
        head = FCNMaskHead(num_convs=0, num_classes=1, class_agnostic=True)
        found = InstanceData(bboxes=boxes_xyxy.clone(), labels=torch.zeros(len(masks)).long())
        head.predict_by_feat(
            [masks[:, None]],
            [found],
            [{"ori_shape": (height, width), "scale_factor": (1.0, 1.0)}],
            ConfigDict(mask_thr_binary=0.5),
            rescale=True,
            activate_map=True,
        )
        bitmaps: Tensor = found.masks
        return bitmaps


def view(width: int, height: int, new_width: int, new_height: int, flipped: bool) -> ViewFeatures:
    frame = ViewFrame(width, (new_width / width, new_height / height), flipped)
    return ViewFeatures((), frame, frame)


BOXES = torch.tensor(
    [
        [3.3, 5.7, 61.2, 49.9],
        [20.0, 10.0, 48.0, 38.0],  # a cell a pixel
        [-4.0, 30.5, 90.7, 70.1],  # over the left edge
        [100.2, 0.0, 140.9, 93.0],  # over the right and the lower edge
    ]
)


@pytest.mark.parametrize(
    "views",
    [
        pytest.param([(211, 140, False)], id="one view"),
        pytest.param([(211, 140, True)], id="mirrored"),
        pytest.param([(101, 67, False), (101, 67, True), (333, 220, False)], id="three"),
        # sides that are no multiples of a stride, aspect ratios rounded
        pytest.param([(77, 51, True), (137, 91, False), (499, 330, True)], id="odd sizes"),
    ],
)
def test_exact_masks_stay_exact(views: list[tuple[int, int, bool]]) -> None:
    """Mapped to each view, seen there, mirrored back and averaged: the mask pasted once."""
    width, height = 137, 91
    seen = [view(width, height, *sides) for sides in views]
    boxes = Boxes(BOXES, torch.ones(len(BOXES)), torch.zeros(len(BOXES), dtype=torch.int64))
    network = ExactNetwork()
    mean = mean_masks(network, seen, boxes)
    itself = view(width, height, width, height, False)
    exact = network.masks(itself, BOXES, boxes.labels).sigmoid()
    assert torch.equal(mean > 0.5, exact > 0.5)
    assert torch.allclose(mean, exact, atol=1e-6)
    found = pasted_run_lengths(network, mean, BOXES, height, width)
    once = network.pasted(exact, BOXES, height, width)
    for counts, bitmap in zip(found, once, strict=True):
        decoded = coco_mask.decode({"size": [height, width], "counts": counts})
        assert decoded.sum() > 50
        assert (torch.from_numpy(decoded).bool() == bitmap).all()


def test_boxes_are_asked_for_where_they_are_in_each_view() -> None:
    network = ExactNetwork()
    seen = [view(100, 50, 200, 150, False), view(100, 50, 200, 150, True)]
    boxes = Boxes(torch.tensor([[90.0, 0.0, 100.0, 10.0]]), torch.ones(1), torch.zeros(1).long())
    mean_masks(network, seen, boxes)
    assert [asked.tolist() for asked in network.asked] == [
        [[180.0, 0.0, 200.0, 30.0]],
        [[0.0, 0.0, 20.0, 30.0]],
    ]


def test_views_have_equal_weights() -> None:
    """The mean is of probabilities, not of logits: (0.9 + 0.5 + 0.5) / 3."""

    class Network(ExactNetwork):
        logits = iter([2.1972246, 0.0, 0.0])

        def masks(self, view: ViewFeatures, boxes_xyxy: Tensor, labels: Tensor) -> Tensor:
            return torch.full((1, SIZE, SIZE), next(self.logits))

    seen = [view(10, 10, 10, 10, False)] * 3
    boxes = Boxes(torch.tensor([[0.0, 0.0, 5.0, 5.0]]), torch.ones(1), torch.zeros(1).long())
    mean = mean_masks(Network(), seen, boxes)
    assert torch.allclose(mean, torch.tensor(1.9 / 3), atol=1e-6)


def test_a_mistaken_view_would_show() -> None:
    """The truth of these tests is uneven: a view taken for another than it is shows."""
    network = ExactNetwork()
    flipped = view(137, 91, 211, 140, True)
    boxes = Boxes(BOXES, torch.ones(4), torch.zeros(4, dtype=torch.int64))
    right = mean_masks(network, [flipped], boxes)
    wrong = mean_masks(
        network, [replace(flipped, frame=replace(flipped.frame, flipped=False))], boxes
    )
    assert ((right > 0.5) != (wrong > 0.5)).float().mean() > 0.1
