"""`lvis-merge roadmap`: what each trick brought, beside the published figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvis_merge.cli.outputs import check_folder

_OUTPUT = "Output"


def roadmap(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Holds STEP.json or STEP/evaluation.json, as `evaluate --json` prints it, or a"
            " roadmap.toml that names them.",
        ),
    ],
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", rich_help_panel=_OUTPUT, help="Write Markdown tables."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", rich_help_panel=_OUTPUT, help="Write a CSV."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", rich_help_panel=_OUTPUT, help="Draw the figures."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", rich_help_panel=_OUTPUT, help="Print JSON, and nothing else, on stdout."
        ),
    ] = False,
) -> None:
    """Table runs by trick, the winner's published figures beside.

    Steps: challenge_baseline, challenge_senet154, challenge_open_images,
    multi_scale_boxes, ensemble, multi_scale_masks. One without a run says so.

    roadmap.toml has a table `runs` with a file for each step, and tables
    `test` with name, AP, AP_r, AP_c and AP_f: figures of the test server.

    Example: lvis-merge roadmap runs --plot roadmap.svg
    """
    for file in (markdown, csv, plot):
        check_folder(file)
    from lvis_merge.testing.roadmap import tables
    from lvis_merge.testing.roadmap.runs import read_roadmap

    found = read_roadmap(folder)
    if markdown:
        markdown.write_text(tables.markdown(found), encoding="utf-8")
    if csv:
        csv.write_text(tables.as_csv(found), encoding="utf-8")
    if plot:
        from lvis_merge.testing.roadmap.plot import roadmap_plot

        plot.write_text(roadmap_plot(found), encoding="utf-8")
    if as_json:
        import json

        print(json.dumps(tables.as_json(found), indent=2))
    else:
        from rich.console import Console

        tables.print_roadmap(found, Console())
