"""Tables in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def print_table(
    console: Console,
    title: str,
    header: str,
    rows: Sequence[Sequence[str]],
    below: str = "",
) -> None:
    """Prints a table without wrapped cells.

    Only the first column gives way where there is no room, with an ellipsis.

    Args:
        console: where to.
        title: above the table.
        header: headings with `|` between them; `#` before one means numbers, at the right.
        rows: the cells.
        below: a line below the table.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), show_edge=False
    )
    for i, name in enumerate(header.split("|")):
        table.add_column(
            name.removeprefix("#"),
            justify="right" if name.startswith("#") else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if i == 0 else max(len(name.removeprefix("#")), *_widths(rows, i)),
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print()
    console.print(Text(title, style="bold"))
    console.print(table, highlight=False)
    if below:
        console.print(Text(below, style="dim"))


def _widths(rows: Sequence[Sequence[str]], column: int) -> list[int]:
    return [0, *(len(row[column]) for row in rows)]
