"""Fits the parameters of an ensemble: the highest box AP that does not cost frequent categories.

A coarse grid, then steps that halve: both shifts together, then each expert's offset with the
others held, and again from there until nothing changes. AP is a staircase in every parameter, so no
gradient helps; the result is the best of what was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

import msgspec

from lvis_merge.testing.ensemble.parameters import Parameters
from lvis_merge.testing.ensemble.trials import Figures, Trials

AP_F_LOSS = 0.001
"""What AP_f may lose against all parameters 0: 0.1 of 100."""

SHIFTS = (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0)
OFFSETS = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
STEPS = (1.0, 0.5, 0.25)
_ROUNDS = 3
_DIGITS = 9
"""AP to so many digits is equal: sums in another order differ by less."""


def fit(trials: Trials, tell: Callable[[int], None] = lambda steps: None) -> Parameters:
    """Finds the parameters.

    AP is maximised subject to AP_f >= AP_f(all 0) - 0.001; of equal ones the smallest |b| wins.

    Args:
        trials: a set of images.
        tell: called with 1 after each trial.

    Returns:
        All 0 where nothing else is better.
    """
    search = _Search(trials, tell)
    search.shifts(coarse=True)
    for number in range(_ROUNDS if trials.experts else 0):
        before = search.best
        for expert in range(trials.experts):
            search.offset(expert, coarse=number == 0)
        if search.best == before:
            break
        search.shifts(coarse=number == 0)
    return search.best


class _Search:
    """The best parameters so far."""

    def __init__(self, trials: Trials, tell: Callable[[int], None]) -> None:
        self._trials = trials
        self._tell = tell
        self._known: dict[Parameters, Figures] = {}
        self.best = Parameters.nothing(trials.experts)
        self._floor = self._figures(self.best).ap_f - AP_F_LOSS
        self._rank = self._ranked(self.best)

    def offset(self, number: int, *, coarse: bool) -> None:
        """Moves one expert's offset, from where it is or from the best of a coarse grid."""

        def moved(by: float) -> Parameters:
            values = list(self.best.offsets)
            values[number] = by
            return msgspec.structs.replace(self.best, offsets=tuple(values))

        if coarse:
            self._try([moved(value) for value in OFFSETS])
        for step in STEPS:
            while self._try([moved(self.best.offsets[number] + by) for by in (-step, step)]):
                pass

    def shifts(self, *, coarse: bool) -> None:
        """Moves both shifts, likewise."""
        trial = self._trials.at(self.best.offsets)
        if not trial.is_crowded:
            return
        trial.narrow()

        def moved(r: float, c: float) -> Parameters:
            return msgspec.structs.replace(self.best, shift_r=r, shift_c=c)

        if coarse:
            self._try([moved(r, c) for r, c in product(SHIFTS, SHIFTS)])
        for step in STEPS:
            around = list(product((-step, 0.0, step), repeat=2))
            while self._try(
                [moved(self.best.shift_r + r, self.best.shift_c + c) for r, c in around]
            ):
                pass

    def _try(self, candidates: Iterable[Parameters]) -> bool:
        """Takes the best of some if it beats what there is."""
        before = self.best
        for candidate in candidates:
            rank = self._ranked(candidate)
            if rank > self._rank:
                self.best, self._rank = candidate, rank
        return self.best != before

    def _ranked(self, candidate: Parameters) -> tuple[bool, float, float, Parameters]:
        """Higher is better; the last decides between equals, so that the order tried does not."""
        figures = self._figures(candidate)
        allowed = figures.ap_f >= self._floor
        return allowed, round(figures.ap, _DIGITS), -candidate.size, candidate

    def _figures(self, candidate: Parameters) -> Figures:
        if candidate not in self._known:
            self._known[candidate] = self._trials.figures(candidate)
            self._tell(1)
        return self._known[candidate]
