"""Student's t, means with intervals, and paired differences, held to references."""

from __future__ import annotations

import math
import random

import pytest

from lvis_merge.testing.roadmap.paired import difference, estimate
from lvis_merge.testing.roadmap.student_t import central_probability, t_quantile

# Fisher and Yates, Statistical Tables, table III: two-sided 5%, and one-sided 5%
TABLED = {
    1: (12.706, 6.314), 2: (4.303, 2.920), 3: (3.182, 2.353), 4: (2.776, 2.132),
    5: (2.571, 2.015), 8: (2.306, 1.860), 10: (2.228, 1.812), 29: (2.045, 1.699),
    30: (2.042, 1.697), 40: (2.021, 1.684), 60: (2.000, 1.671), 120: (1.980, 1.658),
}  # fmt: skip


def test_the_quantiles_are_the_tabled_ones() -> None:
    found = {
        degrees: (round(t_quantile(0.975, degrees), 3), round(t_quantile(0.95, degrees), 3))
        for degrees in TABLED
    }
    assert found == TABLED


def test_the_quantiles_are_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    for degrees in (*range(1, 101), 999, 1000):
        for probability in (0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9995):
            expected = float(stats.t.ppf(probability, degrees))
            assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 12])
def test_the_probability_is_the_integral_of_the_density(degrees: int) -> None:
    """By Simpson's rule: slow, and written from the definition."""
    factor = math.gamma((degrees + 1) / 2) / math.sqrt(degrees * math.pi) / math.gamma(degrees / 2)
    steps, t = 2000, 2.3

    def density(x: float) -> float:
        return factor * (1 + x * x / degrees) ** (-(degrees + 1) / 2)

    inner = sum((4 if i % 2 else 2) * density(t * i / steps) for i in range(1, steps))
    integral = 2 * (density(0) + inner + density(t)) * t / steps / 3
    assert central_probability(t, degrees) == pytest.approx(integral, abs=1e-10)
    assert t_quantile((1 + integral) / 2, degrees) == pytest.approx(t, abs=1e-7)


def test_a_known_answer() -> None:
    found = estimate([2.0, 1.0, 3.0, 0.0])
    assert (found.count, found.mean, found.sd) == (4, 1.5, pytest.approx(math.sqrt(5 / 3)))
    assert found.interval == pytest.approx((1.5 - 2.05426, 1.5 + 2.05426), abs=1e-5)
    assert found.lower == pytest.approx(1.5 - 1.51909, abs=1e-5)
    assert found.side == 0


def test_the_estimates_are_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    draw = random.Random(0)
    for count in range(2, 40):
        first = [draw.gauss(10, 2) for _ in range(count)]
        second = [draw.gauss(9, 2) for _ in range(count)]
        found = estimate([a - b for a, b in zip(first, second, strict=True)])
        expected = stats.ttest_rel(first, second)
        assert found.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))
        one_sided = stats.ttest_rel(first, second, alternative="greater")
        assert found.lower == pytest.approx(one_sided.confidence_interval(0.95).low)
        assert (found.side != 0) == (expected.pvalue < 0.05)


def test_few_or_equal_values() -> None:
    none, one, same = estimate([]), estimate([1.5]), estimate([0.5] * 3)
    assert (none.count, none.mean, none.interval) == (0, None, None)
    assert (one.count, one.mean, one.sd, one.interval, one.lower) == (1, 1.5, None, None, None)
    # as sure as can be: the interval is a point
    assert (same.sd, same.interval, same.lower, same.side) == (0.0, (0.5, 0.5), 0.5, 1)
    assert estimate([0.0, 0.0]).side == 0


GROUPS = {"a": "A", "b": "A", "c": "B", "d": "B", "e": "C"}


def test_runs_pair_by_name_and_signs_keep_their_order() -> None:
    found = difference(
        {"e": 5.0, "c": 1.0, "b": 2.0, "a": 3.0}, {"a": 2.0, "b": 2.0, "c": 4.0, "d": 1.0}, GROUPS
    )
    # d and e are in one of the two only
    assert found.by_run == {"a": 1.0, "b": 0.0, "c": -3.0}
    assert list(found.by_run) == ["a", "b", "c"]
    assert found.signs == "+0-"
    assert [(one.group, one.estimate.count) for one in found.groups] == [("A", 2), ("B", 1)]


# differences of the runs a to e; whether clear in every group, in how many, of how many
CLEAR = {
    "above in both, one run says nothing": ((1.0, 1.1, 2.0, 2.1, -1.0), (True, 2, 2)),
    "one holds 0": ((1.0, 1.1, -2.0, 2.1, 1.0), (False, 1, 2)),
    "on either side": ((1.0, 1.1, -0.5, -0.6, 1.0), (False, 1, 2)),
    "below in both": ((-1.0, -1.1, -2.0, -2.1, 0.0), (True, 2, 2)),
    "no difference at all": ((0.0, 0.0, 0.0, 0.0, 0.0), (False, 0, 2)),
}


@pytest.mark.parametrize("case", CLEAR)
def test_clear_in_every_group(case: str) -> None:
    values, expected = CLEAR[case]
    runs = dict(zip(GROUPS, values, strict=True))
    found = difference(runs, dict.fromkeys(GROUPS, 0.0), GROUPS)
    assert (found.clear_in_every_group, found.clear, found.judged) == expected


def test_groups_of_one_run_judge_nothing() -> None:
    found = difference({"a": 1.0, "c": 2.0}, {"a": 0.0, "c": 0.0}, GROUPS)
    assert (found.clear_in_every_group, found.judged) == (None, 0)
    assert found.estimate.interval is not None
