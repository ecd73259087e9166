"""`lvis-merge export`: a manifest in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvis_merge.cli.options import OUTPUT, JsonOutput, ManifestFolder, Split
from lvis_merge.cli.outputs import answer
from lvis_merge.errors import UsageError
from lvis_merge.export.options import BoxOnly, ExportOptions, Format
from lvis_merge.image_roots import image_roots

_IMAGES = "Images"
_WITH_MASKS = (Format.lvis, Format.coco, Format.yolo)
_WITH_IMAGES = (Format.yolo, Format.fiftyone, Format.huggingface)


def export(
    manifest: ManifestFolder,
    form: Annotated[Format, typer.Option("--format", help="Format of the export.")],
    out: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            rich_help_panel=OUTPUT,
            help="A folder that is not there yet; lvis and coco: or a file, ending in .json, for"
            " one split.",
        ),
    ],
    split: Annotated[
        list[Split] | None,
        typer.Option(help="Splits to take; repeatable. Default: all that have images."),
    ] = None,
    box_only: Annotated[
        BoxOnly,
        typer.Option(
            help="lvis, coco, yolo: objects without a mask keep an empty one (yolo: their images"
            " are left out of segment/), have their rectangle for one, or are dropped."
        ),
    ] = BoxOnly.keep,
    image_root: Annotated[
        list[str] | None,
        typer.Option(
            "--image-root",
            metavar="[SOURCE=]DIR",
            rich_help_panel=_IMAGES,
            help="yolo, fiftyone, huggingface: where images are; repeatable.",
        ),
    ] = None,
    copy_images: Annotated[
        bool,
        typer.Option(
            "--copy-images",
            rich_help_panel=_IMAGES,
            help="yolo: copy images; do not link to them.",
        ),
    ] = False,
    as_json: JsonOutput = False,
) -> None:
    """Write a manifest as LVIS or COCO JSON, YOLO folders, a FiftyOne or a Hugging Face dataset.

    What came from LVIS is written as it came: ids, boxes and polygons to the
    digit, lists in order. Nothing that is there already is replaced.

    Example: lvis-merge export manifests/demo --format coco --out coco/
    """
    if image_root and form not in _WITH_IMAGES:
        raise UsageError(f"--image-root: {form.value} names images and does not look for them.")
    if box_only is not BoxOnly.keep and form not in _WITH_MASKS:
        raise UsageError(f"--box-only: {form.value} says itself which objects have no mask.")
    if copy_images and not (form is Format.yolo and image_root):
        raise UsageError("--copy-images goes with --format yolo and --image-root DIR.")
    from functools import partial

    from lvis_merge import manifest as manifests
    from lvis_merge.export import run
    from lvis_merge.export.summary import as_json as plain
    from lvis_merge.export.summary import notes, print_exported
    from lvis_merge.progress import Stages

    options = ExportOptions(
        out=out,
        format=form,
        splits=[one.value for one in split or ()],
        image_roots=image_roots(image_root or []),
        box_only=box_only,
        copy_images=copy_images,
    )
    opened = manifests.open(manifest)
    stages = Stages()
    with stages.shown():
        exported = run.export(opened, options, stages)
    for note in notes(options, exported):
        stages.say(f"note: {note}")
    shown = partial(print_exported, options)
    answer(exported, partial(plain, options), shown, as_json=as_json)
