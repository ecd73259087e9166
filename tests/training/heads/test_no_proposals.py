"""Images that leave nothing to learn still give every parameter a gradient, of zero.

A rank whose images have no objects, under ignore regions that cover every proposal, has none
sampled: without gradients the other ranks of a distributed run would wait for it forever.
"""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch

from tests.training.heads.small_heads import (
    BCE,
    EQL,
    EQLV2,
    SEESAW,
    SIDE,
    SOFTMAX,
    boxes,
    features,
    gradients,
    image,
    proposals,
    random_boxes,
    roi_head,
    rpn_head,
    total,
)

LOSSES = {"softmax": SOFTMAX, "bce": BCE, "eql": EQL, "eqlv2": EQLV2, "seesaw": SEESAW}
EVERYWHERE = boxes([[-SIDE, -SIDE, 2 * SIDE, 2 * SIDE]])


def covered(images=2):
    return [image(random_boxes(0, 0), [], regions=EVERYWHERE) for _ in range(images)]


def check_zero_gradients(module, losses):
    total(losses).backward()
    for name, value in gradients(module).items():
        assert value is not None, name
        assert not value.any(), name
    for name, value in losses.items():
        values = value if isinstance(value, list) else [value]
        assert all(torch.isfinite(v).all() for v in values), name


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"masks": False},
        {"shared_extractor": True},
        {"bbox": {"reg_class_agnostic": True}, "mask": {"class_agnostic": True}},
    ],
    ids=["mask", "box", "shared_extractor", "class_agnostic"],
)
def test_roi_head_with_every_proposal_ignored(name, options):
    head = roi_head(LOSSES[name], **options)
    found = [random_boxes(20, 1), random_boxes(20, 2)]
    losses = head.loss(features(2), proposals(*found), covered())
    assert total(losses).item() == 0
    assert [losses[n].item() for n in ("num_pos", "num_neg", "num_ignored")] == [0, 0, 20]
    # the accuracy of nothing would spoil the logged mean
    assert not any(figure.startswith("acc") for figure in losses)
    check_zero_gradients(head, losses)


def test_roi_head_without_any_proposal():
    head = roi_head(EQL, verified_sources=["open_images"])
    images = [image(random_boxes(0, 0), [], source="open_images")]
    losses = head.loss(features(1), proposals(boxes([])), images)
    assert total(losses).item() == 0
    check_zero_gradients(head, losses)


@pytest.mark.parametrize("name", LOSSES)
def test_proposals_of_background_alone_reach_every_parameter(name):
    head = roi_head(LOSSES[name])
    losses = head.loss(features(1), proposals(random_boxes(20, 1)), [image(random_boxes(0, 0), [])])
    total(losses).backward()
    for parameter, value in gradients(head).items():
        assert value is not None, parameter
    assert gradients(head.bbox_head)["fc_cls.weight"].any()


def test_batch_norm_keeps_its_statistics():
    norm = {"type": "BN", "requires_grad": True}
    head = roi_head(
        BCE,
        bbox={"num_shared_convs": 1, "num_shared_fcs": 1, "norm_cfg": norm, "conv_out_channels": 4},
        mask={"norm_cfg": norm},
    )
    before = {name: value.clone() for name, value in head.named_buffers() if "running" in name}
    assert len(before) == 4
    losses = head.loss(features(2), proposals(random_boxes(9, 1), random_boxes(9, 2)), covered())
    check_zero_gradients(head, losses)
    for name, value in before.items():
        assert torch.equal(head.get_buffer(name), value), name


def test_rpn_head_with_every_anchor_ignored():
    head = rpn_head()
    losses = head.loss(features(2), covered())
    assert total(losses).item() == 0
    assert losses["rpn_num_neg"].item() == 0
    assert losses["rpn_num_ignored"].item() == 960
    check_zero_gradients(head, losses)
