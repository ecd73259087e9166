"""Ignore regions exclude background proposals only (RPN anchors and R-CNN proposals)."""

from __future__ import annotations

import pytest

pytest.importorskip("mmdet", reason="the training stack is not installed")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmdet.models.task_modules.samplers import RandomSampler
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData

from lvis_merge.errors import InputError
from lvis_merge.training.assigners import BackgroundIgnoreAssigner, background_ignore
from tests.training.assigners.slow_rule import Box, matched, with_regions

# thresholds as in mmdet's Mask R-CNN
RPN = {"pos_iou_thr": 0.7, "neg_iou_thr": 0.3, "min_pos_iou": 0.3, "match_low_quality": True}
RCNN = {"pos_iou_thr": 0.5, "neg_iou_thr": 0.5, "min_pos_iou": 0.5, "match_low_quality": False}

OBJECT = (0.0, 0.0, 10.0, 10.0)
REGION = (0.0, 0.0, 40.0, 40.0)
ON_OBJECT = (0.0, 0.0, 10.0, 9.0)  # IoU 0.9
INSIDE = (20.0, 20.0, 30.0, 30.0)  # background, wholly in the region
HALF_IN = (35.0, 0.0, 45.0, 10.0)  # exactly half of it in the region: not above 0.5
OUTSIDE = (50.0, 50.0, 60.0, 60.0)


def tensor(boxes: list[Box]) -> torch.Tensor:
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)


def assigned(assigner, proposals, objects, regions):
    return assigner.assign(
        InstanceData(priors=tensor(proposals)),
        InstanceData(bboxes=tensor(objects), labels=torch.zeros(len(objects), dtype=torch.long)),
        None if regions is None else InstanceData(bboxes=tensor(regions)),
    )


def inds(*args) -> list[int]:
    return assigned(*args).gt_inds.tolist()


@pytest.mark.parametrize("thresholds", [RPN, RCNN], ids=["rpn", "rcnn"])
def test_regions_take_background_only(thresholds):
    proposals = [ON_OBJECT, INSIDE, HALF_IN, OUTSIDE]
    result = assigned(BackgroundIgnoreAssigner(**thresholds), proposals, [OBJECT], [REGION])
    assert result.gt_inds.tolist() == [1, -1, 0, 0]
    assert result.labels.tolist() == [0, -1, -1, -1]
    assert int(result.get_extra_property("num_ignored")) == 1


@pytest.mark.parametrize("thresholds", [RPN, RCNN], ids=["rpn", "rcnn"])
def test_regions_act_on_an_image_without_objects(thresholds):
    assigner = BackgroundIgnoreAssigner(**thresholds)
    assert inds(assigner, [ON_OBJECT, INSIDE, OUTSIDE], [], [REGION]) == [-1, -1, 0]


def test_a_low_quality_match_inside_a_region_stays_positive():
    # IoU 0.4 with the object: below pos_iou_thr, and the object's best anchor
    anchors = [(0.0, 0.0, 10.0, 4.0), INSIDE]
    assert inds(BackgroundIgnoreAssigner(**RPN), anchors, [OBJECT], [REGION]) == [1, -1]


def test_what_lies_between_the_thresholds_stays_ignored_and_is_not_counted():
    # IoU 0.5 with the object, which has a better anchor; no region near
    anchors = [OBJECT, (0.0, 0.0, 10.0, 5.0)]
    result = assigned(BackgroundIgnoreAssigner(**RPN), anchors, [OBJECT], [OUTSIDE])
    assert result.gt_inds.tolist() == [1, -1]
    assert int(result.get_extra_property("num_ignored")) == 0


@pytest.mark.parametrize(
    ("proposals", "objects", "regions", "expected"),
    [
        # no proposal at all, with and without objects
        ([], [OBJECT], [REGION], []),
        ([], [], [REGION], []),
        # no regions: not given, and given and empty
        ([INSIDE], [OBJECT], None, [0]),
        ([INSIDE], [OBJECT], [], [0]),
        ([INSIDE], [], [], [0]),
    ],
)
def test_empty_inputs(proposals, objects, regions, expected):
    assert inds(BackgroundIgnoreAssigner(**RCNN), proposals, objects, regions) == expected


