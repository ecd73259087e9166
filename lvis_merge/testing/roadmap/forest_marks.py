"""Marks of a forest plot: a colour and a shape per group of runs, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from lvis_merge.report.svg import Drawing, shortened

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
# Okabe and Ito's, which colour-blind readers tell apart; shape and filling say it again.
_SHAPES = ("disc", "square", "triangle", "diamond")
_LETTER, _LETTERS = 6.6, 24
"""Width of a letter in pixels, about, and how many a group's name may have."""

_RADIUS = 3.2
STYLE = "".join(
    (
        ".tip { fill: #ffffff; fill-opacity: 0; } .run { stroke-width: 1.4; }\n",
        *(
            f".group-{place} {{ stroke: {colour}; }} .full.group-{place} {{ fill: {colour}; }}\n"
            for place, colour in enumerate(_COLOURS)
        ),
        ".full { fill-opacity: 0.55; } .open { fill: #ffffff; fill-opacity: 0; }\n",
        ".published { fill: none; stroke: #48525c; stroke-width: 1.8; }\n",
    )
)


def run_mark(drawing: Drawing, x: float, y: float, group: int, tip: str = "") -> None:
    """Draws a run.

    Args:
        drawing: where.
        x: of the middle, in pixels.
        y: likewise.
        group: position of its group; any seven in a row differ in colour, any eight in shape.
        tip: what a pointer over it shows.
    """
    shape = _SHAPES[group % len(_SHAPES)]
    filling = "open" if group // len(_SHAPES) % 2 else "full"
    css = f"run {filling} group-{group % len(_COLOURS)}"
    r = _RADIUS
    if shape == "disc":
        drawing.dot(x, y, r, css)
    elif shape == "square":
        drawing.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r, css)
    elif shape == "triangle":
        corners = [(x - r, y + 0.8 * r), (x, y - r), (x + r, y + 0.8 * r)]
        drawing.path(corners, css, close=True)
    else:
        reach = 1.25 * r
        corners = [(x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)]
        drawing.path(corners, css, close=True)
    if tip:
        drawing.dot(x, y, 1.5 * r, "tip", tip)  # paths have none of their own


def published_mark(drawing: Drawing, x: float, y: float, tip: str = "") -> None:
    """Draws a published gain: a ring that a mean fits into."""
    drawing.dot(x, y, 7, "published", tip)


def mean_mark(drawing: Drawing, low: float, x: float, high: float, y: float, tip: str = "") -> None:
    """Draws a mean with its interval, in pixels."""
    drawing.line(low, y, high, y, "interval")
    for end in (low, high) if low < high else ():
        drawing.line(end, y - 4, end, y + 4, "interval")
    drawing.rect(x - 2.5, y - 6, 5, 12, "mean", tip)


def legend_lines(groups: Sequence[str], width: float) -> list[list[tuple[int, float]]]:
    """Where the groups' names go.

    Args:
        groups: their names.
        width: of a line, in pixels.

    Returns:
        For each line its groups, by position, with the distance of each from the left.
    """
    lines: list[list[tuple[int, float]]] = [[]]
    x = 0.0
    for place, group in enumerate(groups):
        needed = 30 + _LETTER * min(len(group), _LETTERS)
        if lines[-1] and x + needed > width:
            lines.append([])
            x = 0.0
        lines[-1].append((place, x))
        x += needed
    return lines


def draw_legend(
    drawing: Drawing, groups: Sequence[str], x: float, y: float, width: float, published: bool
) -> None:
    """Draws what the marks mean: mean and published gain on a line, groups on those below.

    Args:
        drawing: where.
        groups: their names.
        x: left, in pixels.
        y: middle of the first line.
        width: of a line.
        published: whether there are published gains.
    """
    mean_mark(drawing, x, x + 12, x + 24, y)
    drawing.text(x + 32, y + 4, "mean over the runs, 95% interval (Student's t)", "note")
    if published:
        published_mark(drawing, x + 330, y)
        drawing.text(x + 343, y + 4, "published gain (LVIS v0.5 val)", "note")
    for number, line in enumerate(legend_lines(groups, width), start=1):
        for place, left in line:
            run_mark(drawing, x + left + 6, y + 20 * number, place)
            words = shortened(groups[place], _LETTERS)
            drawing.text(x + left + 15, y + 20 * number + 4, words, "note", tip=groups[place])
