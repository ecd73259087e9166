"""With a loss of mmdet and no option of ours, the heads are mmdet's, bit for bit."""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch

from tests.training.heads.small_heads import (
    SEESAW,
    SOFTMAX,
    features,
    gradients,
    image,
    near,
    proposals,
    random_boxes,
    roi_head,
    rpn_head,
    total,
)

VARIANTS = {
    "mask_rcnn": {"loss_cls": SOFTMAX},
    "seesaw": {"loss_cls": SEESAW},
    "boxes_only": {"loss_cls": SOFTMAX, "masks": False},
    "class_agnostic": {
        "loss_cls": SOFTMAX,
        "bbox": {"reg_class_agnostic": True},
        "mask": {"class_agnostic": True},
    },
    "shared_extractor": {"loss_cls": SOFTMAX, "shared_extractor": True},
    # draws by the losses of all proposals, for which it runs the box head
    "hard_examples": {"loss_cls": SOFTMAX, "sampler": "OHEMSampler"},
    "convolutions": {
        "loss_cls": SOFTMAX,
        "bbox": {"num_shared_convs": 1, "num_shared_fcs": 1, "conv_out_channels": 6},
    },
}


def batch():
    objects = [random_boxes(3, 1), random_boxes(2, 2)]
    images = [
        image(objects[0], [0, 3, 5], has_mask=[True] * 3),
        # an image without objects, and one without has_mask
        image(random_boxes(0, 0), []),
        image(objects[1], [1, 1]),
    ]
    found = [
        torch.cat([near(objects[0], 4, 3), random_boxes(30, 4)]),
        random_boxes(20, 5),
        torch.cat([near(objects[1], 4, 6), random_boxes(30, 7)]),
    ]
    return images, found


@pytest.mark.parametrize("name", VARIANTS)
def test_roi_head(name):
    # there are no ignore regions: the two assigners agree
    stock = roi_head(**VARIANTS[name], stock=True, sampled=16, assigner="MaxIoUAssigner")
    ours = roi_head(**VARIANTS[name], sampled=16)
    for key, value in stock.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key
    results = []
    for head in (stock, ours):
        images, found = batch()
        x = features(3)
        torch.manual_seed(5)  # the sampler draws
        losses = head.loss(x, proposals(*found), images)
        total(losses).backward()
        head.eval()
        with torch.no_grad():
            predicted = head.predict(x, proposals(*found), images, rescale=True)
        results.append((losses, gradients(head), [level.grad for level in x], predicted))
    (losses, grads, inputs, predicted), (our_losses, our_grads, our_inputs, our_predicted) = results
    assert set(our_losses) - set(losses) == {"num_pos", "num_neg", "num_ignored"}
    for key, value in losses.items():
        assert torch.equal(our_losses[key], value), key
    for key, value in grads.items():
        assert value is not None, key
        assert torch.equal(our_grads[key], value), key
    assert all(map(torch.equal, our_inputs, inputs))
    for one, other in zip(our_predicted, predicted, strict=True):
        assert len(other)
        assert set(one.keys()) == set(other.keys())
        for key in other.keys():  # noqa: SIM118  (InstanceData iterates over its rows)
            assert torch.equal(one[key], other[key]), key


def test_rpn_head():
    stock, ours = rpn_head(stock=True, sampled=32, ignores=False), rpn_head(sampled=32)
    results = []
    for head in (stock, ours):
        images, _ = batch()
        x = features(3)
        torch.manual_seed(5)
        results.append((*head.loss_and_predict(x, images), head))
        total(results[-1][0]).backward()
    (losses, predicted, _), (our_losses, our_predicted, _) = results
    for key, value in losses.items():
        assert all(map(torch.equal, our_losses[key], value)), key
    for key, value in gradients(stock).items():
        assert torch.equal(gradients(ours)[key], value), key
    for one, other in zip(our_predicted, predicted, strict=True):
        assert torch.equal(one.bboxes, other.bboxes)
