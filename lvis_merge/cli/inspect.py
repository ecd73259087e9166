"""`lvis-merge inspect`: a manifest in the FiftyOne App."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import ManifestFolder
from lvis_merge.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from lvis_merge.inspect.load import Opened

_WHICH, _APP = "Which images", "App"


def inspect(
    manifest: ManifestFolder,
    image_root: Annotated[
        list[str] | None,
        typer.Option(
            "--image-root",
            metavar="[SOURCE=]DIR",
            help="Where images are; repeatable, tried in turn.",
        ),
    ] = None,
    results: Annotated[
        str | None,
        typer.Option(
            "--results",
            metavar="FILE",
            help="LVIS results to show as predictions: right, wrong or neither at IoU 0.5.",
        ),
    ] = None,
    min_score: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Detections below it are counted and not shown.",
        ),
    ] = 0.05,
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, rich_help_panel=_WHICH, help="N images at random."),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", rich_help_panel=_WHICH, help="Images with a box of this category."
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="SQL",
            rich_help_panel=_WHICH,
            help="Images with a box that meets a condition over the columns of annotations.parquet,"
            " category, frequency, x, y, w, h, has_mask, and image_source, split, file_name, width,"
            " height of the image: \"category = 'owl' AND w < 20\".",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, rich_help_panel=_APP, help="Of the App.")
    ] = 5151,
    launch: Annotated[
        bool,
        typer.Option(
            "--launch/--no-launch", rich_help_panel=_APP, help="Start the App, or load only."
        ),
    ] = True,
) -> None:
    """Look at a manifest in the FiftyOne App; mark what is wrong with tags.

    The second time an unchanged manifest opens at once. Tags reject and relabel:NAME, set in the
    App on boxes or images, are read by lvis-merge curate. The App listens on 127.0.0.1 only.

    Example: lvis-merge inspect manifests/demo --image-root manifests/demo_world/images
    --image-root manifests/demo_world/openimages_images
    """
    if sum(value is not None for value in (sample, category, where)) > 1:
        raise UsageError("Give one of --sample, --category and --where.")
    from lvis_merge import manifest as manifests
    from lvis_merge.image_roots import image_roots
    from lvis_merge.inspect.app import ADDRESS, address, check_port, start_app, wait_for_ever
    from lvis_merge.inspect.database import database
    from lvis_merge.inspect.load import Wanted, opened
    from lvis_merge.inspect.loaded import told
    from lvis_merge.inspect.selection import Selection
    from lvis_merge.progress import Stages

    wanted = Wanted(
        manifests.open(manifest),
        image_roots(image_root or []),
        Selection(sample, category, where),
        results,
        min_score,
    )
    if launch:
        check_port(port)
    stages = Stages()
    with database(), told():
        with stages.shown():
            found = opened(wanted, stages)
        _tell(found, stages.console)
        if not launch:
            print(found.name)
            return
        start_app(found.dataset, port)
        print(address(found.dataset, port), flush=True)
        stages.say(
            "Open this address in a browser; Ctrl-C stops the App. From another machine:"
            f" ssh -N -L {port}:{ADDRESS}:{port} THIS_MACHINE first."
        )
        wait_for_ever(port)


def _tell(found: Opened, console: Console) -> None:
    state = "loaded" if found.is_new else "opened as it was"
    lines = [f"{found.name}: {found.images:,} images, {state}"]
    if found.missing:
        lines.append(
            f"note: {found.missing:,} of {found.images:,} images were not found and are shown as"
            " grey pictures; give --image-root, or `lvis-merge fetch` them"
        )
    if found.older:
        lines.append(
            f"note: {len(found.older)} older data sets of this manifest have tags and were kept;"
            " `lvis-merge curate` reads them too"
        )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