def test_regions_without_fields_are_no_regions():
    result = BackgroundIgnoreAssigner(**RCNN).assign(
        InstanceData(priors=tensor([INSIDE])),
        InstanceData(bboxes=tensor([OBJECT]), labels=torch.zeros(1, dtype=torch.long)),
        InstanceData(),
    )
    assert result.gt_inds.tolist() == [0]


def test_iou_spares_small_background_inside_a_big_region():
    assigner = BackgroundIgnoreAssigner(**RCNN, ignore_metric="iou")
    # the second covers 3/4 of the region
    assert inds(assigner, [INSIDE, (0.0, 0.0, 40.0, 30.0)], [], [REGION]) == [0, -1]


@pytest.mark.parametrize(
    ("threshold", "expected"),
    # HALF_IN has an IoF of 0.5: above 0.4, not above itself; negative switches the rule off
    [(0.4, [-1, -1]), (0.5, [-1, 0]), (-1, [0, 0])],
)
def test_threshold_is_strict_and_can_be_off(threshold, expected):
    assigner = BackgroundIgnoreAssigner(**RCNN, ignore_iof_thr=threshold)
    assert inds(assigner, [INSIDE, HALF_IN], [], [REGION]) == expected


def test_regions_do_not_add_up():
    # two regions cover 0.4 of the proposal each
    regions = [(0.0, 0.0, 4.0, 10.0), (6.0, 0.0, 10.0, 10.0)]
    assert inds(BackgroundIgnoreAssigner(**RCNN), [(0.0, 0.0, 10.0, 10.0)], [], regions) == [0]


whole = st.integers(0, 12)
boxes = st.builds(
    lambda x, y, w, h: (float(x), float(y), float(x + w), float(y + h)),
    whole,
    whole,
    st.integers(1, 8),
    st.integers(1, 8),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(boxes, max_size=14),
    st.lists(boxes, max_size=4, unique=True),
    st.lists(boxes, max_size=5),
    st.sampled_from([RPN, RCNN]),
    st.sampled_from(["iof", "iou"]),
    st.sampled_from([0.0, 0.25, 0.5, 0.7]),
)
def test_equals_the_rule_box_by_box(proposals, objects, regions, thresholds, metric, threshold):
    assigner = BackgroundIgnoreAssigner(
        **thresholds, ignore_iof_thr=threshold, ignore_metric=metric
    )
    plain = matched(proposals, objects, **thresholds)
    expected = with_regions(plain, proposals, regions, metric, threshold)
    result = assigned(assigner, proposals, objects, regions)
    assert result.gt_inds.tolist() == expected
    taken = sum(a != b for a, b in zip(plain, expected, strict=True))
    assert int(result.get_extra_property("num_ignored")) == taken


def random_boxes(count: int, seed: int) -> list[Box]:
    draw = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=draw, dtype=torch.float64) * 80
    size = torch.rand(count, 2, generator=draw, dtype=torch.float64) * 30 + 1
    return [tuple(row) for row in torch.cat([corner, corner + size], 1).tolist()]


@pytest.mark.parametrize("thresholds", [RPN, RCNN], ids=["rpn", "rcnn"])
def test_without_regions_it_is_max_iou(thresholds):
    proposals, objects = random_boxes(200, 1), random_boxes(6, 2)
    ours = assigned(BackgroundIgnoreAssigner(**thresholds), proposals, objects, [])
    stock = assigned(MaxIoUAssigner(**thresholds), proposals, objects, None)
    for name in ("gt_inds", "max_overlaps", "labels"):
        assert torch.equal(getattr(ours, name), getattr(stock, name)), name


