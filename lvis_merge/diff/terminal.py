"""A diff in a terminal, legible from 80 columns on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lvis_merge.diff import words
from lvis_merge.diff.result import Change, Diff
from lvis_merge.diff.words import count, value
from lvis_merge.report.text_table import print_table

if TYPE_CHECKING:
    from rich.console import Console

MOST_CATEGORIES = 20
"""Categories listed by name; the report and `--json` have all of them."""

_LETTERS = 26
"""Of a value, so that two of them and a name fit."""


def print_diff(diff: Diff, console: Console) -> None:
    """Prints a diff as tables; what is the same is left out.

    Args:
        diff: the differences.
        console: where to; tables need 80 columns.
    """
    from rich.text import Text

    console.print(Text(words.title(diff), style="bold"))
    console.print(Text(f"- {diff.before.path}\n+ {diff.after.path}", style="dim"))
    _print_totals(diff, console)
    if not diff.same_rows:
        _print_rows(diff, console)
    _print_changes(console, "Built otherwise", "what", diff.facts)
    _print_changes(console, "Options", "option", diff.options)
    files = [Change(one.role, one.before, one.after) for one in diff.inputs]
    _print_changes(console, "Inputs", "given as", files)
    _print_changes(console, "Input rows", "rows of", diff.rows_in)
    _print_changes(console, "Categories", "category", diff.category_list[:MOST_CATEGORIES],
                   _more(len(diff.category_list)))  # fmt: skip


def _print_totals(diff: Diff, console: Console) -> None:
    names = ("images", "objects", "ignore_regions", "categories")
    rows = []
    for name in names:
        before, after = getattr(diff.before, name), getattr(diff.after, name)
        rows.append(
            (name.replace("_", " "), f"{before:,}", f"{after:,}", words.signed(after - before))
        )
    print_table(console, "In all", "rows|#before|#after|#difference", rows)


def _print_rows(diff: Diff, console: Console) -> None:
    if any(one.added or one.removed or one.changed for one in diff.images):
        print_table(
            console,
            words.images_finding(diff),
            "images of|split|#before|#after|#added|#removed|#changed",
            [
                (words.source(one.source), one.split,
                 *map(count, (one.before, one.after, one.added, one.removed, one.changed)))
                for one in diff.images
            ],
        )  # fmt: skip
    if any(one.added or one.removed or one.changed for one in diff.sources):
        print_table(
            console,
            "Boxes by source",
            "boxes of|#objects|#after|#ignore|#after|#added|#removed|#changed",
            [
                (words.source(one.source),
                 *map(count, (one.objects_before, one.objects_after, one.ignore_before,
                              one.ignore_after, one.added, one.removed, one.changed)))
                for one in diff.sources
            ],
        )  # fmt: skip
    if diff.fields:
        print_table(
            console,
            "What changed in rows of both",
            "column|table|#rows",
            [(one.field, one.table, f"{one.rows:,}") for one in diff.fields],
        )
    _print_categories(diff, console)


def _print_categories(diff: Diff, console: Console) -> None:
    """Two tables: objects, and ignore regions."""
    if objects := [one for one in diff.categories if one.objects_differ]:
        print_table(
            console,
            words.categories_finding(diff),
            "category|#objects|#after|#added|#removed|#gained|#lost|#changed",
            [
                (one.name, *map(count, (one.before, one.after, one.added, one.removed, one.gained,
                                        one.lost, one.changed)))
                for one in objects[:MOST_CATEGORIES]
            ],
            _more(len(objects)),
        )  # fmt: skip
    if ignored := [one for one in diff.categories if one.ignore_before != one.ignore_after]:
        ignored.sort(key=lambda one: -abs(one.ignore_after - one.ignore_before))
        print_table(
            console,
            "Ignore regions by category",
            "category|#regions|#after|#difference",
            [
                (one.name, count(one.ignore_before), count(one.ignore_after),
                 words.signed(one.ignore_after - one.ignore_before))
                for one in ignored[:MOST_CATEGORIES]
            ],
            _more(len(ignored)),
        )  # fmt: skip


def _print_changes(
    console: Console, title: str, heading: str, changes: Sequence[Change], below: str = ""
) -> None:
    if changes:
        rows = [
            (one.name, value(one.before, _LETTERS), value(one.after, _LETTERS)) for one in changes
        ]
        print_table(console, title, f"{heading}|before|after", rows, below)


def _more(rows: int) -> str:
    more = rows - MOST_CATEGORIES
    return f"and {more:,} more: --report FILE or --json" if more > 0 else ""
