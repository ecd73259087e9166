"""On images of verified sources a proposal learns as negatives only what people verified."""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch

from lvis_merge.errors import InputError
from tests.training.heads.small_heads import (
    BCE,
    CLASSES,
    EQL,
    EQLV2,
    SEESAW,
    SOFTMAX,
    features,
    image,
    near,
    proposals,
    random_boxes,
    roi_head,
    total,
)


def class_gradients(head, images, found):
    """Σ |gradient| of each category's row of fc_cls, weights and bias."""
    head.zero_grad()
    total(head.loss(features(len(images)), proposals(*found), images)).backward()
    layer = head.bbox_head.fc_cls
    return layer.weight.grad.abs().sum(1) + layer.bias.grad.abs()


def around(objects):
    return torch.cat([near(objects, 3, 3), random_boxes(12, 4)])


@pytest.mark.parametrize("loss", [BCE, EQL], ids=["bce", "eql"])
@pytest.mark.parametrize(
    ("lists", "learnt"),
    [
        # no label file: nothing but the boxes' own categories (0 and 5)
        ({}, {0, 5}),
        # verified absent
        ({"neg": [2]}, {0, 2, 5}),
        # verified present and exhaustively boxed: negatives elsewhere on the image
        ({"pos": [0, 1], "not_exhaustive": []}, {0, 1, 5}),
        # present, not exhaustive: a proposal on an unboxed one would be a wrong negative
        ({"pos": [0, 1, 4], "not_exhaustive": [1, 4], "neg": [3]}, {0, 3, 5}),
    ],
)
def test_unverified_categories_get_exactly_no_gradient(loss, lists, learnt):
    objects = random_boxes(2, 1)
    head = roi_head(loss, masks=False, verified_sources=["open_images"])
    images = [image(objects, [0, 5], source="open_images", **lists)]
    grads = class_gradients(head, images, [around(objects)])
    assert {j for j in range(CLASSES) if grads[j] != 0} == learnt


def test_without_objects_only_verified_categories_learn():
    head = roi_head(BCE, masks=False, verified_sources=["open_images"])
    images = [image(random_boxes(0, 0), [], source="open_images", neg=[4])]
    grads = class_gradients(head, images, [random_boxes(12, 4)])
    assert {j for j in range(CLASSES) if grads[j] != 0} == {4}


@pytest.mark.parametrize(
    "sources", [(), ("another",)], ids=["no_verified_sources", "another_source"]
)
def test_other_sources_teach_every_category(sources):
    objects = random_boxes(2, 1)
    head = roi_head(BCE, masks=False, verified_sources=sources)
    images = [image(objects, [0, 5], source="open_images", neg=[2])]
    assert (class_gradients(head, images, [around(objects)]) > 0).all()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)], ids=str)
def test_each_proposal_obeys_its_own_image(order):
    """Mixed batches: the loss is the plain double sum over proposals and categories."""
    objects = [random_boxes(2, 1), random_boxes(1, 2), random_boxes(2, 5)]
    of_image = [
        {"labels": [0, 5], "source": "open_images", "neg": [2]},
        {"labels": [3], "source": "lvis"},
        {"labels": [1, 1], "source": "open_images", "pos": [1, 4], "not_exhaustive": [4]},
    ]
    negatives = [{2}, set(range(CLASSES)), {1}]
    head = roi_head(BCE, masks=False, verified_sources=["open_images"])
    images = [image(objects[i], **of_image[i]) for i in order]
    found = [around(objects[i]) for i in order]

    seen = {}
    head.bbox_head.loss_cls.register_forward_hook(
        lambda _, args, kwargs, __: seen.update(logits=args[0], labels=args[1]), with_kwargs=True
    )
    loss = head.loss(features(3), proposals(*found), images)["loss_cls"]

    slots = [i for i in order for _ in range(len(objects[i]) + len(around(objects[i])))]
    expected = 0.0
    for slot, logits, label in zip(
        slots, seen["logits"].tolist(), seen["labels"].tolist(), strict=True
    ):
        for j, logit in enumerate(logits):
            score = torch.sigmoid(torch.tensor(logit, dtype=torch.float64))
            if j == label:
                expected -= score.log().item()
            elif j in negatives[slot]:
                expected -= (1 - score).log().item()
    assert loss.item() == pytest.approx(expected / len(slots), rel=1e-5)


@pytest.mark.parametrize("loss", [SOFTMAX, SEESAW, EQLV2], ids=["softmax", "seesaw", "eqlv2"])
def test_a_loss_that_cannot_leave_categories_out_is_refused(loss):
    with pytest.raises(InputError, match="cannot leave unverified categories out"):
        roi_head(loss, verified_sources=["open_images"])
    roi_head(loss, verified_sources=[])


def test_one_source_may_be_named_without_a_list():
    assert roi_head(BCE, verified_sources="open_images").verified_sources == ("open_images",)


def test_images_that_do_not_say_their_source_are_refused():
    objects = random_boxes(1, 1)
    sample = image(objects, [0])
    sample.pop("source")
    head = roi_head(BCE, masks=False, verified_sources=["open_images"])
    with pytest.raises(InputError, match="which source"):
        head.loss(features(1), proposals(around(objects)), [sample])
