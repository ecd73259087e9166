"""Horizontal bar charts of named rows, in columns that a narrow page stacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lvis_merge.report.svg import Drawing, short_count, shortened, ticks

_WIDTH, _LABELS, _NOTES = 340.0, 132.0, 62.0
_ROW, _BAR, _TOP, _BOTTOM = 18.0, 11.0, 4.0, 36.0
_LETTER = 6.4


@dataclass(frozen=True)
class Segment:
    """One part of a bar.

    Attributes:
        value: its length in data units.
        css: CSS class that colours it.
        name: what it counts, for the tip.
    """

    value: float
    css: str
    name: str


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart.

    Attributes:
        label: name at the left.
        segments: parts, drawn one after the other.
        note: text at the right end of the bar.
    """

    label: str
    segments: tuple[Segment, ...]
    note: str

    @property
    def total(self) -> float:
        """Length of the bar."""
        return sum(segment.value for segment in self.segments)


def bar_columns(bars: Sequence[Bar], axis: str, columns: int = 3, least: int = 8) -> str:
    """Draws the rows as up to `columns` charts on one common scale.

    Args:
        bars: the rows, top to bottom, then column by column.
        axis: what the axis counts, with the unit.
        columns: most charts side by side.
        least: rows that a chart should have before another is started.

    Returns:
        `svg` elements, 340 pixels wide each.
    """
    if not bars:
        return ""
    used = max(1, min(columns, len(bars) // least))
    rows = -(-len(bars) // used)
    highest = max(bar.total for bar in bars) or 1
    return "".join(
        _chart(bars[start : start + rows], axis, highest) for start in range(0, len(bars), rows)
    )


def _chart(bars: Sequence[Bar], axis: str, highest: float) -> str:
    drawing = Drawing(_WIDTH, _TOP + _ROW * len(bars) + _BOTTOM, f"Bar chart: {axis}", "bars")
    length = _WIDTH - _LABELS - _NOTES
    bottom = _TOP + _ROW * len(bars) + 2
    for tick in ticks(highest, 3):
        x = _LABELS + length * tick / highest
        drawing.line(x, _TOP, x, bottom, "grid")
        drawing.text(x, bottom + 13, short_count(tick), "tick", "middle")
    drawing.text(_LABELS + length / 2, bottom + 29, axis, "axis", "middle")
    for row, bar in enumerate(bars):
        y = _TOP + _ROW * row
        name = shortened(bar.label, int((_LABELS - 8) / _LETTER))
        tip = bar.label if name != bar.label else ""
        drawing.text(_LABELS - 7, y + _ROW / 2 + 4, name, "label", "end", tip)
        x = _LABELS
        for segment in bar.segments:
            width = length * segment.value / highest
            if segment.value:
                tip = f"{bar.label}: {segment.value:,g} {segment.name}"
                drawing.rect(x, y + (_ROW - _BAR) / 2, max(width, 0.8), _BAR, segment.css, tip)
            x += width
        drawing.text(x + 5, y + _ROW / 2 + 4, bar.note, "note")
    return drawing.markup()


def stacked_bars(bars: Sequence[Bar], width: float, css: str) -> str:
    """Draws each row as one bar of full width, its parts labelled inside: shares of a whole.

    Args:
        bars: the rows.
        width: pixels of the picture.
        css: CSS class of the `svg` element.

    Returns:
        One `svg` element.
    """
    row, label = 32.0, 104.0
    drawing = Drawing(width, row * len(bars), "Stacked bars", css)
    length = width - label
    for i, bar in enumerate(bars):
        y = row * i
        drawing.text(label - 8, y + row / 2 + 4, bar.label, "label", "end")
        x = label
        for segment in bar.segments:
            part = length * segment.value / (bar.total or 1)
            tip = f"{bar.label}: {segment.value:,g} {segment.name}"
            drawing.rect(x, y + 4, max(part - 1.5, 0), row - 8, segment.css, tip)
            words = f"{segment.value:,g} {segment.name}"
            if len(words) * 7.6 + 12 > part:
                words = f"{segment.value:,g}"
            if len(words) * 7.6 + 10 <= part:
                drawing.text(x + 8, y + row / 2 + 4, words, f"in {segment.css}-in")
            x += part
    return drawing.markup()
