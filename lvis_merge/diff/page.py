"""A diff as a page in the style of `report.html`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lvis_merge.diff import words
from lvis_merge.diff.result import CategoryCount, Diff
from lvis_merge.report.bars import Bar, Segment, bar_columns
from lvis_merge.report.frequency import GROUP_NAMES
from lvis_merge.report.page import page_template

if TYPE_CHECKING:
    from jinja2 import Template

MOST_BARS = 60
"""Categories drawn; the table has all of them."""


def render(diff: Diff) -> str:
    """The page's HTML.

    Args:
        diff: the differences.

    Returns:
        A whole document that loads nothing, equal for equal diffs.
    """
    from markupsafe import Markup

    bars = [_bar(one) for one in diff.categories[:MOST_BARS]]
    return _template().render(
        d=diff,
        words=words,
        group_names=GROUP_NAMES,
        figure=Markup(bar_columns([bar for bar in bars if bar.total], "objects")),
        cut=max(len(diff.categories) - MOST_BARS, 0),
        totals=[
            (name.replace("_", " "), getattr(diff.before, name), getattr(diff.after, name))
            for name in ("images", "objects", "ignore_regions", "categories")
        ],
    )


@cache
def _template() -> Template:
    return page_template(files("lvis_merge.diff") / "template.html")


def _bar(one: CategoryCount) -> Bar:
    return Bar(
        one.name,
        (
            Segment(one.added + one.gained, "group-f", "added"),
            Segment(one.removed + one.lost, "added", "removed"),
            Segment(one.changed, "before", "changed"),
        ),
        words.signed(one.after - one.before) or "±0",
    )
