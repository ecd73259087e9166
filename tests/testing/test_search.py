"""How parameters are chosen, on figures made up for the purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lvis_merge.testing.ensemble.parameters import Parameters
from lvis_merge.testing.ensemble.search import fit
from lvis_merge.testing.ensemble.trials import Figures


@dataclass
class MadeUp:
    """Figures by formula, in place of `Trials`."""

    formula: Callable[[Parameters], tuple[float, float]]
    experts: int = 0
    is_crowded: bool = True
    asked: list[Parameters] = field(default_factory=list)

    def figures(self, parameters: Parameters) -> Figures:
        self.asked.append(parameters)
        ap, ap_f = self.formula(parameters)
        return Figures(ap, 0.0, 0.0, ap_f)

    def at(self, offsets: tuple[float, ...]) -> MadeUp:
        return self

    def narrow(self) -> None:
        pass


def fitted(formula: Callable[[Parameters], tuple[float, float]], **options: object) -> Parameters:
    return fit(MadeUp(formula, **options))  # type: ignore[arg-type]


CASES = {
    # nothing matters: all parameters stay 0
    "flat": (lambda p: (0.3, 0.3), 0, Parameters()),
    # a smooth hill is climbed to a quarter
    "hill": (
        lambda p: (1 - (p.shift_r - 2.3) ** 2 / 99 - (p.shift_c + 1.1) ** 2 / 99, 0.3),
        0,
        Parameters(2.25, -1.0),
    ),
    # of equal ones the smallest
    "plateau from 2": (lambda p: (float(p.shift_r >= 2), 0.3), 0, Parameters(2.0, 0.0)),
    "plateau from 1.3": (lambda p: (float(p.shift_r >= 1.3), 0.3), 0, Parameters(1.5, 0.0)),
    # of equally small ones the higher
    "plateaus": (lambda p: (float(abs(p.shift_c) >= 2), 0.3), 0, Parameters(0.0, 2.0)),
    # differences below what sums in another order make are none
    "noise": (lambda p: (0.3 + 1e-12 * p.shift_r, 0.3), 0, Parameters()),
    # AP_f may fall by 0.1 of 100 …
    "just allowed": (lambda p: (p.shift_r * (p.shift_r <= 4), 0.3 - 0.00024 * p.shift_r), 0,
                     Parameters(4.0, 0.0)),
    # … and no further, however high AP is beyond
    "too dear": (lambda p: (p.shift_r, 0.3 - 0.0005 * p.shift_r), 0, Parameters(2.0, 0.0)),
    # no frequent category has ground truth: AP_f is undefined everywhere
    "no frequent": (lambda p: (-abs(p.shift_r - 1), -1.0), 0, Parameters(1.0, 0.0)),
    # each expert has an offset of its own
    "offsets": (
        lambda p: (-abs(p.offsets[0] + 3.5) - abs(p.offsets[1] - 0.75), 0.3),
        2,
        Parameters(0.0, 0.0, (-3.5, 0.75)),
    ),
    # what is best for a shift hangs on the offset, so both are tried again
    "together": (
        lambda p: (-abs(p.offsets[0] - 2) - abs(p.shift_r - p.offsets[0] / 2), 0.3),
        1,
        Parameters(1.0, 0.0, (2.0,)),
    ),
    # on a slanting ridge, again and again
    "ridge": (
        lambda p: (
            -((p.offsets[0] - 3) ** 2) - (p.shift_r - 3) ** 2
            + 1.2 * (p.offsets[0] - 3) * (p.shift_r - 3), 0.3,
        ),
        1,
        Parameters(2.75, 0.0, (2.75,)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_highest_ap_that_is_allowed(case: str) -> None:
    formula, experts, expected = CASES[case]
    assert fitted(formula, experts=experts) == expected


def test_no_shift_is_tried_where_the_cap_keeps_nothing_out() -> None:
    trials = MadeUp(lambda p: (p.shift_r, 0.3), is_crowded=False)
    assert fit(trials) == Parameters()  # type: ignore[arg-type]
    assert trials.asked == [Parameters()]


def test_nothing_is_tried_twice() -> None:
    trials = MadeUp(CASES["together"][0], experts=1)
    fit(trials)  # type: ignore[arg-type]
    assert len(trials.asked) == len(set(trials.asked)) > 20
