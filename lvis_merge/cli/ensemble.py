"""`lvis-merge ensemble`: fuses pools of several models and lets the tail through the cap."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import OUTPUT, SPLITS, JsonOutput, Lenient
from lvis_merge.cli.outputs import answer, check_folder, write_json
from lvis_merge.errors import UsageError

if TYPE_CHECKING:
    from lvis_merge.evaluation import GroundTruth


class Fusion(StrEnum):
    """How overlapping boxes are fused."""

    nms = "nms"
    wbf = "wbf"


_PARAMETERS = "Parameters: fit them, or give them"


def ensemble(
    main: Annotated[
        str, typer.Argument(metavar="MAIN", help="The main model's pool: .parquet or .json.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            rich_help_panel=OUTPUT,
            help="The merged boxes, at most 300 an image: .json or .parquet.",
        ),
    ],
    experts: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPERT", help="Pools that `lvis-merge experts` wrote."),
    ] = None,
    fit_on: Annotated[
        str | None,
        typer.Option(
            metavar="LVIS.json|SPLIT",
            rich_help_panel=_PARAMETERS,
            help="Fit on this LVIS file, or on a split (val) of --manifest.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=_PARAMETERS, help="A manifest to fit on."),
    ] = None,
    params: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT", rich_help_panel=_PARAMETERS, help="Or the report of an earlier fit."
        ),
    ] = None,
    fusion: Annotated[
        Fusion | None,
        typer.Option(
            help="Of boxes of categories that several models know: class-wise NMS at 0.5 (default)"
            " or weighted boxes fusion at 0.55. With --params: as fitted."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            rich_help_panel=OUTPUT,
            help="The report, with the parameters; with --fit-on by default beside --out:"
            " FILE.fit.json.",
        ),
    ] = None,
    lenient: Lenient = False,
    as_json: JsonOutput = False,
) -> None:
    """Fuse a model and its experts, and choose what the cap of 300 keeps.

    --fit-on finds a shift of the scores of rare and of common categories and
    an offset of each expert: the highest box AP for an AP_f at most 0.1 lower.
    What it writes is cross-fitted: each half of the images is scored with what
    was fitted on the other half. --params applies a fit to other images.

    Example: lvis-merge ensemble main.parquet coco.parquet --fit-on lvis_val.json --out merged.json
    """
    if (fit_on is None) == (params is None):
        raise UsageError("ensemble: give --fit-on LVIS.json or --params REPORT, one of them.")
    if manifest is not None and fit_on not in SPLITS:
        raise UsageError("--manifest DIR goes with --fit-on train, val or test: one of its splits.")
    if manifest is None and fit_on in SPLITS:
        raise UsageError(f"--fit-on {fit_on} is a split; give the --manifest DIR it is in too.")
    paths = [main, *(experts or [])]
    report = report or (out.with_name(f"{out.name.split('.')[0]}.fit.json") if fit_on else None)
    for file in (out, report):
        check_folder(file)

    from lvis_merge.progress import Stages
    from lvis_merge.testing.ensemble import files
    from lvis_merge.testing.ensemble.report import as_json as plain
    from lvis_merge.testing.ensemble.report import print_outcome

    stages = Stages()
    with stages.shown():
        if params is not None:
            from lvis_merge.testing.ensemble.parameters import read_fitted

            fitted = read_fitted(params)
            if fusion is not None and fusion.value != fitted.fusion:
                raise UsageError(
                    f"--fusion {fusion.value}: {params} was fitted with {fitted.fusion}."
                    " Leave --fusion out, or fit again."
                )
            outcome = files.apply_files(
                paths, fitted, name=params.name, lenient=lenient, stages=stages
            )
        else:
            assert fit_on is not None
            with stages.stage("reading the ground truth"):
                truth = _truth(fit_on, manifest)
            outcome = files.fit_files(
                paths, truth, (fusion or Fusion.nms).value, lenient=lenient, stages=stages
            )
        files.write_merged(outcome, out, stages)
    if report is not None:
        write_json(report, plain(outcome))
        stages.say(f"{report}: the report; --params {report} applies it to other images.")
    answer(outcome, plain, print_outcome, as_json=as_json)


def _truth(fit_on: str, manifest: Path | None) -> GroundTruth:
    from lvis_merge import evaluation
    from lvis_merge import manifest as manifests

    if manifest is None:
        return evaluation.truth_of_lvis(fit_on)
    return evaluation.truth_of_manifest(manifests.open(manifest), fit_on)
