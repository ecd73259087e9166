"""Scores at inference, and the bound on candidates of NMS, against plain computations."""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch
from mmdet.structures.bbox import bbox2roi

from tests.training.heads.small_heads import (
    BCE,
    CLASSES,
    EQL,
    EQLV2,
    SEESAW,
    SOFTMAX,
    features,
    image,
    proposals,
    random_boxes,
    roi_head,
)

LOSSES = {"softmax": SOFTMAX, "bce": BCE, "eql": EQL, "eqlv2": EQLV2, "seesaw": SEESAW}


def plain_scores(name, logits):
    """Class scores [N, C] from logits, written out."""
    if name == "softmax":
        return torch.softmax(logits, dim=1)[:, :CLASSES]
    if name == "seesaw":
        objectness = torch.softmax(logits[:, CLASSES:], dim=1)[:, :1]
        return torch.softmax(logits[:, :CLASSES], dim=1) * objectness
    scores = 1 / (1 + torch.exp(-logits[:, :CLASSES]))
    if name == "eqlv2":
        scores = scores * (1 - 1 / (1 + torch.exp(-logits[:, CLASSES:])))
    return scores


def plain_detections(boxes, scores, threshold, bound=None, most=300):
    """Class-wise greedy NMS at IoU 0.5 of [N, C, 4] boxes: rows (score, class, box), best first."""
    rows = [
        (scores[i, j].item(), j, boxes[i, j].tolist())
        for i in range(len(scores))
        for j in range(CLASSES)
        if scores[i, j] > threshold
    ]
    rows.sort(key=lambda row: -row[0])
    rows = rows[:bound]
    kept: list = []
    for row in rows:
        if all(row[1] != other[1] or iou(row[2], other[2]) <= 0.5 for other in kept):
            kept.append(row)
    return kept[:most]


def iou(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return both / (sum(areas) - both)


def lively(name, **options):
    """A head whose scores differ: the class layer's weights are those of a trained one."""
    head = roi_head(LOSSES[name], masks=False, **options).eval()
    draw = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in (*head.bbox_head.fc_cls.parameters(), *head.bbox_head.fc_reg.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return head


def forward(head, x, found):
    """Logits [N, …] and decoded boxes [N, C, 4] of one image."""
    rois = bbox2roi([found])
    told = head._bbox_forward(x, rois)
    coder = head.bbox_head.bbox_coder
    deltas = told["bbox_pred"].view(len(found), -1, 4)
    boxes = [coder.decode(found, deltas[:, j], max_shape=(64, 64)) for j in range(deltas.shape[1])]
    return told["cls_score"], torch.stack(boxes, dim=1).expand(-1, CLASSES, -1)


def check_same(found, expected):
    assert len(found) == len(expected)
    assert found.labels.tolist() == [row[1] for row in expected]
    assert torch.allclose(found.scores, torch.tensor([row[0] for row in expected]), rtol=1e-4)
    assert torch.allclose(found.bboxes, torch.tensor([row[2] for row in expected]), atol=1e-3)


@pytest.mark.parametrize("name", LOSSES)
@torch.no_grad()
def test_scores_are_those_that_the_loss_trains(name):
    head = lively(name)
    x, found = features(1), random_boxes(25, 4)
    logits, boxes = forward(head, x, found)
    expected = plain_detections(boxes, plain_scores(name, logits), 1e-4)
    assert len(expected) > 20
    told = head.predict(x, proposals(found), [image(random_boxes(0, 0), [])], rescale=True)
    check_same(told[0], expected)


@pytest.mark.parametrize("bound", [1, 7, 40, 10_000])
@pytest.mark.parametrize("options", [{}, {"bbox": {"reg_class_agnostic": True}}], ids=["", "one"])
@torch.no_grad()
def test_bound_takes_the_best_candidates_into_nms(bound, options):
    head = lively("bce", test={"pre_nms_topk": bound}, **options)
    x, found = features(1), random_boxes(25, 4)
    logits, boxes = forward(head, x, found)
    scores = plain_scores("bce", logits)
    expected = plain_detections(boxes, scores, 1e-4, bound)
    told = head.predict(x, proposals(found), [image(random_boxes(0, 0), [])], rescale=True)[0]
    check_same(told, expected)
    unbounded = plain_detections(boxes, scores, 1e-4)
    assert (len(expected) < len(unbounded)) == (bound < 100)


@torch.no_grad()
def test_bound_counts_each_image_alone_and_stays_below_the_threshold():
    head = lively("bce", test={"pre_nms_topk": 30, "score_thr": 0.9})
    x = features(3)
    found = [random_boxes(25, 4), random_boxes(0, 0), random_boxes(8, 6)]
    images = [image(random_boxes(0, 0), []) for _ in found]
    told = head.predict(x, proposals(*found), images, rescale=True)
    assert len(told[1]) == 0
    for slot in (0, 2):
        one = tuple(level[slot : slot + 1] for level in x)
        logits, boxes = forward(head, one, found[slot])
        expected = plain_detections(boxes, plain_scores("bce", logits), 0.9, 30)
        check_same(told[slot], expected)
        assert (told[slot].scores > 0.9).all()
