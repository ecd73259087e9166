"""AP of each category against its training images, as an SVG picture that stands alone."""

from __future__ import annotations

import math
from pathlib import PurePath

from lvis_merge.evaluation.scores import Evaluation, Scores
from lvis_merge.evaluation.table import KIND_NAMES, percent
from lvis_merge.merge.rules import COMMON_MAX, RARE_MAX
from lvis_merge.report.frequency import GROUP_NAMES
from lvis_merge.report.svg import Drawing, short_count

_WIDTH, _PANEL, _TOP, _LEFT, _RIGHT, _BOTTOM = 900.0, 340.0, 62.0, 58.0, 18.0, 46.0
_ZERO = -1 / 3
"""Where 0 images are drawn, in decades: zero has no logarithm."""

_LEGEND = 180.0
_MARGIN = 0.04
"""Left and right of the outermost categories, in decades."""

_STYLE = """<style>
svg { background: #ffffff; font-family: system-ui, "Helvetica Neue", Arial, sans-serif; }
.title { font-size: 15px; font-weight: 600; fill: #1a1f24; }
.axis { font-size: 12px; fill: #48525c; } .tick { font-size: 11px; fill: #6a747e; }
.name { font-size: 12.5px; font-weight: 600; } .name-r { fill: #a84300; }
.name-c { fill: #005a8c; } .name-f { fill: #00664a; } .name- { fill: #48525c; }
.grid { stroke: #e4e8ec; } .limit { stroke: #9aa4ae; stroke-dasharray: 3 3; }
.mark { fill-opacity: 0.55; } .group-r { fill: #d55e00; } .group-c { fill: #0072b2; }
.group-f { fill: #ffffff; fill-opacity: 0.2; stroke: #009e73; stroke-width: 1.4; }
.group- { fill: #6a747e; }
.mean { stroke-width: 2.5; } .mean-r { stroke: #d55e00; } .mean-c { stroke: #0072b2; }
.mean-f { stroke: #009e73; } .mean- { stroke: #6a747e; }
</style>"""
# Okabe and Ito's colours, which colour-blind readers tell apart; the shapes say it again.


def ap_plot(evaluation: Evaluation) -> str:
    """Draws the categories that have ground truth and a number of training images.

    Args:
        evaluation: a panel for boxes, one for masks, as far as they were scored.

    Returns:
        An SVG document: a mark per category, a line at each group's mean.
    """
    height = _PANEL * len(evaluation.scores) + 4
    label = f"AP of each category against its training images: {evaluation.results}"
    drawing = Drawing(_WIDTH, height, label)
    every = [one for scores in evaluation.scores for one in scores.categories]
    decades = math.log10(max((one.training_images or 0 for one in every), default=0) or 10)
    for place, scores in enumerate(evaluation.scores):
        name = PurePath(evaluation.results).name
        title = f"{name}: AP of {KIND_NAMES[scores.kind]} by category"
        _panel(drawing, scores, _PANEL * place, decades, title)
    return standalone(drawing, _STYLE)


def standalone(drawing: Drawing, style: str) -> str:
    """An SVG document of a drawing, which by itself is part of a page.

    Args:
        drawing: the picture.
        style: a `style` element for its classes.
    """
    markup = drawing.markup()
    start = markup.index(">") + 1
    opening = markup[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{opening}{style}{markup[start:]}\n"


def _panel(drawing: Drawing, scores: Scores, top: float, decades: float, title: str) -> None:
    left, right = _LEFT, _WIDTH - _RIGHT
    upper, lower = top + _TOP, top + _PANEL - _BOTTOM
    unit = (right - left) / (decades - _ZERO + 2 * _MARGIN)

    def x_of(images: float) -> float:
        return left + unit * ((math.log10(images) if images >= 1 else _ZERO) - _ZERO + _MARGIN)

    def y_of(ap: float) -> float:
        return lower - (lower - upper) * ap

    drawn = [
        (one, one.training_images)
        for one in scores.categories
        if one.ap >= 0 and one.training_images is not None
    ]
    drawing.text(left, top + 22, title, "title")
    for step in range(0, 101, 20):
        drawing.line(left, y_of(step / 100), right, y_of(step / 100), "grid")
        drawing.text(left - 8, y_of(step / 100) + 4, f"{step}", "tick", "end")
    drawing.text(x_of(0), lower + 16, "0", "tick", "middle")
    for power in range(math.floor(decades) + 1):
        x = x_of(10**power)
        drawing.line(x, lower, x, lower + 4, "grid")
        drawing.text(x, lower + 16, short_count(10**power), "tick", "middle")
    for limit in (RARE_MAX, COMMON_MAX):
        if limit < 10**decades:
            # between the last count of a group and the first of the next
            drawing.line(x_of(limit + 0.5), upper, x_of(limit + 0.5), lower, "limit")
    for one, images in drawn:
        tip = (
            f"{one.name}: AP {percent(one.ap)}, {images:,} training images, {one.objects:,} objects"
        )
        _mark(drawing, x_of(images), y_of(one.ap), one.frequency or "", tip)
    legend = left + 6
    for group in ("r", "c", "f", ""):
        members = [(x_of(n), one.ap) for one, n in drawn if (one.frequency or "") == group]
        if members:
            mean = sum(ap for _, ap in members) / len(members)
            start, end = min(x for x, _ in members) - 6, max(x for x, _ in members) + 6
            drawing.line(start, y_of(mean), end, y_of(mean), f"mean mean-{group}")
            _mark(drawing, legend, upper - 16, group)
            words = f"{GROUP_NAMES.get(group, 'all')}: mean {percent(mean)}"
            drawing.text(legend + 9, upper - 12, words, f"name name-{group}")
            legend += _LEGEND
    missing = len(scores.categories) - len(drawn)
    words = "training images of the category (log scale)"
    if missing:
        words += f"; {missing:,} categories without ground truth or count are not drawn"
    drawing.text((left + right) / 2, lower + 36, words, "axis", "middle")
    drawing.upright_text(14, (upper + lower) / 2, "AP × 100", "axis")


def _mark(drawing: Drawing, x: float, y: float, group: str, tip: str = "") -> None:
    """A category: a disc if rare, a square if common, a ring if frequent."""
    css = f"mark group-{group}"
    if group == "c":
        drawing.rect(x - 2.8, y - 2.8, 5.6, 5.6, css, tip)
    else:
        drawing.dot(x, y, 3.2, css, tip)
