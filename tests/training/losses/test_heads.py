"""What mmdet's box head makes of the losses: channels, scores at inference, figures for the log."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmdet.models.roi_heads.bbox_heads import ConvFCBBoxHead
from mmengine.config import ConfigDict
from torch import Tensor

from lvis_merge.errors import InputError
from lvis_merge.training.losses import EqualizationLoss, SigmoidBCELoss, SigmoidEQLv2Loss

CLASSES = 5
LOSSES: dict[str, dict[str, Any]] = {
    "bce": {"type": "SigmoidBCELoss"},
    "eql": {"type": "EqualizationLoss", "frequencies": [0.1] * CLASSES},
    "eqlv2": {"type": "SigmoidEQLv2Loss", "num_classes": CLASSES},
}


def head(loss: dict[str, Any]) -> ConvFCBBoxHead:
    return ConvFCBBoxHead(
        num_shared_fcs=1,
        in_channels=4,
        fc_out_channels=6,
        roi_feat_size=2,
        num_classes=CLASSES,
        loss_cls=loss,
    )


def sigmoid_scores(name: str, logits: Tensor) -> Tensor:
    """Sigmoids of the classes; EQLv2's are multiplied by 1 - that of background."""
    if name == "eqlv2":
        return logits[:, :-1].sigmoid() * (1 - logits[:, -1:].sigmoid())
    return logits.sigmoid()


@pytest.mark.parametrize(("name", "channels"), [("bce", 5), ("eql", 5), ("eqlv2", 6)])
def test_the_head_has_the_losses_channels(name: str, channels: int) -> None:
    made = head(LOSSES[name])
    assert made.fc_cls.out_features == channels
    assert made.loss_cls.sigmoid_prior
    assert made.loss_cls.takes_verified == (name != "eqlv2")


@pytest.mark.parametrize("name", LOSSES)
def test_scores_are_sigmoids_with_a_zero_for_background(name: str) -> None:
    made = head(LOSSES[name])
    logits = torch.randn(7, made.fc_cls.out_features) * 3
    scores = made.loss_cls.get_activation(logits)
    assert scores.shape == (7, CLASSES + 1)
    torch.testing.assert_close(scores[:, :-1], sigmoid_scores(name, logits))
    assert not scores[:, -1].any()
    assert made.loss_cls.get_activation(logits[:0]).shape == (0, CLASSES + 1)
    # detections are ranked by scores: a half type would tie them
    assert made.loss_cls.get_activation(logits.half()).dtype == torch.float32
    assert made.loss_cls.get_activation(logits.double()).dtype == torch.float64


@pytest.mark.parametrize("name", LOSSES)
def test_mmdets_head_detects_with_sigmoid_scores(name: str) -> None:
    made = head(LOSSES[name])
    logits = torch.randn(3, made.fc_cls.out_features) * 3
    boxes = torch.tensor([[0.0, 0, 0, 9, 9], [0, 20, 20, 29, 29], [0, 40, 40, 49, 49]])
    config = ConfigDict(score_thr=0.0, nms={"type": "nms", "iou_threshold": 0.5}, max_per_img=100)
    (found,) = made.predict_by_feat(
        (boxes,), (logits,), (torch.zeros(3, 4 * CLASSES),), [{"img_shape": (60, 60)}], config
    )
    expected = sigmoid_scores(name, logits).flatten().sort(descending=True).values
    torch.testing.assert_close(found.scores.sort(descending=True).values, expected)


@pytest.mark.parametrize("name", LOSSES)
def test_mmdets_head_trains_and_logs(name: str) -> None:
    made = head(LOSSES[name])
    scores, boxes = made(torch.randn(4, 4, 2, 2))
    labels = torch.tensor([1, CLASSES, 0, CLASSES])
    losses = made.loss(
        scores, boxes, torch.zeros(4, 5), labels, torch.ones(4), torch.zeros(4, 4), torch.ones(4, 4)
    )
    assert set(losses) == {"loss_cls", "acc_classes", "loss_bbox"}
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    assert made.fc_cls.weight.grad.any()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 3, 3], 50.0),  # two objects, one of them found; background does not count
        ([3, 3, 3, 3], 0.0),  # no object
        ([0, -1, -1, 3], 100.0),  # what is left out does not count
    ],
)
def test_accuracy_is_that_of_foreground_proposals(labels: list[int], expected: float) -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [5.0, 0.0, 0.0], [5.0, 0.0, 0.0]])
    for loss, scores in (
        (SigmoidBCELoss(), logits),
        (SigmoidEQLv2Loss(3), torch.cat([logits, torch.full((4, 1), 9.0)], dim=1)),
    ):
        assert loss.get_accuracy(scores, torch.tensor(labels))["acc_classes"].item() == expected
        nothing = loss.get_accuracy(scores[:0], torch.zeros(0, dtype=torch.int64))
        assert nothing["acc_classes"].item() == 0


@pytest.mark.parametrize("loss", [EqualizationLoss([0.1] * 4), SigmoidEQLv2Loss(4)], ids=repr)
def test_a_head_of_other_categories_is_refused(loss: Any) -> None:
    with pytest.raises(InputError, match="is for 4 categories, the box head for 5"):
        loss.get_cls_channels(5)
