"""`lvis-merge demo`: a small world of our own, built like a real one; nothing is downloaded."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.errors import UsageError

if TYPE_CHECKING:
    from lvis_merge.demo.pictures import Progress
    from lvis_merge.pipeline.options import BuildOptions

DEMO_IMAGES = 100
"""Open Images images that the demo takes; fewer than it draws, so that it has to choose."""


class World(StrEnum):
    """Which world is drawn."""

    long_tail = "long-tail"
    road_map = "road-map"


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The manifest to be; replaced if it is one."),
    ] = Path("manifests/demo"),
    draw_in: Annotated[
        Path | None,
        typer.Option(
            "--draw-in", metavar="DIR", help="Where to draw the images; default: OUT_world."
        ),
    ] = None,
    world: Annotated[
        World,
        typer.Option(
            help="long-tail: 380 images, a case for every rule of the merge. road-map: 5,700 small"
            " ones of 96 classes, for measuring what each trick does."
        ),
    ] = World.long_tail,
    small: Annotated[
        bool, typer.Option("--small", help="road-map: a sixth of it, for a quick look.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the world and of the selection.")] = 0,
) -> None:
    """Draw a small long-tailed world, build it, validate it and report on it.

    Example: lvis-merge demo --out manifests/demo
    """
    from rich.console import Console

    from lvis_merge.cli.build import print_summary
    from lvis_merge.cli.manifest import print_findings
    from lvis_merge.image_roots import ImageRoot
    from lvis_merge.manifest import check_out
    from lvis_merge.manifest.validate import validate
    from lvis_merge.pipeline.build import build_manifest
    from lvis_merge.progress import Stages

    if small and world != World.road_map:
        raise UsageError("--small goes with --world road-map.")
    check_out(out, overwrite=True)
    folder = draw_in or out.with_name(f"{out.name}_world")
    stages = Stages(Console(stderr=True))
    with stages.shown(), stages.stage("drawing the world") as advance:
        options, roots = _drawn(world, small, folder, out, seed, lambda done, total: advance(1))
    record = build_manifest(options, stages, [ImageRoot(root) for root in roots])
    print_summary(out, record, as_json=False)
    print_findings(out, validate(out), as_json=False)


def _drawn(
    world: World, small: bool, folder: Path, out: Path, seed: int, progress: Progress
) -> tuple[BuildOptions, tuple[Path, ...]]:
    """Draws a world; how it is built, and where its images are."""
    from dataclasses import replace

    from lvis_merge.demo import (
        DemoWorld,
        RoadMapDesign,
        RoadMapWorld,
        draw_road_map,
        draw_world,
    )
    from lvis_merge.pipeline.options import BuildOptions

    def common(drawn: DemoWorld | RoadMapWorld) -> BuildOptions:
        return BuildOptions(
            out=out,
            lvis=str(drawn.lvis_train),
            lvis_val=str(drawn.lvis_val),
            coco=str(drawn.coco),
            openimages=str(drawn.openimages_dir),
            seed=seed,
            overwrite=True,
        )

    if world == World.road_map:
        design = RoadMapDesign.small() if small else RoadMapDesign()
        road_map = draw_road_map(folder, seed, design, progress=progress)
        options = replace(
            common(road_map),
            coco_mapping=str(road_map.coco_mapping),
            openimages_sizes=str(road_map.openimages_sizes),
            mapping=str(road_map.mapping),
            images=None,
        )
        return options, road_map.image_roots
    long_tail = draw_world(folder, seed, progress=progress)
    options = replace(
        common(long_tail),
        lvis_test=str(long_tail.lvis_test),
        openimages_images=long_tail.openimages_images,
        openimages_exclude=str(long_tail.openimages_exclude),
        holdout=(str(long_tail.holdout),),
        images=DEMO_IMAGES,
    )
    return options, long_tail.image_roots
