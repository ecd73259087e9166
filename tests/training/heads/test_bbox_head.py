"""The box head: prior, classifier drawn anew, weights of rows, mixed precision, refusals."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch
from mmengine.config import ConfigDict

from lvis_merge.errors import InputError
from tests.training.heads.small_heads import (
    BCE,
    CLASSES,
    EQL,
    EQLV2,
    SEESAW,
    SOFTMAX,
    roi_head,
)

PRIOR = -math.log(999)
ROWS = 40


def wide(loss, **options):
    """A head with enough weights to measure their spread."""
    return roi_head(loss, bbox={"fc_out_channels": 400, **options}).bbox_head


@pytest.mark.parametrize(
    ("loss", "bias", "channels"),
    [
        (BCE, PRIOR, CLASSES),
        (EQL, PRIOR, CLASSES),
        (EQLV2, PRIOR, CLASSES + 1),
        # a softmax head starts even
        (SOFTMAX, 0, CLASSES + 1),
        (SEESAW, 0, CLASSES + 2),
    ],
)
def test_sigmoid_heads_start_at_the_prior(loss, bias, channels):
    head = wide(loss)
    assert head.fc_cls.weight.shape[0] == channels
    assert torch.allclose(head.fc_cls.bias, torch.tensor(float(bias)))
    assert head.fc_cls.weight.mean().item() == pytest.approx(0, abs=0.001)
    assert head.fc_cls.weight.std().item() == pytest.approx(0.01, rel=0.1)


def test_the_prior_holds_beside_a_recipes_own_initialisation():
    own = {"type": "Normal", "layer": "Linear", "std": 0.5, "bias": 1.0}
    head = wide(BCE, init_cfg=own)
    assert torch.allclose(head.fc_cls.bias, torch.tensor(PRIOR))
    assert head.fc_cls.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert (head.shared_fcs[0].bias == 1).all()


def targets(seed=0):
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES + 1, (ROWS,), generator=draw)
    rois = torch.zeros(ROWS, 5)
    rois[:, 3:] = 10
    return rois, labels, torch.randn(ROWS, 4, generator=draw), torch.ones(ROWS, 4)


@pytest.mark.parametrize("loss", [BCE, EQL, EQLV2], ids=["bce", "eql", "eqlv2"])
def test_rows_of_weight_zero_are_as_if_not_sampled(loss):
    head = roi_head(loss).bbox_head
    rois, labels, box_targets, box_weights = targets()
    score = torch.randn(ROWS, head.fc_cls.out_features, requires_grad=True)
    weights = (torch.arange(ROWS) % 3 > 0).float()
    kept = weights > 0

    def class_loss(rows, row_weights):
        args = (rois[rows], labels[rows], row_weights, box_targets[rows], box_weights[rows])
        told = roi_head(loss).bbox_head.loss(score[rows], None, *args)["loss_cls"]
        return told, torch.autograd.grad(told, score)[0]

    every, gradient = class_loss(torch.ones(ROWS, dtype=torch.bool), weights)
    alone, expected = class_loss(kept, torch.ones(int(kept.sum())))
    assert torch.allclose(every, alone)
    assert torch.allclose(gradient, expected)
    assert not gradient[~kept].any()
    nothing, gradient = class_loss(torch.ones(ROWS, dtype=torch.bool), torch.zeros(ROWS))
    assert nothing.item() == 0
    assert not gradient.any()


@pytest.mark.parametrize(
    "loss", [SOFTMAX, BCE, EQL, EQLV2, SEESAW], ids=["softmax", "bce", "eql", "eqlv2", "seesaw"]
)
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("objects", [True, False], ids=["objects", "background"])
def test_losses_and_scores_are_float32_under_mixed_precision(loss, half, objects):
    rois, labels, box_targets, box_weights = targets()
    if not objects:
        labels = torch.full_like(labels, CLASSES)
    config = ConfigDict(score_thr=1e-4, nms={"type": "nms", "iou_threshold": 0.5}, max_per_img=9)
    told = []
    for dtype in (half, torch.float32):
        head = roi_head(loss).bbox_head
        draw = torch.Generator().manual_seed(3)
        score = torch.randn(ROWS, head.fc_cls.out_features, generator=draw) * 3
        pred = torch.randn(ROWS, 4 * CLASSES, generator=draw)
        score, pred = score.to(half).to(dtype), pred.to(half).to(dtype)
        losses = head.loss(score, pred, rois, labels, torch.ones(ROWS), box_targets, box_weights)
        found = head.predict_by_feat(
            (rois,), (score,), (pred,), [{"img_shape": (64, 64)}], rcnn_test_cfg=config
        )[0]
        told.append((losses, found))
    (of_half, found), (of_full, expected) = told
    assert set(of_half) == set(of_full)
    for name, value in of_half.items():
        assert value.dtype == torch.float32, name
        assert torch.equal(value, of_full[name]), name
    for name in ("scores", "bboxes", "labels"):
        assert torch.equal(found[name], expected[name]), name


@pytest.mark.parametrize(
    ("build", "said"),
    [
        # mmdet applies a softmax to these at inference
        (lambda: roi_head({"type": "CrossEntropyLoss", "use_sigmoid": True}), "SigmoidBCELoss"),
        (lambda: roi_head({"type": "EQLV2Loss", "num_classes": CLASSES}), "SigmoidEQLv2Loss"),
        (lambda: roi_head(BCE, bbox={"type": "ConvFCBBoxHead"}), "use ManifestBBoxHead"),
        (lambda: roi_head(BCE, test={"pre_nms_topk": 0}), "pre_nms_topk is 0"),
        # a loss for another number of categories
        (lambda: roi_head({**EQL, "frequencies": [0.1] * 4}), "4 categories"),
    ],
)
def test_what_cannot_be_right_is_refused(build, said):
    with pytest.raises(InputError, match=said):
        build()
