"""What a run of the ensemble has to say, for other programs and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lvis_merge.evaluation.scores import PAPER_FIGURES, UNDEFINED
from lvis_merge.evaluation.table import percent
from lvis_merge.report.frequency import GROUP_NAMES
from lvis_merge.testing.ensemble.cap import GROUPS, Group
from lvis_merge.testing.ensemble.parameters import Parameters
from lvis_merge.testing.ensemble.run import Outcome, Row

_FAR = 1.0
"""Of offsets: on the logit, nearly a factor of 3 in odds."""

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The report: what `--json` prints and what `--params` reads.

    Figures are in [0, 1], -1.0 where undefined, null without ground truth.
    """
    plain: dict[str, Any] = msgspec.to_builtins(
        {"fitted": outcome.fitted, "halves": outcome.halves, "rows": outcome.rows}
    )
    return {**plain, "detections": len(outcome.detections)}


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Prints figures and counts before and after, and the parameters.

    Args:
        outcome: what to print.
        console: where to.
    """
    from rich.text import Text

    if any(row.figures for row in outcome.rows):
        console.print(_figures(outcome.rows), highlight=False)
        console.print()
    console.print(_counts(outcome.rows), highlight=False)
    console.print()
    names = outcome.fitted.experts
    for number, half in enumerate(outcome.halves, 1):
        console.print(f"fitted on half {number} of 2: {_words(half, names)}", highlight=False)
    console.print(
        f"fitted on all of {outcome.fitted.fitted_on}: {_words(outcome.fitted.parameters, names)}",
        highlight=False,
    )
    for note in notes(outcome):
        console.print(Text(note, style="dim"))


def notes(outcome: Outcome) -> list[str]:
    """What a reader of the report has to know, a sentence each."""
    found = []
    if outcome.halves:
        found.append(
            "Two-fold cross-fitting: each half of the images was scored with the parameters fitted"
            " on the other half. Those fitted on all images are for other images."
        )
    if any(abs(a - b) > _FAR for a, b in zip(*(h.offsets for h in outcome.halves), strict=True)):
        found.append(
            "The halves' offsets differ by more than 1: their scores compare badly with each other,"
            " and the cross-fitted figures are lower than either half's own would be."
        )
    if any(UNDEFINED in (row.figures or {}).values() for row in outcome.rows):
        found.append("-1.0: no category with ground truth to average over.")
    if all(row.offered == row.through for row in outcome.rows):
        found.append("No image has more than 300 detections: shifts have nothing to act on.")
    return found


def _figures(rows: tuple[Row, ...]) -> Table:
    table = _table("box AP × 100", PAPER_FIGURES)
    for row in rows:
        if row.figures is not None:
            table.add_row(row.name, *(percent(row.figures[name]) for name in PAPER_FIGURES))
    return table


def _counts(rows: tuple[Row, ...]) -> Table:
    table = _table("under the cap of 300", [GROUP_NAMES[group] for group in GROUPS])
    for row in rows:
        table.add_row(row.name, *(_count(row, group) for group in GROUPS))
    return table


def _count(row: Row, group: Group) -> str:
    """How many detections of a group came through, and which part of those offered that is."""
    through, offered = row.through[group], row.offered[group]
    return f"{through:,} ({through / offered:.0%})" if offered else "0"


def _table(first: str, others: tuple[str, ...] | list[str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), show_edge=False
    )
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _words(parameters: Parameters, experts: tuple[str, ...]) -> str:
    parts = [f"b_r {parameters.shift_r:+g}", f"b_c {parameters.shift_c:+g}"]
    parts += [f"{n} {o:+g}" for n, o in zip(experts, parameters.offsets, strict=True)]
    return ", ".join(parts)
