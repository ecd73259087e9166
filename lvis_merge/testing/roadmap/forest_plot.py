"""An experiment as an SVG picture that stands alone: what each setting brought, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lvis_merge.evaluation.plot import standalone
from lvis_merge.report.svg import Drawing, shortened
from lvis_merge.testing.roadmap.experiment import Experiment
from lvis_merge.testing.roadmap.experiment_notes import KIND_NAMES
from lvis_merge.testing.roadmap.forest_marks import (
    STYLE,
    draw_legend,
    legend_lines,
    mean_mark,
    published_mark,
    run_mark,
)
from lvis_merge.testing.roadmap.paired import Difference

_FIGURES = ("AP_r", "AP")
_LEFT, _NAMES, _PANELS, _GAP, _RIGHT = 16.0, 230.0, 620.0, 30.0, 24.0
_WIDTH = _NAMES + _PANELS + _GAP + _RIGHT
_LEGEND, _TOP, _BOTTOM = 50.0, 98.0, 54.0
_MEAN, _FIRST_LANE, _LANE = 24.0, 40.0, 10.0
"""From a line's top to its mean and to the runs of the first group, and between groups."""

_NARROWEST = 0.45
"""Span of the narrower panel, as a part of the wider one's."""

_MARGIN = 0.08
"""Left and right of the outermost marks, as a part of the span."""

_MOST_TICKS, _LETTERS = 12, 32
_STYLE = f"""<style>
svg {{ background: #ffffff; font-family: system-ui, "Helvetica Neue", Arial, sans-serif; }}
.title {{ font-size: 15px; font-weight: 600; fill: #1a1f24; }}
.panel {{ font-size: 13px; font-weight: 600; fill: #1a1f24; }}
.name {{ font-size: 12.5px; fill: #1a1f24; }} .note {{ font-size: 11.5px; fill: #5a646e; }}
.axis {{ font-size: 12px; fill: #48525c; }} .tick {{ font-size: 11px; fill: #5a646e; }}
.grid {{ stroke: #e4e8ec; }} .row {{ stroke: #d4dae0; }}
.zero {{ stroke: #48525c; stroke-width: 1.4; }}
.interval {{ stroke: #1a1f24; stroke-width: 2.4; }} .mean {{ fill: #1a1f24; }}
.value {{ font-size: 11px; font-weight: 600; fill: #1a1f24; }}
.value {{ paint-order: stroke; stroke: #ffffff; stroke-width: 3; }}
{STYLE}</style>"""


@dataclass(frozen=True)
class _Row:
    """One comparison in one panel."""

    name: str
    found: Difference
    published: float | None

    def values(self) -> list[float]:
        """All that is drawn of it, and 0."""
        published = [] if self.published is None else [self.published]
        return [0.0, *self.found.by_run.values(), *(self.found.estimate.interval or ()), *published]


@dataclass(frozen=True)
class _Panel:
    """Where a panel lies, and its scale."""

    left: float
    right: float
    low: float
    unit: float

    def x_of(self, value: float) -> float:
        """From points of AP to pixels."""
        return self.left + self.unit * (value - self.low)


def forest_plot(experiment: Experiment) -> str:
    """Draws the paired differences of federated AP_r and AP.

    Returns:
        An SVG document, a line per comparison: the mean with its 95% interval, below it a mark per
        run in a lane per group, and a ring at the published gain. A point of AP is as wide in both
        panels, so that gains compare.
    """
    groups = list(dict.fromkeys(run.group for run in experiment.runs))
    rows = {figure: _rows(experiment, figure) for figure in _FIGURES}
    legend_width = _WIDTH - _LEFT - _RIGHT
    top = _TOP + 20 * len(legend_lines(groups, legend_width))
    line = _FIRST_LANE + _LANE * len(groups)
    bottom = top + line * max(len(experiment.comparisons), 1)
    drawing = Drawing(_WIDTH, bottom + _BOTTOM, f"{experiment.title}: differences of paired runs")
    title = f"{experiment.title}: what each setting brought, in paired runs"
    drawing.text(_LEFT, 24, shortened(title, 100), "title")
    published = any(row.published is not None for panel in rows.values() for row in panel)
    draw_legend(drawing, groups, _LEFT, _LEGEND, legend_width, published)
    spans = [_span(panel) for panel in rows.values()]
    panels = _panels(spans)
    step = _step(max(high - low for low, high in spans))
    for figure, panel in zip(_FIGURES, panels, strict=True):
        _axis(drawing, panel, step, top, bottom)
        middle = (panel.left + panel.right) / 2
        drawing.text(middle, top - 12, f"federated {figure}", "panel", "middle")
        words = f"points of {KIND_NAMES[experiment.kind]} AP"
        drawing.text(middle, bottom + 40, words, "axis", "middle")
    _names(drawing, experiment, top, line)
    group_of = {run.name: groups.index(run.group) for run in experiment.runs}
    for figure, panel in zip(_FIGURES, panels, strict=True):
        for place, row in enumerate(rows[figure]):
            _marks(drawing, row, group_of, top + line * place, panel)
    return standalone(drawing, _STYLE)


