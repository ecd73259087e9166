"""Box-only objects train the box head; the mask loss and its gradient are of masked ones alone."""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from mmdet.structures.bbox import bbox2roi

from lvis_merge.errors import InputError
from tests.training.heads.small_heads import (
    BCE,
    features,
    gradients,
    image,
    near,
    proposals,
    random_boxes,
    roi_head,
    total,
)

LABELS = [[0, 3, 5, 2], [1, 4]]
HAS_MASK = [[True, False, True, False], [False, True]]


def batch(polygons=False, has_mask=HAS_MASK):
    """Two images, objects with and without masks in turn, proposals near all of them."""
    objects = [random_boxes(4, 1), random_boxes(2, 2)]
    images = [
        image(found, labels, has_mask=has, polygons=polygons)
        for found, labels, has in zip(objects, LABELS, has_mask, strict=True)
    ]
    found = [torch.cat([near(one, 3, 7), random_boxes(10, 8)]) for one in objects]
    return images, found


def mask_gradients(head, x, found, images):
    """The mask loss and its gradient on the mask head and the feature maps."""
    loss = head.loss(x, proposals(*found), images)["loss_mask"].mean()
    head.zero_grad()
    inputs = torch.autograd.grad(loss, x, retain_graph=True)
    loss.backward()
    return loss.detach(), gradients(head.mask_head), inputs


def masked_alone(images, found):
    """The same images without the box-only objects and the proposals matched to them."""
    kept_images, kept_found = [], []
    for sample, boxes in zip(images, found, strict=True):
        has = sample.gt_instances.has_mask
        overlap = pairwise_iou(boxes, sample.gt_instances.bboxes)
        best, owner = overlap.max(dim=1)
        kept_found.append(boxes[~((best >= 0.5) & ~has[owner])])
        alone = sample.clone()
        alone.gt_instances = sample.gt_instances[has]
        kept_images.append(alone)
    return kept_images, kept_found


def pairwise_iou(one, other):
    low = torch.maximum(one[:, None, :2], other[None, :, :2])
    high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    both = (high - low).clamp(min=0).prod(dim=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(dim=1) for b in (one, other)]
    return both / (areas[0][:, None] + areas[1][None] - both)


@pytest.mark.parametrize("agnostic", [False, True], ids=["by_class", "class_agnostic"])
@pytest.mark.parametrize("polygons", [False, True], ids=["bitmaps", "polygons"])
def test_gradient_is_exactly_that_without_box_only_objects(agnostic, polygons):
    head = roi_head(BCE, mask={"class_agnostic": agnostic})
    images, found = batch(polygons)
    alone_images, alone_found = masked_alone(images, found)
    assert sum(map(len, alone_found)) < sum(map(len, found))
    loss, grads, inputs = mask_gradients(head, features(2), found, images)
    alone_loss, alone_grads, alone_inputs = mask_gradients(
        head, features(2), alone_found, alone_images
    )
    assert loss > 0
    assert torch.equal(loss, alone_loss)
    for name, value in alone_grads.items():
        assert value.abs().sum() > 0, name
        assert torch.equal(grads[name], value), name
    assert all(map(torch.equal, inputs, alone_inputs))


@pytest.mark.parametrize("agnostic", [False, True], ids=["by_class", "class_agnostic"])
@pytest.mark.parametrize(
    "has_mask",
    # both images have box-only objects; one; all of one image's are
    [HAS_MASK, [HAS_MASK[0], [True, True]], [HAS_MASK[0], [False, False]]],
    ids=["some", "one_image", "a_whole_image"],
)
def test_mask_loss_by_hand(agnostic, has_mask):
    """The mean cross-entropy over the pixels of the positives that have a mask, one at a time."""
    head = roi_head(BCE, mask={"class_agnostic": agnostic})
    images, found = batch(has_mask=has_mask)
    x = features(2)
    terms = []
    for slot, (sample, boxes) in enumerate(zip(images, found, strict=True)):
        objects = sample.gt_instances
        # the sampler adds the objects to the proposals
        candidates = torch.cat([objects.bboxes, boxes])
        best, owner = pairwise_iou(candidates, objects.bboxes).max(dim=1)
        for row in (best >= 0.5).nonzero().flatten().tolist():
            of = int(owner[row])
            if not objects.has_mask[of]:
                continue
            own = candidates[row : row + 1]
            roi = bbox2roi([own[:0]] * slot + [own])
            logits = head.mask_head(head.mask_roi_extractor(x, roi))[0]
            crop = objects.masks.crop_and_resize(own.numpy(), (8, 8), np.array([of]), "cpu")
            channel = 0 if agnostic else int(objects.labels[of])
            terms.append(
                F.binary_cross_entropy_with_logits(
                    logits[channel], torch.from_numpy(crop.masks[0]).float()
                )
            )
    expected = torch.stack(terms).mean()
    loss = head.loss(x, proposals(*found), images)["loss_mask"].mean()
    assert len(terms) >= 8
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for one, other in zip(
        torch.autograd.grad(loss, head.mask_head.parameters()),
        torch.autograd.grad(expected, head.mask_head.parameters()),
        strict=True,
    ):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-7)


def test_shared_extractor_takes_the_rows_of_masked_objects():
    images, found = batch()
    head = roi_head(BCE, shared_extractor=True)
    alone = masked_alone(images, found)
    loss, grads, inputs = mask_gradients(head, features(2), found, images)
    alone_loss, alone_grads, alone_inputs = mask_gradients(head, features(2), alone[1], alone[0])
    # the box head's feature rows are others, so the last bits may be
    assert torch.allclose(loss, alone_loss, rtol=1e-5)
    for name, value in alone_grads.items():
        assert torch.allclose(grads[name], value, rtol=1e-4, atol=1e-7), name
    for one, other in zip(inputs, alone_inputs, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-7)


def test_box_head_learns_box_only_objects():
    images, found = batch()
    masked_images, _ = batch(has_mask=[[True] * 4, [True] * 2])
    head = roi_head(BCE)
    losses = head.loss(features(2), proposals(*found), images)
    every = head.loss(features(2), proposals(*found), masked_images)
    for name in ("loss_cls", "loss_bbox", "num_pos", "num_neg"):
        assert torch.equal(losses[name], every[name]), name
    assert not torch.equal(losses["loss_mask"], every["loss_mask"])


@pytest.mark.parametrize("shared", [False, True], ids=["own_extractor", "shared_extractor"])
def test_no_mask_at_all_is_a_zero_attached_to_the_mask_head(shared):
    images, found = batch(has_mask=[[False] * 4, [False] * 2])
    head = roi_head(BCE, shared_extractor=shared)
    losses = head.loss(features(2), proposals(*found), images)
    assert losses["loss_mask"].item() == 0
    total(losses).backward()
    for name, value in gradients(head.mask_head).items():
        assert value is not None, name
        assert not value.any(), name
    assert gradients(head.bbox_head)["fc_cls.weight"].any()


def test_a_pipeline_without_masks_is_told():
    images, found = batch()
    for sample in images:
        del sample.gt_instances.masks
    with pytest.raises(InputError, match="with_mask=True"):
        roi_head(BCE).loss(features(2), proposals(*found), images)
    # a head without mask branch wants none
    assert "loss_mask" not in roi_head(BCE, masks=False).loss(
        features(2), proposals(*found), images
    )
