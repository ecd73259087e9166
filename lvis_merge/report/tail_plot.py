"""The long tail as one curve: images per category before the merge, lifted where it added some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from lvis_merge.merge.rules import COMMON_MAX, RARE_MAX
from lvis_merge.report.frequency import GROUP_NAMES, CategoryCount
from lvis_merge.report.svg import Drawing, short_count

_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 10.0, 30.0, 44.0


def ordered_by_frequency(counts: Sequence[CategoryCount]) -> list[CategoryCount]:
    """Categories from frequent to rare: by group, then by images before the merge, then by id."""
    return sorted(counts, key=lambda c: ("fcr".index(c.group), -_before(c), c.category_id))


def tail_plot(counts: Sequence[CategoryCount], width: float, height: float, css: str) -> str:
    """Draws images per category on a log scale.

    Args:
        counts: the categories, any order.
        width: pixels.
        height: pixels.
        css: CSS class of the `svg` element.

    Returns:
        One `svg` element: an area for the counts before the merge (after it in label spaces
        without LVIS), a lifted dot for each category whose count changed, bands for the groups.
    """
    order = ordered_by_frequency(counts)
    drawing = Drawing(width, height, "Training images per category, log scale", css)
    right, bottom = width - _RIGHT, height - _BOTTOM
    highest = max((max(_before(c), c.images_after) for c in order), default=1)
    decades = max(1, math.ceil(math.log10(max(highest, 2))))
    # zero has no logarithm: it sits one third of a decade below 1
    lowest = -1 / 3
    unit = (bottom - _TOP) / (decades - lowest)
    step = (right - _LEFT) / max(len(order), 1)

    def y_of(value: float) -> float:
        return bottom - unit * ((math.log10(value) if value >= 1 else lowest) - lowest)

    _bands(drawing, order, step, bottom)
    drawing.line(_LEFT, y_of(0), right, y_of(0), "base")
    drawing.text(_LEFT - 8, y_of(0) + 4, "0", "tick", "end")
    for power in range(decades + 1):
        y = y_of(10**power)
        drawing.line(_LEFT, y, right, y, "grid")
        drawing.text(_LEFT - 8, y + 4, short_count(10**power), "tick", "end")
    for limit in (RARE_MAX, COMMON_MAX):
        if limit < 10**decades:
            drawing.line(_LEFT, y_of(limit), right, y_of(limit), "limit")

    outline = []
    for value, run in groupby(enumerate(order), key=lambda item: _before(item[1])):
        places = [place for place, _ in run]
        y = y_of(value)
        outline += [(_LEFT + step * places[0], y), (_LEFT + step * (places[-1] + 1), y)]
    if outline:
        drawing.path([(_LEFT, bottom), *outline, (right, bottom)], "area", close=True)
        drawing.path(outline, "curve")
    changed = [(i, c) for i, c in enumerate(order) if _before(c) != c.images_after]
    for place, count in changed:
        x = _LEFT + step * (place + 0.5)
        drawing.line(x, y_of(_before(count)), x, y_of(count.images_after), "lift")
    for place, count in changed:
        tip = f"{count.name} ({count.group}): {_before(count):,} → {count.images_after:,} images"
        drawing.dot(_LEFT + step * (place + 0.5), y_of(count.images_after), 2.6, "added", tip)
    drawing.upright_text(14, (_TOP + bottom) / 2, "training images (log scale)", "axis")
    known = any(c.frequency for c in order)
    long = f"{len(order):,} categories, ordered by {'LVIS frequency' if known else 'images'}"
    drawing.text((_LEFT + right) / 2, height - 8, long, "axis", "middle")
    return drawing.markup()


def _bands(drawing: Drawing, order: list[CategoryCount], step: float, bottom: float) -> None:
    """A shaded band per frequency group, its name above and its place below the axis."""
    start = 0
    for group, run in groupby(order, key=lambda count: count.group):
        size = len(list(run))
        x, width = _LEFT + step * start, step * size
        drawing.rect(x, _TOP, width, bottom - _TOP, f"band band-{group}")
        if start:
            drawing.line(x, _TOP - 22, x, bottom, "edge")
        words = f"{GROUP_NAMES[group]} · {size:,}"
        if len(words) * 7 > width:
            words = GROUP_NAMES[group] if len(GROUP_NAMES[group]) * 7 <= width else group
        drawing.text(x + width / 2, _TOP - 10, words, "band-name", "middle")
        if x + 32 < drawing.width - _RIGHT:
            drawing.text(x + 2, bottom + 15, f"{start + 1:,}", "tick")
        start += size
    drawing.text(drawing.width - _RIGHT, bottom + 15, f"{len(order):,}", "tick", "end")


def _before(count: CategoryCount) -> int:
    return count.images_after if count.images_before is None else count.images_before
