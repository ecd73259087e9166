"""Means with intervals, and differences between two settings that ran in pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lvis_merge.testing.roadmap.student_t import t_quantile

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean, and how well it is known.

    Attributes:
        count: of the values.
        mean: None without values.
        sd: of the sample (count - 1 in the denominator); None for fewer than two values.
        interval: two-sided 95% interval of the mean by Student's t; None likewise.
        lower: one-sided 95% lower bound of the mean; None likewise.
    """

    count: int
    mean: float | None = None
    sd: float | None = None
    interval: tuple[float, float] | None = None
    lower: float | None = None

    @property
    def side(self) -> int:
        """1 if the interval lies above 0, -1 if below, 0 if it holds 0 or there is none."""
        if self.interval is None:
            return 0
        low, high = self.interval
        return int(low > 0) - int(high < 0)


@dataclass(frozen=True)
class GroupEstimate:
    """The difference in the runs of one group."""

    group: str
    estimate: Estimate


@dataclass(frozen=True)
class Difference:
    """A setting's figure less another's, run by run.

    Attributes:
        by_run: difference by run, of the runs that both have, in order.
        estimate: over all of them.
        groups: over those of each group, groups in order of their first run.
    """

    by_run: Mapping[str, float]
    estimate: Estimate
    groups: tuple[GroupEstimate, ...]

    @property
    def signs(self) -> str:
        """A character per run: +, - or 0."""
        return "".join("+" if d > 0 else "-" if d < 0 else "0" for d in self.by_run.values())

    @property
    def judged(self) -> int:
        """How many groups have an interval."""
        return sum(one.estimate.interval is not None for one in self.groups)

    @property
    def clear(self) -> int:
        """In how many groups the interval leaves 0 out, on the side of the mean."""
        side = math.copysign(1, self.estimate.mean or 0)
        return sum(one.estimate.side == side for one in self.groups)

    @property
    def clear_in_every_group(self) -> bool | None:
        """Whether that holds in all groups with two runs or more; None if there is none."""
        return self.clear == self.judged if self.judged else None


def estimate(values: Sequence[float]) -> Estimate:
    """Mean, sample standard deviation and Student's intervals of the mean."""
    count = len(values)
    if count < 2:
        return Estimate(count, values[0] if count else None)
    mean, sd = fmean(values), stdev(values)
    error = sd / math.sqrt(count)
    two_sided = t_quantile((1 + CONFIDENCE) / 2, count - 1) * error
    one_sided = t_quantile(CONFIDENCE, count - 1) * error
    return Estimate(count, mean, sd, (mean - two_sided, mean + two_sided), mean - one_sided)


def difference(
    figures: Mapping[str, float], over: Mapping[str, float], group_of: Mapping[str, str]
) -> Difference:
    """Pairs two settings by run.

    Args:
        figures: of the setting, by run; a run without one is left out.
        over: of the one compared with, likewise.
        group_of: group by run, of all runs, in order.
    """
    by_run = {run: figures[run] - over[run] for run in group_of if run in figures and run in over}
    members: dict[str, list[float]] = {}
    for run, value in by_run.items():
        members.setdefault(group_of[run], []).append(value)
    groups = tuple(GroupEstimate(group, estimate(values)) for group, values in members.items())
    return Difference(by_run, estimate(list(by_run.values())), groups)
