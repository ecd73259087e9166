"""`lvis-merge fetch`: downloads images, and `lvis-merge fetch annotations` the published files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lvis_merge.cli.options import ImageRoots, Json, JsonOutput
from lvis_merge.cli.outputs import answer
from lvis_merge.errors import InputError, UsageError


class LvisVersion(StrEnum):
    """Of LVIS."""

    v05 = "v0.5"
    v1 = "v1"


class OpenImagesVersion(StrEnum):
    """Of Open Images."""

    v5 = "v5"
    v7 = "v7"


_IMAGES = "images"
_SPEED = "Speed"
_MB = 1e6


class _Nameless(TyperCommand.context_class):  # type: ignore[misc, valid-type]
    @property
    def command_path(self) -> str:
        return str(super().command_path).strip()


class _FetchImages(TyperCommand):
    """In its usage and its errors the command is called `lvis-merge fetch`."""

    context_class = _Nameless


class _ImagesUnlessNamed(TyperGroup):
    """`fetch ARGUMENTS` fetches images unless the first argument names another command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = [_IMAGES, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return ("" if name == _IMAGES else name), command, rest


fetch_app = typer.Typer(
    cls=_ImagesUnlessNamed,
    help="Download the images of a manifest or a selection; with `annotations`: the published"
    " annotation files.",
)


@fetch_app.command(_IMAGES, cls=_FetchImages, no_args_is_help=True)
def fetch(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|CSV",
            help="A manifest, or the openimages_selection.csv that `lvis-merge build` wrote.",
        ),
    ],
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="ROOT",
            help="Where images go: ROOT/train/ID.jpg, ROOT/train2017/….jpg. Good for --image-root"
            " and --openimages-images.",
        ),
    ],
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where Open Images' images are: http(s)://…, s3://BUCKET/PREFIX (with AWS_* in the"
            " environment, AWS_ENDPOINT_URL too) or a folder. Default: the public bucket,"
            " s3://open-images-dataset.",
        ),
    ] = None,
    coco: Annotated[
        bool,
        typer.Option("--coco", help="Fetch the images of LVIS, COCO and extras too, by coco_url."),
    ] = False,
    image_root: ImageRoots = None,
    workers: Annotated[
        int,
        typer.Option(min=1, max=4096, rich_help_panel=_SPEED, help="Requests in flight."),
    ] = 256,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="MB/S",
            rich_help_panel=_SPEED,
            help="At most so many megabytes (10^6 bytes) a second; default: no limit.",
        ),
    ] = None,
    as_json: JsonOutput = False,
) -> None:
    """Download exactly the images of a manifest or a selection, each checked before it is there.

    Interrupted or run again, it goes on with what is missing. ROOT then also has
    openimages_sizes.csv for `build --openimages-sizes` and openimages_failures.csv for `build
    --openimages-exclude`. Ends with 3 if an image could not be had.

    A manifest folder that is called annotations is given as ./annotations.

    Example: lvis-merge fetch openimages_selection.csv --to open_images_files/

    Annotation files: lvis-merge fetch annotations --to data/ --lvis v0.5 --coco --openimages v5
    (lvis-merge fetch annotations --help)
    """
    if rate is not None and not rate > 0:
        raise typer.BadParameter("give more than 0 megabytes a second.", param_hint="--rate")
    from lvis_merge.fetch.report import as_plain, failed, print_fetched
    from lvis_merge.fetch.run import FetchOptions, fetch_images
    from lvis_merge.image_roots import image_roots
    from lvis_merge.progress import Stages

    options = FetchOptions(
        what,
        to,
        mirror=mirror,
        coco=coco,
        image_roots=image_roots(image_root or ()),
        workers=workers,
        rate=None if rate is None else rate * _MB,
    )
    fetched = fetch_images(options, Stages())
    answer(fetched, as_plain, print_fetched, as_json=as_json)
    if fetched.failed:
        raise InputError(failed(fetched))


@fetch_app.command("annotations", no_args_is_help=True)
def fetch_annotations(
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="DIR", help="Where files go; Open Images' to DIR/open_images_VERSION."
        ),
    ],
    lvis: Annotated[LvisVersion | None, typer.Option(help="LVIS: train, val and test.")] = None,
    coco: Annotated[
        bool, typer.Option("--coco", help="COCO 2017: instances of train and val, unpacked.")
    ] = False,
    openimages: Annotated[
        OpenImagesVersion | None,
        typer.Option(help="Open Images: boxes, image lists, verified labels, classes, hierarchy."),
    ] = None,
    masks: Annotated[
        bool,
        typer.Option(
            "--masks",
            help="The instance masks of Open Images too: millions of PNG files, unpacked.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Download annotation files from their official addresses, each checked before it is there.

    Interrupted or run again, it goes on in the middle of a file. LVIS v1 is 0.4 GB, COCO 0.25 GB;
    Open Images is more than 2 GB (v5) or 3 GB (v7), without --masks.

    Example: lvis-merge fetch annotations --to data/ --lvis v0.5 --coco --openimages v5
    """
    if masks and not openimages:
        raise UsageError(
            "fetch annotations: --masks are those of Open Images; give --openimages v5 or v7 too."
        )
    if not (lvis or coco or openimages):
        raise UsageError("fetch annotations: say which: --lvis v0.5, --coco, --openimages v5.")
    from lvis_merge.fetch import annotations as published
    from lvis_merge.fetch.annotation_table import annotation_files
    from lvis_merge.fetch.report import files_as_plain, print_files
    from lvis_merge.progress import Stages

    files = annotation_files(
        lvis and lvis.value, coco, openimages and openimages.value, masks=masks
    )
    fetched = published.fetch_annotations(files, to, Stages())
    answer(fetched, files_as_plain, print_files, as_json=as_json)
