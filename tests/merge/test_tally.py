"""What became of every row: in = kept + dropped + rejected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.rules import DROP_RULES
from lvis_merge.merge.tally import KEPT, Tally, first_rule, total

MASKS = st.integers(0, 8).flatmap(
    lambda rows: st.tuples(
        st.just(rows),
        st.dictionaries(
            st.sampled_from(DROP_RULES), st.lists(st.booleans(), min_size=rows, max_size=rows)
        ),
        st.lists(st.integers(0, 5), min_size=rows, max_size=rows),
        st.integers(0, 9),
    )
)


@given(MASKS)
@settings(max_examples=200, deadline=None)
def test_each_row_meets_the_first_of_its_rules(
    case: tuple[int, dict[str, list[bool]], list[int], int],
) -> None:
    """Rule: the order of the rules is fixed, whatever the order they are given in; sums hold."""
    rows, masks, weights, rejected = case
    codes = first_rule(rows, {name: np.array(mask, bool) for name, mask in masks.items()})
    met = [
        next((rule for rule in DROP_RULES if masks.get(rule, [False] * rows)[row]), None)
        for row in range(rows)
    ]
    assert [None if code == KEPT else DROP_RULES[code] for code in codes] == met
    for weight in (None, weights):
        tally = Tally.of(codes, rejected, None if weight is None else np.array(weight, int))
        each = [1] * rows if weight is None else weight
        assert tally.kept == sum(n for n, rule in zip(each, met, strict=True) if rule is None)
        for rule in DROP_RULES:
            lost = sum(n for n, name in zip(each, met, strict=True) if name == rule)
            assert tally.dropped.get(rule, 0) == lost
        assert 0 not in tally.dropped.values()
        assert tally.rows_in == sum(each) + rejected


def test_the_order_of_the_rules_is_that_of_the_contract() -> None:
    """Rule: section 3, `rejects`."""
    assert DROP_RULES == (
        "not_on_an_lvis_image", "holdout", "excluded", "rotation", "id_collision",
        "not_a_candidate", "not_selected", "correction", "option",
    )  # fmt: skip


def test_tallies_add_up() -> None:
    """Rule: `dropped` holds only rules that met a row, in the order of the rules."""
    parts = [
        Tally(3, {"option": 1, "holdout": 2}, 4),
        Tally(1, {"holdout": 5, "excluded": 1}, 0),
        Tally(),
    ]
    added = total(parts)
    assert added == Tally(4, {"holdout": 7, "excluded": 1, "option": 1}, 4)
    assert list(added.dropped) == ["holdout", "excluded", "option"]
    assert added.rows_in == sum(part.rows_in for part in parts) == 17
    assert total([]) == Tally()


@pytest.mark.parametrize("rows", [0, 3])
def test_without_rules_every_row_is_kept(rows: int) -> None:
    """Rule: no rule, no loss."""
    assert Tally.of(first_rule(rows, {}), 0) == Tally(rows, {}, 0)
