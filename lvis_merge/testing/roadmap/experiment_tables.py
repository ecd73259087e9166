"""An experiment as tables, in a terminal and in Markdown: settings, then paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvis_merge.testing.roadmap.experiment import ANNOTATIONS, Annotation, Experiment, Setting
from lvis_merge.testing.roadmap.experiment_notes import KIND_NAMES, notes
from lvis_merge.testing.roadmap.paired import Difference, Estimate, estimate
from lvis_merge.testing.roadmap.published import COLUMNS
from lvis_merge.testing.roadmap.tables import markdown_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

COMPARED = ("AP_r", "AP")
"""Figures whose differences are tabled, in this order."""

_TABLED: dict[Annotation, tuple[str, ...]] = {"federated": COLUMNS, "exhaustive": ("AP", "AP_r")}
_PUBLISHED, _SIGNS = "paper", "run\nby run"
_DIFFERENCES = (
    "comparison", "n", "mean\n[95% interval]", "at\nleast", _SIGNS, "clear in\nevery group",
)  # fmt: skip


@dataclass(frozen=True)
class ExperimentTable:
    """A table of words.

    Attributes:
        title: above it.
        header: a name per column; a line break stands where it may be broken.
        rows: as many cells each.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(experiment: Experiment, wide: bool) -> list[ExperimentTable]:
    """The settings, then differences: a table for each kind of annotation and figure.

    Args:
        experiment: of what.
        wide: one table of the settings; else one for each kind of annotation, to fit a terminal.
    """
    had = [annotation for annotation in ANNOTATIONS if experiment.has(annotation)]
    if wide or len(had) < 2:
        found = [_settings(experiment, had or ANNOTATIONS[:1])]
    else:
        found = [_settings(experiment, [annotation]) for annotation in had]
    if experiment.comparisons:
        found += [
            _differences(experiment, annotation, figure)
            for annotation in had
            for figure in COMPARED
        ]
    return found


def print_experiment(experiment: Experiment, console: Console) -> None:
    """Prints all tables, legible from 100 columns on.

    Args:
        experiment: what to print.
        console: where to.
    """
    from rich.text import Text

    for table in tables(experiment, wide=False):
        console.print(Text(table.title, style="bold"))
        console.print(_rich(table), highlight=False)
        console.print()
    for note in notes(experiment):
        console.print(Text(note, style="dim"))


def markdown(experiment: Experiment) -> str:
    """All tables in Markdown, notes below."""
    parts = []
    for table in tables(experiment, wide=True):
        header = [name.replace("\n", " ") for name in table.header]
        rows = [list(row) for row in table.rows]
        parts.append(f"**{table.title}**\n\n{markdown_table(header, rows)}")
    return "\n".join([*parts, *(f"{note}\n" for note in notes(experiment))])


def _settings(experiment: Experiment, annotations: Sequence[Annotation]) -> ExperimentTable:
    columns = [(annotation, figure) for annotation in annotations for figure in _TABLED[annotation]]
    papers = [
        figure
        for figure in ("AP", "AP_r")
        if "federated" in annotations
        and any(figure in experiment.published(setting) for setting in experiment.settings)
    ]
    rows = []
    for setting in experiment.settings:
        published = experiment.published(setting)
        estimates = [estimate(list(setting.values(*column).values())) for column in columns]
        paper = [f"({published[name]:.1f})" if name in published else "" for name in papers]
        runs = _runs(setting, annotations)
        rows.append((setting.name, runs, *map(_mean_and_sd, estimates), *paper))
    header = [f"{annotation}\n{figure}" for annotation, figure in columns]
    header += [f"{_PUBLISHED}\n{figure}" for figure in papers]
    title = f"{experiment.title}: {KIND_NAMES[experiment.kind]} AP × 100, mean ± sd over n runs"
    return ExperimentTable(title, ("setting", "n", *header), tuple(rows))


def _runs(setting: Setting, annotations: Sequence[Annotation]) -> str:
    """How many, and how many of the second kind of annotation if that differs."""
    first, *others = (setting.count(annotation) for annotation in annotations)
    return f"{first} ({others[0]} exhaustive)" if others and others[0] != first else f"{first}"


def _differences(experiment: Experiment, annotation: Annotation, figure: str) -> ExperimentTable:
    rows, papers = [], []
    for setting, over in experiment.comparisons:
        found = experiment.difference(setting, over, annotation, figure)
        of_all = found.estimate
        rows.append(
            (
                f"{setting.name} over {over.name}",
                f"{of_all.count}",
                _mean_and_interval(of_all),
                "" if of_all.lower is None else f"{of_all.lower:+.1f}",
                found.signs,
                _in_every_group(found),
            )
        )
        gain = experiment.published_gain(setting, over, figure)
        papers.append("" if gain is None or annotation == "exhaustive" else f"({gain:+.1f})")
    title = (
        f"Paired differences of {annotation} {figure}, points of {KIND_NAMES[experiment.kind]} AP"
    )
    if any(papers):
        with_papers = tuple((*row, paper) for row, paper in zip(rows, papers, strict=True))
        return ExperimentTable(title, (*_DIFFERENCES, _PUBLISHED), with_papers)
    return ExperimentTable(title, _DIFFERENCES, tuple(rows))


def _mean_and_sd(found: Estimate) -> str:
    if found.mean is None:
        return ""
    return f"{found.mean:.1f}" + ("" if found.sd is None else f" ± {found.sd:.1f}")


def _mean_and_interval(found: Estimate) -> str:
    if found.mean is None:
        return "no run has both"
    if found.interval is None:
        return f"{found.mean:+.1f}"
    low, high = found.interval
    return f"{found.mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def _in_every_group(found: Difference) -> str:
    if found.clear_in_every_group is None:
        return ""
    return f"{'yes' if found.clear_in_every_group else 'no'}, {found.clear} of {found.judged}"


def _rich(table: ExperimentTable) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    found = Table(
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), show_edge=False
    )
    lines = 1 + max(name.count("\n") for name in table.header)
    for place, name in enumerate(table.header):
        found.add_column(
            "\n" * (lines - 1 - name.count("\n")) + name,
            justify="right" if place > 0 and name != _SIGNS else "left",
            no_wrap=place > 0 and name != _SIGNS,
            overflow="fold",
            style="dim" if name.startswith(_PUBLISHED) else "",
        )
    for row in table.rows:
        # as text, not as markup, whatever people call their settings
        found.add_row(*(Text(cell) for cell in row))
    return found
