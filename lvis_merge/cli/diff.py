"""`lvis-merge diff`: what changed between two manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvis_merge.cli.options import Json
from lvis_merge.cli.outputs import answer, check_folder, write_text


def diff(
    before: Annotated[Path, typer.Argument(metavar="DIR_A", help="A manifest.")],
    after: Annotated[Path, typer.Argument(metavar="DIR_B", help="The one to compare with it.")],
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write a page, in the style of report.html."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two manifests: options, inputs, images, categories, boxes added, removed, changed.

    A box is the same if its source, image and published id are. Categories are
    compared by what they are, whatever their ids. Ends with 0, whatever differs.

    Example: lvis-merge diff manifests/before manifests/after --report diff.html
    """
    check_folder(report)
    from dataclasses import asdict

    from lvis_merge import manifest as manifests
    from lvis_merge.diff.compare import compare
    from lvis_merge.diff.terminal import print_diff
    from lvis_merge.progress import Stages

    stages = Stages()
    with stages.shown():
        found = compare(manifests.open(before), manifests.open(after), stages)
    if report:
        from lvis_merge.diff.page import render

        write_text(report, render(found))
    answer(
        found,
        lambda diff: {"equal": diff.equal, **asdict(diff)},
        print_diff,
        as_json=as_json,
    )
