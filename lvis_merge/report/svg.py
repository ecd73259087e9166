"""Inline SVG: escaped text, rounded numbers, colours by CSS class so that themes apply."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape


def number(value: float) -> str:
    """A coordinate in pixels with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


class Drawing:
    """An SVG picture under construction.

    Attributes:
        width: pixels.
        height: pixels.
    """

    def __init__(self, width: float, height: float, label: str, css: str = "") -> None:
        """Starts a picture.

        Args:
            width: pixels; the picture shrinks with its container and never grows.
            height: pixels.
            label: what screen readers say.
            css: class of the `svg` element.
        """
        self.width, self.height = width, height
        self._label, self._css = label, css
        self._parts: list[str] = []

    def rect(self, x: float, y: float, w: float, h: float, css: str, tip: str = "") -> None:
        """A filled rectangle."""
        self._add(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(w, 0))}"'
            f' height="{number(h)}" class="{css}"',
            tip,
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        """A straight line."""
        self._add(
            f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
            f' class="{css}"'
        )

    def dot(self, x: float, y: float, radius: float, css: str, tip: str = "") -> None:
        """A filled circle."""
        self._add(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{css}"', tip
        )

    def path(self, points: Iterable[tuple[float, float]], css: str, close: bool = False) -> None:
        """A polyline, or a polygon if closed."""
        steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
        self._add(f'<path d="M{steps}{"Z" if close else ""}" class="{css}"')

    def text(
        self, x: float, y: float, words: str, css: str = "", anchor: str = "start", tip: str = ""
    ) -> None:
        """One line of text; `anchor` is start, middle or end."""
        inside = escape(words) + (f"<title>{escape(tip)}</title>" if tip else "")
        anchored = f' text-anchor="{anchor}"' if anchor != "start" else ""
        classed = f' class="{css}"' if css else ""
        self._parts.append(
            f'<text x="{number(x)}" y="{number(y)}"{classed}{anchored}>{inside}</text>'
        )

    def upright_text(self, x: float, y: float, words: str, css: str = "") -> None:
        """One line of text read from bottom to top, centred on y."""
        self._parts.append(
            f'<text transform="translate({number(x)} {number(y)}) rotate(-90)"'
            f' text-anchor="middle" class="{css}">{escape(words)}</text>'
        )

    def markup(self) -> str:
        """The `svg` element."""
        w, h = number(self.width), number(self.height)
        return (
            f'<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" class="{self._css}" role="img"'
            f' aria-label="{escape(self._label)}">{"".join(self._parts)}</svg>'
        )

    def _add(self, opening: str, tip: str = "") -> None:
        name = opening[1 : opening.index(" ")]
        ending = f"><title>{escape(tip)}</title></{name}>" if tip else "/>"
        self._parts.append(opening + ending)


def ticks(highest: float, most: int) -> list[int]:
    """Round whole numbers from 0 to at most `highest`, about `most` of them."""
    rough = highest / most
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(int(m * power) for m in (1, 2, 5, 10) if m * power >= rough)
    return list(range(0, math.floor(highest) + 1, step))


def shortened(name: str, most: int) -> str:
    """A name cut to `most` characters, with an ellipsis where something is missing."""
    return name if len(name) <= most else name[: most - 1] + "…"


def short_count(value: float) -> str:
    """A count for an axis: 950, 20k, 1.5M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:g}"
