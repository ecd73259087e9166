"""The figures in a terminal, as the paper tables them, legible from 80 columns on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvis_merge.evaluation.bootstrap import LEVEL
from lvis_merge.evaluation.scores import PAPER_FIGURES, UNDEFINED, Evaluation, Kind, Scores

if TYPE_CHECKING:
    from rich.console import Console

KIND_NAMES: dict[Kind, str] = {"bbox": "boxes", "segm": "masks"}


def percent(value: float) -> str:
    """A figure as papers print it, times 100; -1.0 where it is undefined."""
    return f"{value if value == UNDEFINED else 100 * value:.1f}"


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Prints the figures.

    Args:
        evaluation: what to print.
        console: where to.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    console.print(
        Text(f"{evaluation.results} on {evaluation.ground_truth}", style="bold"), soft_wrap=True
    )
    console.print(
        Text(
            f"{evaluation.images:,} images · {evaluation.objects:,} objects ·"
            f" {len(evaluation.scores[0].categories):,} categories ·"
            f" {evaluation.entries:,} detections ·"
            f" {evaluation.backend} {evaluation.backend_version}",
            style="dim",
        ),
        soft_wrap=True,
        highlight=False,
    )
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), show_edge=False
    )
    table.add_column("AP × 100", no_wrap=True)
    for name in PAPER_FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for scores in evaluation.scores:
        table.add_row(
            KIND_NAMES[scores.kind], *(percent(scores.figures[name]) for name in PAPER_FIGURES)
        )
        if scores.intervals:
            table.add_row(f"{LEVEL:.0%} interval", *_ends(scores), style="dim")
    console.print()
    console.print(table, highlight=False)
    for note in notes(evaluation):
        console.print(Text(note, style="dim"))


def notes(evaluation: Evaluation) -> list[str]:
    """What a reader of the figures has to know, a sentence each."""
    found = []
    if any(scores.figures[n] == UNDEFINED for scores in evaluation.scores for n in PAPER_FIGURES):
        found.append("-1.0: no category with ground truth to average over.")
    if len(evaluation.scores) == 1:
        here, there = (
            ("boxes", "masks") if evaluation.scores[0].kind == "bbox" else ("masks", "boxes")
        )
        found.append(f"The results have {here} only; {there} are not scored.")
    if evaluation.over_cap:
        found.append(f"{evaluation.over_cap:,} detections beyond 300 an image do not count.")
    if evaluation.dropped:
        number = sum(evaluation.dropped.values())
        which = ", ".join(f"{fault} {count:,}" for fault, count in evaluation.dropped.items())
        found.append(f"{number:,} bad entries of the results were dropped: {which}.")
    bad, first = evaluation.left_out
    if bad:
        found.append(f"{bad:,} bad rows of the ground truth were left out; the first: {first}.")
    for scores in evaluation.scores:
        if scores.boxes_only:
            found.append(
                f"{scores.boxes_only:,} objects without a mask are not looked for among masks, nor"
                " do masks of their categories count as wrong on their images."
            )
    return found


def _ends(scores: Scores) -> list[str]:
    ends = (scores.intervals[name] for name in PAPER_FIGURES)
    return [f"{percent(one.low)}–{percent(one.high)}" if one.low >= 0 else "" for one in ends]
