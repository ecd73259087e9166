"""The learning rate over a run: mmengine's schedulers, stepped through without training."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.registry import PARAM_SCHEDULERS


@dataclass(frozen=True)
class RatePoint:
    """The learning rate at one optimizer step.

    Attributes:
        step: optimizer steps done before it.
        rate: learning rate that it uses.
        why: what begins or ends there.
    """

    step: int
    rate: float
    why: str


@dataclass(frozen=True)
class RatePlan:
    """A learning-rate schedule.

    Attributes:
        base: learning rate of the optimizer, before any scheduler.
        points: where schedulers begin, end or step, in order; the last one is the last step.
    """

    base: float
    points: tuple[RatePoint, ...]


def rate_plan(
    base: float, schedulers: Sequence[dict[str, Any]], steps: int, accumulate: int
) -> RatePlan:
    """Works out a schedule; 180,000 steps take a second.

    Args:
        base: the optimizer's learning rate.
        schedulers: `param_scheduler` of a resolved config, counting batches.
        steps: optimizer steps of the run.
        accumulate: batches an optimizer step.

    Returns:
        The plan, in optimizer steps.
    """
    events: dict[int, list[str]] = {0: [], steps - 1: ["last step"]}
    for scheduler in schedulers:
        name = str(scheduler["type"])
        begin, end = scheduler.get("begin", 0), scheduler.get("end")
        events.setdefault(begin // accumulate, []).append(f"{name} begins")
        for milestone in scheduler.get("milestones", ()):
            gamma = scheduler.get("gamma", 0.1)
            events.setdefault((begin + milestone) // accumulate, []).append(f"times {gamma:g}")
        if end is not None:
            events.setdefault(end // accumulate, []).append(f"{name} ends")
    rates = _rates(base, schedulers, steps * accumulate)
    # an optimizer step uses the rate of its last batch
    points = [
        RatePoint(step, rates[(step + 1) * accumulate - 1], ", ".join(why))
        for step, why in sorted(events.items())
        if step < steps
    ]
    return RatePlan(base, tuple(points))


def _rates(base: float, schedulers: Sequence[dict[str, Any]], batches: int) -> list[float]:
    """The learning rate of every batch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    default = {"optimizer": optimizer}
    built = [PARAM_SCHEDULERS.build(dict(one), default_args=default) for one in schedulers]
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # schedulers step, and the optimizer never does
        for _ in range(batches):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            for scheduler in built:
                scheduler.step()
    return rates
