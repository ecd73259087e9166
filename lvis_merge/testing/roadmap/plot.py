"""The road map as an SVG picture that stands alone: a panel per figure, a line per step."""

from __future__ import annotations

import math
from collections.abc import Callable

from lvis_merge.evaluation.plot import standalone
from lvis_merge.report.svg import Drawing
from lvis_merge.testing.roadmap.published import COLUMNS
from lvis_merge.testing.roadmap.runs import Roadmap, RunRow

_Scale = Callable[[float], float]
"""From a figure to pixels."""

_NAMES, _PANEL, _GAP, _RIGHT, _LEGEND = 210.0, 160.0, 24.0, 12.0, 330.0
_TOP, _LINE, _BOTTOM = 76.0, 42.0, 30.0
_STYLE = """<style>
svg { background: #ffffff; font-family: system-ui, "Helvetica Neue", Arial, sans-serif; }
.title { font-size: 15px; font-weight: 600; fill: #1a1f24; }
.panel { font-size: 13px; font-weight: 600; fill: #1a1f24; }
.name { font-size: 12.5px; fill: #1a1f24; } .note { font-size: 11px; fill: #6a747e; }
.tick { font-size: 11px; fill: #6a747e; } .grid { stroke: #e4e8ec; } .row { stroke: #f0f2f4; }
.published { fill: none; stroke: #48525c; stroke-width: 1.6; }
.run { fill: #0072b2; } .between { stroke: #b8c0c8; stroke-width: 2; }
.value { font-size: 10.5px; } .value-published { fill: #48525c; }
.value-run { fill: #005a8c; font-weight: 600; }
</style>"""


def roadmap_plot(roadmap: Roadmap) -> str:
    """Draws table 1.

    Returns:
        An SVG document: published figures as rings, those of runs as discs within. A point of AP is
        as wide in every panel, so that gains compare.
    """
    width = _NAMES + len(COLUMNS) * (_PANEL + _GAP) + _RIGHT
    height = _TOP + _LINE * len(roadmap.rows) + _BOTTOM
    drawing = Drawing(width, height, "Mask AP by step of the road map, published and of the runs")
    drawing.text(16, 24, "Road map: mask AP × 100 on val", "title")
    drawing.dot(_LEGEND, 19, 5.6, "published")
    drawing.text(_LEGEND + 10, 23, "published (LVIS v0.5 val)", "name")
    drawing.dot(_LEGEND + 186, 19, 3.6, "run")
    drawing.text(_LEGEND + 196, 23, "runs", "name")
    for place, row in enumerate(roadmap.rows):
        y = _TOP + _LINE * (place + 0.5)
        drawing.line(16, y + _LINE / 2, width - _RIGHT, y + _LINE / 2, "row")
        drawing.text(16, y + (0 if row.missing else 4), row.step.name, "name")
        if row.missing:
            drawing.text(16, y + 14, row.missing, "note")
    span = max(high - low for low, high in (_range(_values(roadmap, name)) for name in COLUMNS))
    for place, name in enumerate(COLUMNS):
        _panel(drawing, roadmap, name, _NAMES + place * (_PANEL + _GAP), span)
    return standalone(drawing, _STYLE)


def _panel(drawing: Drawing, roadmap: Roadmap, name: str, left: float, span: int) -> None:
    rows = roadmap.rows
    low, high = _range(_values(roadmap, name))
    # what is left of the common span on both sides, in whole fives, and within [0, 100]
    low = max(0, min(low - 5 * ((span - (high - low)) // 10), 100 - span))
    high = low + span
    inner = 16.0

    def x_of(value: float) -> float:
        return left + inner + (_PANEL - 2 * inner) * (value - low) / (high - low)

    bottom = _TOP + _LINE * len(rows)
    drawing.text(left + _PANEL / 2, _TOP - 22, name, "panel", "middle")
    for tick in range(low, high + 1, _step(low, high)):
        drawing.line(x_of(tick), _TOP - 4, x_of(tick), bottom, "grid")
        drawing.text(x_of(tick), bottom + 16, f"{tick}", "tick", "middle")
    for place, row in enumerate(rows):
        _marks(drawing, row, name, _TOP + _LINE * (place + 0.5), x_of)


def _marks(drawing: Drawing, row: RunRow, name: str, y: float, x_of: _Scale) -> None:
    published, run = row.step.published.get(name), row.figures.get(name)
    if published is not None and run is not None:
        drawing.line(x_of(published), y, x_of(run), y, "between")
    # the ring over the disc, which is smaller: both are seen where they coincide
    for value, css, radius in ((run, "run", 3.6), (published, "published", 5.6)):
        if value is None:
            continue
        tip = f"{row.step.name}: {name} {value:.1f} ({css})"
        drawing.dot(x_of(value), y, radius, css, tip)
        # above its mark, the run's below, so that figures next to each other stay legible
        drawing.text(
            x_of(value), y + (-9 if css == "published" else 17), f"{value:.1f}",
            f"value value-{css}", "middle",
        )  # fmt: skip


def _values(roadmap: Roadmap, name: str) -> list[float]:
    figures = (figures for row in roadmap.rows for figures in (row.step.published, row.figures))
    return [one[name] for one in figures if name in one]


def _range(values: list[float]) -> tuple[int, int]:
    """Whole fives around the values, at least ten apart."""
    low = 5 * math.floor(min(values, default=0) / 5)
    high = 5 * math.ceil(max(values, default=0) / 5)
    return low, max(high, low + 10)


def _step(low: int, high: int) -> int:
    return 5 if high - low <= 20 else 10 if high - low <= 40 else 20
