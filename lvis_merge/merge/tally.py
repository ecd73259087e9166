"""What became of every input row: in = kept + dropped + rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lvis_merge.merge.rules import DROP_RULES

KEPT = len(DROP_RULES)
"""Code of a row that no rule leaves out; other codes are places in `DROP_RULES`."""


def first_rule(rows: int, rules: dict[str, np.ndarray]) -> np.ndarray:
    """The first rule that each row meets.

    Args:
        rows: N.
        rules: rule -> bool [N], in any order.

    Returns:
        int8 [N], place in `DROP_RULES`, or `KEPT`.
    """
    code = np.full(rows, KEPT, dtype=np.int8)
    for place in reversed(range(len(DROP_RULES))):
        mask = rules.get(DROP_RULES[place])
        if mask is not None:
            code[mask] = place
    return code


@dataclass(frozen=True)
class Tally:
    """Rows of one source and kind.

    Attributes:
        kept: rows in the manifest.
        dropped: rule -> rows left out by it.
        rejected: bad rows.
    """

    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    rejected: int = 0

    @classmethod
    def of(cls, codes: np.ndarray, rejected: int, weights: np.ndarray | None = None) -> Tally:
        """Counts codes of `first_rule`, each row `weights` times."""
        totals = np.bincount(codes, weights=weights, minlength=KEPT + 1).astype(np.int64)
        dropped = {DROP_RULES[i]: int(n) for i, n in enumerate(totals[:KEPT]) if n}
        return cls(int(totals[KEPT]), dropped, rejected)

    def __add__(self, other: Tally) -> Tally:
        dropped = {
            rule: self.dropped.get(rule, 0) + other.dropped.get(rule, 0)
            for rule in DROP_RULES
            if rule in self.dropped or rule in other.dropped
        }
        return Tally(self.kept + other.kept, dropped, self.rejected + other.rejected)

    @property
    def rows_in(self) -> int:
        """All rows."""
        return self.kept + sum(self.dropped.values()) + self.rejected


def total(tallies: Sequence[Tally]) -> Tally:
    """Sum of tallies."""
    return sum(tallies, Tally())
