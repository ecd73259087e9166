"""`lvis-merge roadmap`: what each trick brought, beside the published figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lvis_merge.cli.options import OUTPUT, JsonOutput
from lvis_merge.cli.outputs import answer, check_folder, write_text
from lvis_merge.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console


def roadmap(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Holds STEP.json or STEP/evaluation.json, as `evaluate --json` prints it, or a"
            " roadmap.toml that names them, or an experiment.toml.",
        ),
    ],
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Of an experiment: box AP, not mask AP.")
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", rich_help_panel=OUTPUT, help="Write Markdown tables."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", rich_help_panel=OUTPUT, help="Write a CSV."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", rich_help_panel=OUTPUT, help="Draw the figures."),
    ] = None,
    as_json: JsonOutput = False,
) -> None:
    """Table runs by trick, the winner's published figures beside.

    Steps: challenge_baseline, challenge_senet154, challenge_open_images,
    multi_scale_boxes, ensemble, multi_scale_masks. One without a run says so.

    roadmap.toml has a table `runs` with a file for each step, and tables
    `test` with name, AP, AP_r, AP_c and AP_f: figures of the test server.

    experiment.toml makes DIR an experiment, of settings that ran in pairs. It
    has tables `run` (name of a folder, group of those trained on the same),
    `setting` (key, name, maybe the step it stands for) and `comparison`
    (setting, over: keys). RUN/KEY.json is an evaluation, and so may
    RUN/KEY.exhaustive.json be, on images where everything is annotated.

    Example: lvis-merge roadmap runs --plot roadmap.svg
    """
    for file in (markdown, csv, plot):
        check_folder(file)
    from lvis_merge.testing.roadmap.experiment import is_experiment

    if is_experiment(folder):
        written = _experiment(folder, boxes)
    elif boxes:
        raise UsageError(f"--boxes is for an experiment, and {folder} has no experiment.toml.")
    else:
        written = _roadmap(folder)
    for file, form in ((markdown, written.markdown), (csv, written.csv), (plot, written.plot)):
        if file:
            write_text(file, form())
    answer(
        written,
        lambda forms: forms.json(),
        lambda forms, console: forms.show(console),
        as_json=as_json,
    )


@dataclass(frozen=True)
class _Forms:
    """What was read, in every form that it can be had in."""

    markdown: Callable[[], str]
    csv: Callable[[], str]
    plot: Callable[[], str]
    json: Callable[[], dict[str, Any]]
    show: Callable[[Console], None]


def _roadmap(folder: Path) -> _Forms:
    from lvis_merge.testing.roadmap import plot, tables
    from lvis_merge.testing.roadmap.runs import read_roadmap

    found = read_roadmap(folder)
    return _Forms(
        partial(tables.markdown, found),
        partial(tables.as_csv, found),
        partial(plot.roadmap_plot, found),
        partial(tables.as_json, found),
        partial(tables.print_roadmap, found),
    )


def _experiment(folder: Path, boxes: bool) -> _Forms:
    from lvis_merge.testing.roadmap import experiment_tables, experiment_writing, forest_plot
    from lvis_merge.testing.roadmap.experiment import read_experiment

    found = read_experiment(folder, "bbox" if boxes else "segm")
    return _Forms(
        partial(experiment_tables.markdown, found),
        partial(experiment_writing.as_csv, found),
        partial(forest_plot.forest_plot, found),
        partial(experiment_writing.as_json, found),
        partial(experiment_tables.print_experiment, found),
    )
