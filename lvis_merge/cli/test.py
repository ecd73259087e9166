"""`lvis-merge test`: a trained detector's results and pool on a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import (
    DATA,
    OUTPUT,
    PROCESSES,
    SPLITS,
    Gpus,
    ImageRoots,
    Master,
    NodeRank,
    Nodes,
)
from lvis_merge.cli.train import launch, load_stack
from lvis_merge.errors import InputError, UsageError

if TYPE_CHECKING:
    from lvis_merge.testing.inference.output import RunOutcome

_VIEWS = "Views"


def detect(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="What it was trained by: a name, or a file.")
    ],
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="Its weights: best_….pth, iter_N.pth.")
    ],
    manifest: Annotated[
        Path,
        typer.Option(
            metavar="DIR", rich_help_panel=DATA, help="The manifest it was trained on: its labels."
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=DATA,
            help="Test on the images of another manifest, as an expert is; default: --manifest's.",
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(rich_help_panel=DATA, help="Its images: train, val or test.")
    ] = "val",
    image_root: ImageRoots = None,
    boxes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=DATA,
            help="Give the boxes of these results (an ensemble's, say) their masks; find none.",
        ),
    ] = None,
    lenient: Annotated[
        bool,
        typer.Option("--lenient", rich_help_panel=DATA, help="Drop bad entries of --boxes."),
    ] = False,
    scales: Annotated[
        str | None,
        typer.Option(
            metavar="SHORT[xLONG],…",
            rich_help_panel=_VIEWS,
            help="Test at these sizes: 600,800,1000,1200,1400 are the paper's; default: the"
            " recipe's one.",
        ),
    ] = None,
    flip: Annotated[
        bool, typer.Option("--flip", rich_help_panel=_VIEWS, help="Mirrored too, at each size.")
    ] = False,
    pool: Annotated[
        int,
        typer.Option(
            min=0,
            max=100_000,
            rich_help_panel=OUTPUT,
            help="Boxes an image before the cap, for `ensemble`; 0: no pool.",
        ),
    ] = 1000,
    no_masks: Annotated[
        bool, typer.Option("--no-masks", rich_help_panel=OUTPUT, help="Boxes only.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=OUTPUT,
            help="Gets results.json and pool.parquet; default: runs/RECIPE/test-SPLIT.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", rich_help_panel=OUTPUT, help="Print what was written as JSON."),
    ] = False,
    gpus: Gpus = None,
    nodes: Nodes = None,
    node_rank: NodeRank = None,
    master: Master = None,
    amp: Annotated[
        bool, typer.Option("--amp", rich_help_panel=PROCESSES, help="Half precision.")
    ] = False,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="As for `train`: the same as then."),
    ] = None,
) -> None:
    """Write a detector's LVIS results and its pool for the images of a split.

    With --scales, boxes are merged over all views by class-wise NMS, and the
    masks on the merged boxes are averaged over all views. Killed or stopped,
    the same command goes on: finished images are not redone.

    Example: lvis-merge test mini runs/demo/best_lvis_segm_AP_iter_800.pth --manifest manifests/demo
    --image-root manifests/demo_world/images --scales 192x256,256x341 --flip
    """
    if split not in SPLITS:
        raise UsageError(f"--split {split}: give train, val or test.")
    if boxes is not None and no_masks:
        raise UsageError("--boxes gives boxes their masks; leave --no-masks out.")
    import os

    from lvis_merge import manifest as manifests
    from lvis_merge.image_roots import image_roots
    from lvis_merge.testing.inference.views import read_scales
    from lvis_merge.training.recipe import find_recipe
    from lvis_merge.training.recipe.processes import processes, slurm_variables

    sizes = read_scales(scales) if scales is not None else ()
    # all that can be told before seconds go into loading torch
    if nodes is None and gpus is None:
        os.environ.update(slurm_variables(master, os.environ))
    team = processes(gpus, nodes, node_rank, master, os.environ)
    folder = out or Path("runs") / find_recipe(recipe).stem / f"test-{split}"
    for place in (manifest, images or manifest):
        manifests.open(place)
    roots = tuple(image_root or ())
    image_roots(roots)
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file. Give a checkpoint.")
    if boxes is not None and not Path(boxes).is_file():
        raise InputError(f"--boxes {boxes}: no such file. Give a results file.")
    if team.starts_others:
        return launch(team, "The same command goes on: finished images are not redone.")
    load_stack(quietly=os.environ.get("RANK", "0") != "0")

    from lvis_merge.testing.inference.plan import RunPlan
    from lvis_merge.testing.inference.recipe import testing_recipe
    from lvis_merge.testing.inference.run import run_test

    plan = RunPlan(
        checkpoint=checkpoint,
        manifest=manifest.resolve(),
        images=(images or manifest).resolve(),
        split=split,
        image_roots=roots,
        out=folder,
        scales=sizes,
        flip=flip,
        pool=pool,
        masks=not no_masks,
        boxes=boxes,
        lenient=lenient,
        amp=amp,
    )
    config, loader = testing_recipe(recipe, manifest, roots, override or ())
    outcome = run_test(plan, config, loader)
    if outcome is not None:
        _print(outcome, as_json)


def _print(outcome: RunOutcome, as_json: bool) -> None:
    import json

    from lvis_merge.testing.inference.output import plain

    if as_json:
        pool = str(outcome.pool) if outcome.pool else None
        print(json.dumps({**plain(outcome), "results": str(outcome.results), "pool": pool}))
        return
    kinds = "boxes and masks" if outcome.masks else "boxes"
    views = f"{outcome.views} views" if outcome.views > 1 else "1 view"
    print(f"{outcome.images:,} images at {views}")
    print(f"{outcome.results}: {outcome.detections:,} detections, {kinds}")
    if outcome.pool:
        print(f"{outcome.pool}: {outcome.pooled:,} boxes before the cap")