def test_many_objects_assigned_on_the_cpu_obey_the_same_rule():
    args = random_boxes(60, 3), random_boxes(5, 4), random_boxes(4, 5)
    plain = inds(BackgroundIgnoreAssigner(**RCNN), *args)
    assert -1 in plain
    assert inds(BackgroundIgnoreAssigner(**RCNN, gpu_assign_thr=2), *args) == plain


def test_comparison_is_chunked_and_sees_background_only(monkeypatch):
    objects = random_boxes(5, 7)
    args = random_boxes(300, 6) + objects, objects, random_boxes(9, 8)
    whole = inds(BackgroundIgnoreAssigner(**RCNN), *args)
    pairs = []
    overlaps = background_ignore.bbox_overlaps

    def spy(one, other, mode):
        pairs.append(len(one) * len(other))
        return overlaps(one, other, mode)

    monkeypatch.setattr(background_ignore, "bbox_overlaps", spy)
    monkeypatch.setattr(background_ignore, "_PAIRS_AT_A_TIME", 100)
    assert inds(BackgroundIgnoreAssigner(**RCNN), *args) == whole
    background = sum(found == 0 for found in inds(BackgroundIgnoreAssigner(**RCNN), *args[:2], []))
    assert len(pairs) > 1
    assert max(pairs) <= 100
    assert sum(pairs) == background * 9 < 305 * 9


def test_box_types_and_half_floats():
    proposals, objects, regions = [ON_OBJECT, INSIDE, OUTSIDE], [OBJECT], [REGION]
    result = BackgroundIgnoreAssigner(**RCNN).assign(
        InstanceData(priors=HorizontalBoxes(tensor(proposals).float())),
        InstanceData(bboxes=HorizontalBoxes(tensor(objects).float()), labels=torch.tensor([3])),
        InstanceData(bboxes=HorizontalBoxes(tensor(regions).float())),
    )
    assert result.gt_inds.tolist() == [1, -1, 0]
    # 600 x 600 pixels: the area does not fit a half float
    big = (0.0, 0.0, 600.0, 600.0)
    result = BackgroundIgnoreAssigner(**RCNN).assign(
        InstanceData(priors=tensor([big]).half()),
        InstanceData(bboxes=tensor([]).half(), labels=torch.zeros(0, dtype=torch.long)),
        InstanceData(bboxes=tensor([(0.0, 0.0, 700.0, 700.0)])),
    )
    assert result.gt_inds.tolist() == [-1]


@pytest.mark.parametrize("add_gt", [True, False])
@pytest.mark.parametrize("objects", [[OBJECT], []], ids=["objects", "no_objects"])
def test_sampler_takes_no_background_from_a_region(add_gt, objects):
    proposals = [ON_OBJECT, INSIDE, HALF_IN, OUTSIDE]
    result = assigned(BackgroundIgnoreAssigner(**RCNN), proposals, objects, [REGION])
    found = RandomSampler(num=64, pos_fraction=0.25, add_gt_as_proposals=add_gt).sample(
        result,
        InstanceData(priors=tensor(proposals)),
        InstanceData(bboxes=tensor(objects), labels=torch.zeros(len(objects), dtype=torch.long)),
    )
    positives = [tuple(box) for box in found.pos_priors.tolist()]
    # the object itself, inside the region, is a positive as well
    assert positives == ([OBJECT] * add_gt + [ON_OBJECT] if objects else [])
    outside = [HALF_IN, OUTSIDE]
    assert [tuple(box) for box in found.neg_priors.tolist()] == outside


def test_configs_name_it_with_the_arguments_of_max_iou():
    assigner = TASK_UTILS.build(
        {"type": "BackgroundIgnoreAssigner", **RPN, "gpu_assign_thr": 100, "ignore_iof_thr": 0.6}
    )
    assert assigner.background_ignore_thr == 0.6
    assert assigner.gpu_assign_thr == 100


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ignore_metric": "giou"}, "ignore_metric is 'giou'"),
        ({"ignore_iof_thr": 1.0}, "no overlap is above 1"),
        ({"ignore_wrt_candidates": False}, "ignore_wrt_candidates"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        BackgroundIgnoreAssigner(**RCNN, **options)