def _rows(experiment: Experiment, figure: str) -> list[_Row]:
    return [
        _Row(
            f"{setting.name} over {over.name}: {figure}",
            experiment.difference(setting, over, "federated", figure),
            experiment.published_gain(setting, over, figure),
        )
        for setting, over in experiment.comparisons
    ]


def _span(rows: Sequence[_Row]) -> tuple[float, float]:
    """What is drawn and 0, with margins."""
    values = [value for row in rows for value in row.values()] or [0.0]
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _panels(spans: Sequence[tuple[float, float]]) -> list[_Panel]:
    """Side by side, with one scale."""
    narrowest = _NARROWEST * max(high - low for low, high in spans)
    wide = [max(high - low, narrowest) for low, high in spans]
    unit = _PANELS / sum(wide)
    found, left = [], _NAMES
    for (low, high), span in zip(spans, wide, strict=True):
        found.append(_Panel(left, left + unit * span, (low + high - span) / 2, unit))
        left += unit * span + _GAP
    return found


def _step(span: float) -> float:
    """Between ticks: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(span / _MOST_TICKS))
    return next(m * power for m in (1, 2, 5, 10) if span <= m * power * _MOST_TICKS)


def _axis(drawing: Drawing, panel: _Panel, step: float, top: float, bottom: float) -> None:
    high = panel.low + (panel.right - panel.left) / panel.unit
    for count in range(math.ceil(panel.low / step), math.floor(high / step) + 1):
        x = panel.x_of(count * step)
        drawing.line(x, top - 4, x, bottom, "grid" if count else "zero")
        words = f"{count * step:+.3g}" if count else "0"
        drawing.text(x, bottom + 18, words, "tick", "middle")


def _names(drawing: Drawing, experiment: Experiment, top: float, line: float) -> None:
    for place, (setting, over) in enumerate(experiment.comparisons):
        y = top + line * place
        drawing.line(_LEFT, y + line, _WIDTH - _RIGHT, y + line, "row")
        for words, below, css in ((setting.name, 27, "name"), (f"over {over.name}", 43, "note")):
            drawing.text(_LEFT, y + below, shortened(words, _LETTERS), css, tip=words)
    if not experiment.comparisons:
        drawing.text(_LEFT, top + 27, "no comparison", "note")


def _marks(
    drawing: Drawing, row: _Row, group_of: Mapping[str, int], y: float, panel: _Panel
) -> None:
    found = row.found.estimate
    for name, value in row.found.by_run.items():
        lane = y + _FIRST_LANE + _LANE * group_of[name]
        tip = f"{row.name} {value:+.2f} ({name})"
        run_mark(drawing, panel.x_of(value), lane, group_of[name], tip)
    if found.mean is None:
        zero = panel.x_of(0)
        roomy = zero < (panel.left + panel.right) / 2
        place, anchor = (zero + 8, "start") if roomy else (zero - 8, "end")
        drawing.text(place, y + _MEAN + 4, "no run has both", "note", anchor)
    else:
        x = panel.x_of(found.mean)
        low, high = found.interval or (found.mean, found.mean)
        tip = f"{row.name} {found.mean:+.2f} (mean, n = {found.count})"
        mean_mark(drawing, panel.x_of(low), x, panel.x_of(high), y + _MEAN, tip)
        drawing.text(x, y + _MEAN - 10, f"{found.mean:+.1f}", "value", "middle")
    if row.published is not None:
        tip = f"{row.name} {row.published:+.1f} (published)"
        published_mark(drawing, panel.x_of(row.published), y + _MEAN, tip)
