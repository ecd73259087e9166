"""Prints a dry run, legible from 80 columns on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from lvis_merge.training.recipe.dry_run import DryRun

_GROUP_NAMES = {"r": "rare", "c": "common", "f": "frequent"}


def print_dry_run(run: DryRun, console: Console) -> None:
    """Prints what a run would be, then its resolved config.

    Args:
        run: of `dry_run`.
        console: where to.
    """
    from rich.text import Text

    console.print(Text(f"{run.recipe} on {run.manifest}", style="bold"))
    for line in _facts(run):
        console.print(Text(line))
    _table(
        console,
        "parameters",
        "part|#total|#trainable",
        [(one.name, f"{one.total:,}", f"{one.trainable:,}") for one in run.parameters],
    )
    _table(
        console,
        f"training data: {run.images:,} images; one epoch is {run.expected_epoch_length:,.1f} draws"
        " on average",
        "source|#images|#objects|#draws an epoch",
        [
            (one.source, f"{one.images:,}", f"{one.objects:,}", f"{one.draws:,.1f}")
            for one in run.sources
        ],
    )
    _table(
        console,
        f"{run.num_classes:,} categories; {_tail(run)}",
        "group|#categories|#tail",
        [(_GROUP_NAMES[one.group], f"{one.categories:,}", f"{one.tail:,}") for one in run.groups],
    )
    _table(
        console,
        "ignore regions on train images",
        "reason|#rows|acts",
        [(one.reason, f"{one.rows:,}", "yes" if one.acts else "no") for one in run.ignore],
    )
    _table(
        console,
        f"learning rate: {run.rate.base:g}, {run.steps:,} optimizer steps"
        f" = {run.epochs:,.1f} epochs",
        "#step|#rate|",
        [(f"{one.step:,}", f"{one.rate:.3g}", one.why) for one in run.rate.points],
    )
    console.print(Text("\nresolved config", style="bold"))
    console.print(Text(run.config))


def _facts(run: DryRun) -> list[str]:
    norm = ", SyncBN" if run.sync_bn else ""
    unit = "GPUs" if run.device == "cuda" else "processes"
    lines = [
        f"label space {run.label_space} · {run.device}{', AMP' if run.amp else ''}{norm} · seed"
        f" {run.seed}",
        f"{run.total_batch} images an optimizer step: batches of {run.batch_size},"
        f" {unit}: {run.world_size}, accumulate: {run.accumulate}",
        f"evaluated on {run.val_images:,} val images" if run.val_images else "no evaluation",
    ]
    if run.starts_from:
        lines.append(f"starts from a checkpoint of {run.starts_from}: --init CHECKPOINT")
    if run.published:
        lines.append("published: " + ", ".join(f"{k} {v}" for k, v in run.published.items()))
    return lines


def _tail(run: DryRun) -> str:
    if run.tail_from is None:
        return "no tail"
    tail = sum(one.tail for one in run.groups)
    whose = "of this loss" if run.tail_from == "loss" else "of the manifest; this loss has none"
    return f"{tail:,} tail ({whose})"


def _table(console: Console, title: str, columns: str, rows: Sequence[tuple[str, ...]]) -> None:
    """A titled table; a column name that starts with # is a number's."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for name in columns.split("|"):
        table.add_column(name.removeprefix("#"), justify="right" if name[:1] == "#" else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(Text(f"\n{title}", style="bold"))
    console.print(table)
