"""A two-stage detector taken apart: features, boxes of one view, masks of given boxes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from mmdet.models.detectors import TwoStageDetector
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor

from lvis_merge.errors import InputError
from lvis_merge.testing.inference.view_frame import ViewFrame

_ROIS_AT_ONCE = 64  # masks of 1,230 categories are 3.9 MB a RoI


@dataclass(frozen=True)
class Boxes:
    """N boxes.

    Attributes:
        xyxy: float32 [N, 4], x1, y1, x2, y2 in pixels.
        scores: float32 [N].
        labels: int64 [N].
    """

    xyxy: Tensor
    scores: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.xyxy)


@dataclass(frozen=True)
class ViewFeatures:
    """One view of one image, as far as the heads need it.

    Attributes:
        maps: feature maps, float [1, channels, H, W] per level.
        sample: mmdet's data sample of the view.
        frame: where it lies in the image.
    """

    maps: tuple[Tensor, ...]
    sample: Any
    frame: ViewFrame


class MaskNetwork(Protocol):
    """What masks of given boxes ask of a detector."""

    def masks(self, view: ViewFeatures, boxes_xyxy: Tensor, labels: Tensor) -> Tensor:
        """Masks of given boxes in one view: logits [N, S, S] over each box."""
        ...

    def pasted(self, masks: Tensor, boxes_xyxy: Tensor, height: int, width: int) -> Tensor:
        """Masks of boxes as bitmaps of the image."""
        ...


class Network(MaskNetwork, Protocol):
    """What testing asks of a detector."""

    @property
    def mask_per_category(self) -> bool:
        """Whether the mask of a box depends on its category."""
        ...

    def features(self, view: Tensor, sample: Any) -> ViewFeatures:
        """Features of one view."""
        ...

    def boxes(self, view: ViewFeatures) -> Boxes:
        """What is found in one view, in pixels of the view."""
        ...


class MaskRCNN:
    """An mmdet Mask R-CNN or Faster R-CNN, ready to be tested.

    Args:
        model: the detector, with its weights.
        device: where it runs.
        most: boxes that a view gives at most.
        pre_nms_topk: (box, category) candidates of a view that go into NMS at most; None: all.
        amp: compute in float16 where torch deems that safe; needs a GPU.

    Attributes:
        has_masks: whether it predicts masks.

    Raises:
        InputError: a detector of another kind.
    """

    def __init__(
        self,
        model: Any,
        device: torch.device,
        *,
        most: int,
        pre_nms_topk: int | None = None,
        amp: bool = False,
    ) -> None:
        head: Any = getattr(model, "roi_head", None)
        sound = isinstance(head, StandardRoIHead) and not isinstance(head, CascadeRoIHead)
        if not isinstance(model, TwoStageDetector) or not sound or not model.with_rpn:
            raise InputError(
                f"test: {type(model).__name__} with {type(head).__name__} is no Faster or Mask"
                " R-CNN of one stage after its proposals. Other detectors are tested with mmdet's"
                " own tools."
            )
        self.has_masks = bool(head.with_mask)
        self._model = model.to(device).eval()
        self._head = head
        self._device = device
        self._amp = amp
        self._settings = copy.deepcopy(head.test_cfg)
        self._settings.max_per_img = most
        self._settings.pre_nms_topk = pre_nms_topk

    @property
    def mask_per_category(self) -> bool:
        """Whether the mask of a box depends on its category."""
        return not getattr(getattr(self._head, "mask_head", None), "class_agnostic", False)

    @torch.inference_mode()
    def features(self, view: Tensor, sample: Any) -> ViewFeatures:
        """Features of one view.

        Args:
            view: uint8 [3, H, W], BGR, as packed.
            sample: the packed data sample.
        """
        data = self._model.data_preprocessor({"inputs": [view], "data_samples": [sample]}, False)
        with self._precision():
            maps = self._model.extract_feat(data["inputs"])
        sample = data["data_samples"][0]
        return ViewFeatures(tuple(maps), sample, ViewFrame.of(sample.metainfo))

    @torch.inference_mode()
    def boxes(self, view: ViewFeatures) -> Boxes:
        """What is found in one view: above the score threshold, after class-wise NMS.

        Returns:
            In pixels of the view, from the highest score.
        """
        with self._precision():
            proposals = self._model.rpn_head.predict(view.maps, [view.sample], rescale=False)
            found = self._head.predict_bbox(
                view.maps, [view.sample.metainfo], proposals, self._settings, rescale=False
            )[0]
        return Boxes(found.bboxes.float(), found.scores.float(), found.labels)

    @torch.inference_mode()
    def masks(self, view: ViewFeatures, boxes_xyxy: Tensor, labels: Tensor) -> Tensor:
        """Masks of given boxes in one view.

        Args:
            view: its features.
            boxes_xyxy: float [N, 4] in pixels of the view.
            labels: int64 [N], whose mask is wanted of heads that give one per category.

        Returns:
            float32 [N, S, S], logits over each box; S is 28 as a rule.
        """
        parts = []
        for rows in torch.arange(len(labels), device=labels.device).split(_ROIS_AT_ONCE):
            rois = bbox2roi([boxes_xyxy[rows]])
            with self._precision():
                logits = self._head._mask_forward(view.maps, rois)["mask_preds"]
            own = labels[rows] if logits.shape[1] > 1 else torch.zeros_like(rows)
            parts.append(logits[torch.arange(len(rows), device=rows.device), own].float())
        return torch.cat(parts)

    @torch.inference_mode()
    def pasted(self, masks: Tensor, boxes_xyxy: Tensor, height: int, width: int) -> Tensor:
        """Masks of boxes as bitmaps of the image, as mmdet pastes them.

        Args:
            masks: float32 [N, S, S], probabilities over each box.
            boxes_xyxy: float [N, 4] in pixels of the image.
            height: of the image.
            width: of the image.

        Returns:
            bool [N, height, width]: where the probability reaches `mask_thr_binary`; nowhere for a
            box of no area or outside the image, at which mmdet would stop.
        """
        x1, y1, x2, y2 = boxes_xyxy.unbind(dim=1)
        inside = (x2 > 0) & (y2 > 0) & (x1 < width) & (y1 < height) & (x2 > x1) & (y2 > y1)
        bitmaps = masks.new_zeros(len(masks), height, width, dtype=torch.bool)
        if not inside.any():
            return bitmaps
        found = InstanceData(
            bboxes=boxes_xyxy[inside], labels=inside.new_zeros(int(inside.sum()), dtype=torch.int64)
        )
        whole = {"ori_shape": (height, width), "scale_factor": (1.0, 1.0)}
        self._head.mask_head.predict_by_feat(
            [masks[inside, None]], [found], [whole], self._settings, rescale=True, activate_map=True
        )
        bitmaps[inside] = found.masks
        return bitmaps

    def _precision(self) -> Any:
        return torch.autocast(self._device.type, dtype=torch.float16, enabled=self._amp)
