"""The learning rate that a dry run shows is the one that training uses."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lvis_merge.training.recipe.batch import in_batches
from lvis_merge.training.recipe.rate import rate_plan

WARM_UP = {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "begin": 0, "end": 10}
STEPS = {"type": "MultiStepLR", "by_epoch": False, "milestones": [20, 26], "gamma": 0.1}
COSINE = {
    "type": "CosineAnnealingLR",
    "by_epoch": False,
    "begin": 10,
    "end": 30,
    "T_max": 20,
    "eta_min": 0.02,
}


def in_tree(schedulers: list[dict[str, Any]], accumulate: int) -> list[dict[str, Any]]:
    tree = {"train_cfg": {}, "param_scheduler": schedulers, "optim_wrapper": {}}
    found: list[dict[str, Any]] = in_batches(tree, accumulate)["param_scheduler"]
    return found


@pytest.mark.parametrize("accumulate", [1, 4])
def test_warm_up_and_steps(accumulate: int) -> None:
    schedulers = in_tree([WARM_UP, STEPS], accumulate)
    plan = rate_plan(0.2, schedulers, 30, accumulate)
    assert plan.base == 0.2
    assert [(point.step, point.why) for point in plan.points] == [
        (0, "LinearLR begins, MultiStepLR begins"),
        (10, "LinearLR ends"),
        (20, "times 0.1"),
        (26, "times 0.1"),
        (29, "last step"),
    ]
    rates = [point.rate for point in plan.points]
    assert rates[1:] == pytest.approx([0.2, 0.02, 0.002, 0.002])
    # with accumulation the first step's last batch is some way up
    batches = 10 * accumulate
    first = 0.1 + 0.9 * (accumulate - 1) / (batches - 1)
    assert rates[0] == pytest.approx(0.2 * first)


def test_any_scheduler_of_mmengine() -> None:
    plan = rate_plan(0.2, [WARM_UP, COSINE], 30, 1)
    assert [(point.step, point.why) for point in plan.points] == [
        (0, "LinearLR begins"),
        (10, "LinearLR ends, CosineAnnealingLR begins"),
        (29, "last step"),
    ]
    # Loshchilov and Hutter 2017, equation 5, one batch before its end
    last = 0.02 + (0.2 - 0.02) * (1 + math.cos(math.pi * 19 / 20)) / 2
    assert [point.rate for point in plan.points] == pytest.approx([0.02, 0.2, last], rel=1e-6)


def test_a_run_that_ends_before_its_schedule() -> None:
    plan = rate_plan(0.2, [WARM_UP, STEPS], 5, 1)
    assert [point.step for point in plan.points] == [0, 4]


def test_no_schedulers() -> None:
    (first, last) = rate_plan(0.2, [], 5, 1).points
    assert (first.step, first.rate, last.step, last.rate) == (0, 0.2, 4, 0.2)
