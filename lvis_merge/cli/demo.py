"""`lvis-merge demo`: a small world of our own, built like a real one; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEMO_IMAGES = 100
"""Open Images images that the demo takes; fewer than it draws, so that it has to choose."""


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The manifest to be; replaced if it is one."),
    ] = Path("manifests/demo"),
    world: Annotated[
        Path | None,
        typer.Option(
            "--draw-in", metavar="DIR", help="Where to draw the images; default: OUT_world."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the world and of the selection.")] = 0,
) -> None:
    """Draw a small long-tailed world, build it, validate it and report on it.

    Example: lvis-merge demo --out manifests/demo
    """
    from rich.console import Console

    from lvis_merge.cli.build import print_summary
    from lvis_merge.cli.manifest import print_findings
    from lvis_merge.demo import draw_world
    from lvis_merge.image_roots import ImageRoot
    from lvis_merge.manifest import check_out
    from lvis_merge.manifest.validate import validate
    from lvis_merge.pipeline.build import build_manifest
    from lvis_merge.pipeline.options import BuildOptions
    from lvis_merge.progress import Stages

    check_out(out, overwrite=True)
    folder = world or out.with_name(f"{out.name}_world")
    stages = Stages(Console(stderr=True))
    with stages.shown(), stages.stage("drawing the world") as advance:
        drawn = draw_world(folder, seed, progress=lambda done, total: advance(1))
    record = build_manifest(
        BuildOptions(
            out=out,
            lvis=str(drawn.lvis_train),
            lvis_val=str(drawn.lvis_val),
            lvis_test=str(drawn.lvis_test),
            coco=str(drawn.coco),
            openimages=str(drawn.openimages_dir),
            openimages_images=drawn.openimages_images,
            openimages_exclude=str(drawn.openimages_exclude),
            holdout=(str(drawn.holdout),),
            images=DEMO_IMAGES,
            seed=seed,
            overwrite=True,
        ),
        stages,
        [ImageRoot(root) for root in drawn.image_roots],
    )
    print_summary(out, record, as_json=False)
    print_findings(out, validate(out), as_json=False)
