"""Boxes from an image to a view of it and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class ViewFrame:
    """A view: the image resized, then mirrored or not. Padding is to the right and below.

    Attributes:
        width: of the image, pixels.
        scale: (horizontal, vertical): pixels of the view per pixel of the image.
        flipped: whether left and right are exchanged.
    """

    width: int
    scale: tuple[float, float]
    flipped: bool

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> ViewFrame:
        """The frame of a packed sample: mmdet's `ori_shape`, `scale_factor` and `flip`."""
        across, down = meta["scale_factor"]
        return cls(int(meta["ori_shape"][1]), (float(across), float(down)), bool(meta["flip"]))

    def to_image(self, boxes_xyxy: Tensor) -> Tensor:
        """Boxes [N, 4], x1, y1, x2, y2 in pixels of the view, in pixels of the image."""
        boxes = boxes_xyxy / self._scales(boxes_xyxy)
        return self._mirrored(boxes) if self.flipped else boxes

    def to_view(self, boxes_xyxy: Tensor) -> Tensor:
        """Boxes [N, 4], x1, y1, x2, y2 in pixels of the image, in pixels of the view."""
        boxes = self._mirrored(boxes_xyxy) if self.flipped else boxes_xyxy
        return boxes * self._scales(boxes)

    def _scales(self, like: Tensor) -> Tensor:
        return like.new_tensor([*self.scale, *self.scale])

    def _mirrored(self, boxes: Tensor) -> Tensor:
        x1, y1, x2, y2 = boxes.unbind(dim=1)
        return torch.stack([self.width - x2, y1, self.width - x1, y2], dim=1)
