"""What the heads sample under ignore regions, and what they log of it."""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch
from mmdet.structures.bbox import bbox_overlaps

from lvis_merge.errors import InputError
from tests.training.heads.small_heads import (
    BCE,
    CLASSES,
    EQL,
    boxes,
    features,
    image,
    near,
    proposals,
    random_boxes,
    roi_head,
    rpn_head,
)

REGION = boxes([[0, 0, 40, 40]])
OBJECTS = boxes([[4, 4, 16, 16], [20, 4, 34, 20]])  # both inside the region


def inside(found):
    return bbox_overlaps(found, REGION, mode="iof")[:, 0] > 0.5


@pytest.mark.parametrize("objects", [OBJECTS, boxes([])], ids=["objects", "no_objects"])
def test_rpn_samples_no_background_anchor_in_a_region(objects):
    head = rpn_head()
    losses = head.loss(features(1), [image(objects, [0] * len(objects), regions=REGION)])
    plain = rpn_head(ignores=False)
    plain.loss(features(1), [image(objects, [0] * len(objects), regions=REGION)])
    sampled = head._raw_positive_infos["sampling_results"][0]
    unruled = plain._raw_positive_infos["sampling_results"][0]
    # every anchor is drawn: positives are the same, negatives are those outside
    assert torch.equal(sampled.pos_priors, unruled.pos_priors)
    assert torch.equal(sampled.neg_priors, unruled.neg_priors[~inside(unruled.neg_priors)])
    assert inside(unruled.neg_priors).sum() > 100
    assert len(sampled.neg_priors) > 100
    if len(objects):
        assert inside(sampled.pos_priors).all()
        assert len(sampled.pos_priors) >= len(objects)
    assert losses["rpn_num_pos"].item() == len(sampled.pos_inds)
    assert losses["rpn_num_neg"].item() == len(sampled.neg_inds)
    assert losses["rpn_num_ignored"].item() == inside(unruled.neg_priors).sum().item()


def test_roi_head_samples_no_background_proposal_in_a_region_and_counts():
    head = roi_head(BCE, masks=False)
    seen = {}
    loss_and_target = head.bbox_head.loss_and_target

    def spy(**kwargs):
        seen["sampled"] = kwargs["sampling_results"]
        return loss_and_target(**kwargs)

    head.bbox_head.loss_and_target = spy
    found = [torch.cat([near(OBJECTS, 3, 1), random_boxes(40, 2)]), random_boxes(40, 3)]
    images = [image(OBJECTS, [1, 2], regions=REGION), image(boxes([]), [], regions=REGION)]
    losses = head.loss(features(2), proposals(*found), images)
    first, second = seen["sampled"]
    taken = [inside(found[0][6:]), inside(found[1])]
    # the objects and the proposals near them lie in the region and are positives
    assert len(first.pos_priors) >= 8
    assert inside(first.pos_priors).all()
    assert not inside(first.neg_priors).any()
    assert torch.equal(second.neg_priors, found[1][~taken[1]])
    assert len(second.pos_priors) == 0
    assert losses["num_pos"].item() == len(first.pos_priors) / 2
    assert losses["num_neg"].item() == (len(first.neg_priors) + len(second.neg_priors)) / 2
    matched = len(first.pos_priors) - len(OBJECTS)
    dropped = [len(found[0]) - matched - len(first.neg_priors), int(taken[1].sum())]
    assert losses["num_ignored"].item() == sum(dropped) / 2
    assert all(count > 0 for count in dropped)


def test_counts_are_figures_for_the_log_and_no_losses():
    losses = roi_head(BCE, masks=False).loss(
        features(1), proposals(random_boxes(9, 1)), [image(boxes([]), [])]
    )
    for name in ("num_pos", "num_neg", "num_ignored"):
        assert losses[name].dtype == torch.float32
        assert "loss" not in name


def test_another_assigner_does_not_say_what_it_ignored():
    head = roi_head(BCE, masks=False, assigner="MaxIoUAssigner")
    losses = head.loss(features(1), proposals(random_boxes(9, 1)), [image(boxes([]), [])])
    assert "num_ignored" not in losses
    assert losses["num_neg"].item() == 9


def gradient_of_logits(ignored_background, regions=REGION):
    """The gradient of every proposal's logits, and which proposals are background in the region."""
    head = roi_head(EQL, masks=False, ignored_background=ignored_background)
    seen = {}
    loss = head.bbox_head.loss

    def spy(cls_score, bbox_pred, rois, labels, *args, **kwargs):
        cls_score.retain_grad()
        seen.update(score=cls_score, rois=rois, labels=labels)
        return loss(cls_score, bbox_pred, rois, labels, *args, **kwargs)

    head.bbox_head.loss = spy
    found = torch.cat([near(OBJECTS, 3, 1), random_boxes(40, 2)])
    # an object of a frequent category and one of a tail category
    losses = head.loss(features(1), proposals(found), [image(OBJECTS, [1, 4], regions=regions)])
    losses["loss_cls"].backward()
    background = seen["labels"] == CLASSES
    return seen["score"].grad, background & inside(seen["rois"][:, 1:]), background, losses


def test_ignored_background_may_still_be_negatives_of_the_tail():
    """With `tail`, background in a region teaches the tail categories alone, all else as before."""
    tail = torch.tensor([False, False, False, True, True, True])
    gradient, in_region, background, losses = gradient_of_logits("tail")
    assert in_region.sum() > 5
    assert (gradient[in_region][:, ~tail] == 0).all()
    assert (gradient[in_region][:, tail] > 0).all()
    assert (gradient[background & ~in_region] > 0).all()
    dropped, none_left, _, plain = gradient_of_logits("drop")
    assert none_left.sum() == 0
    assert len(dropped) == len(gradient) - in_region.sum()
    # the same proposals count as ignored either way
    assert losses["num_ignored"] == plain["num_ignored"] == in_region.sum()
    # without regions the option changes nothing
    free = boxes([])
    assert torch.equal(gradient_of_logits("tail", free)[0], gradient_of_logits("drop", free)[0])


@pytest.mark.parametrize(
    ("loss", "value", "message"),
    [(BCE, "tail", "has no tail"), (EQL, "half", "use 'drop' or 'tail'")],
)
def test_what_ignored_background_cannot_be(loss, value, message):
    with pytest.raises(InputError, match=message):
        roi_head(loss, masks=False, ignored_background=value)
