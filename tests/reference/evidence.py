"""Positive, negative and not-exhaustive categories of one Open Images image, as set algebra."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """Sorted category ids, and the MIDs that were verified both present and absent."""

    positive: list[int]
    negative: list[int]
    not_exhaustive: list[int]
    contradictory_mids: frozenset[str]


def descendants(mid: str, children: dict[str, set[str]]) -> set[str]:
    """Every MID below `mid` along `Subcategory` edges."""
    found: set[str] = set()
    waiting = [mid]
    while waiting:
        for child in children.get(waiting.pop(), set()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def evidence(
    labels: list[tuple[str, int]],
    rows: list[tuple[int, str | None]],
    categories: dict[str, int],
    children: dict[str, set[str]],
    events: Counter[str],
) -> Evidence:
    """The three lists of one image.

    Args:
        labels: (MID, 1 or 0) of the image's good label rows.
        rows: (category, ignore reason or None for an object) of its good rows of mapped MIDs.
        categories: mapped MID -> category.
        children: MID -> MIDs one `Subcategory` edge below.
        events: counts which rules were met.
    """
    ones = {mid for mid, confidence in labels if confidence == 1}
    zeros = {mid for mid, confidence in labels if confidence == 0}
    contradictory = ones & zeros
    present = ones - contradictory
    absent = zeros - contradictory

    any_box = {category for category, _ in rows}
    with_object = {category for category, reason in rows if reason is None}
    with_group = {category for category, reason in rows if reason == "group_of"}

    verified = {categories[mid] for mid in present if mid in categories}
    positive = verified | with_object | with_group

    denied_mids = set(absent)
    for mid in absent:
        denied_mids |= descendants(mid, children)
    denied = {categories[mid] for mid in denied_mids if mid in categories}
    negative = denied - positive - any_box

    not_exhaustive = with_group | (positive - with_object)

    events["evidence: contradictory label"] += len(contradictory)
    events["evidence: contradictory label denied by its ancestor"] += len(
        {categories[mid] for mid in contradictory & denied_mids if mid in categories} & negative
    )
    events["evidence: negative by an ancestor"] += len(
        negative - {categories[mid] for mid in absent if mid in categories}
    )
    events["evidence: negative removed by positive"] += len(denied & positive)
    events["evidence: negative removed by a box row"] += len((denied - positive) & any_box)
    events["evidence: positive by label only"] += len(verified - any_box)
    events["evidence: not exhaustive by group_of with object"] += len(with_group & with_object)
    events["evidence: not exhaustive without object"] += len(positive - with_object - with_group)
    return Evidence(
        sorted(positive), sorted(negative), sorted(not_exhaustive), frozenset(contradictory)
    )
