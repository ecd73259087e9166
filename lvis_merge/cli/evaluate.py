"""`lvis-merge evaluate`: LVIS federated AP of a results file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import OUTPUT, Lenient, Split
from lvis_merge.cli.outputs import answer, check_folder, write_text
from lvis_merge.errors import InputError, UsageError

if TYPE_CHECKING:
    from lvis_merge.evaluation import GroundTruth


class Backend(StrEnum):
    """What computes."""

    hotcoco = "hotcoco"
    lvis = "lvis"


_TRUTH = "Ground truth"


def evaluate(
    results: Annotated[
        str,
        typer.Argument(
            metavar="RESULTS", help="LVIS results, .json or .parquet: boxes, masks or both."
        ),
    ],
    annotations: Annotated[
        str | None,
        typer.Option(
            "--annotations", metavar="LVIS.json", rich_help_panel=_TRUTH, help="An LVIS file."
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="DIR", rich_help_panel=_TRUTH, help="Or a manifest."),
    ] = None,
    split: Annotated[
        Split | None, typer.Option(rich_help_panel=_TRUTH, help="Of the manifest; default: val.")
    ] = None,
    backend: Annotated[
        Backend, typer.Option(help="hotcoco, or lvis-api, the reference: the same, but slow.")
    ] = Backend.hotcoco,
    lenient: Lenient = False,
    bootstrap: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="95% confidence intervals from N draws of the images (200 are plenty).",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    by_category: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", rich_help_panel=OUTPUT, help="Write AP by category."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg",
            rich_help_panel=OUTPUT,
            help="Draw AP by category against training images.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            rich_help_panel=OUTPUT,
            help="Print JSON, figures in [0, 1], and nothing else, on stdout.",
        ),
    ] = False,
) -> None:
    """Score detections by LVIS's federated rules: AP, AP50, AP75, AP_r, AP_c, AP_f.

    Boxes are scored if the results have boxes, masks if they have masks.
    A figure with no category to average over is -1.0.

    Example: lvis-merge evaluate results.json --annotations lvis_v1_val.json --plot ap.svg
    """
    if (annotations is None) == (manifest is None):
        raise UsageError("evaluate: give --annotations LVIS.json or --manifest DIR, one of them.")
    if split and manifest is None:
        raise UsageError(f"--split {split.value} is for --manifest DIR; an LVIS file is one split.")
    if bootstrap and backend == Backend.lvis:
        raise UsageError("--bootstrap goes with --backend hotcoco; both give the same figures.")
    for file in (by_category, plot):
        check_folder(file)
    from lvis_merge import evaluation
    from lvis_merge.evaluation.table import print_evaluation
    from lvis_merge.evaluation.writing import as_json as plain
    from lvis_merge.progress import Stages

    stages = Stages()
    with stages.shown():
        with stages.stage("reading the ground truth"):
            truth = _truth(annotations, manifest, split or Split.val)
        if plot:
            _check_plottable(truth)
        with stages.stage("reading the results"):
            found = evaluation.read_results(results, truth, lenient=lenient)
        scored = evaluation.evaluate(
            found, truth, backend=backend.value, draws=bootstrap, seed=seed, stages=stages
        )
    if by_category:
        from lvis_merge.evaluation.writing import category_csv

        write_text(by_category, category_csv(scored))
    if plot:
        from lvis_merge.evaluation.plot import ap_plot

        write_text(plot, ap_plot(scored))
    answer(scored, plain, print_evaluation, as_json=as_json)


def _truth(annotations: str | None, manifest: Path | None, split: Split) -> GroundTruth:
    from lvis_merge import evaluation
    from lvis_merge import manifest as manifests

    if annotations is not None:
        return evaluation.truth_of_lvis(annotations)
    assert manifest is not None
    return evaluation.truth_of_manifest(manifests.open(manifest), split.value)


def _check_plottable(truth: GroundTruth) -> None:
    if truth.categories["training_images"].null_count == truth.categories.num_rows:
        raise InputError(
            f"{truth.name}: no category has an image_count, so there is nothing to plot against."
            " Leave --plot out, or give the --manifest that was trained on."
        )
