"""What an export wrote, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lvis_merge.export.options import BoxOnly, Exported, ExportOptions, Format
from lvis_merge.report.text_table import print_table

if TYPE_CHECKING:
    from rich.console import Console

_TOLD = {
    "clipped": "{:,} boxes were cut off at the edge of their image",
    "outside": "{:,} boxes outside their image were left out",
    "ignore_left_out": "{:,} ignore regions were left out: the format has none",
    "images_without_segments": "{:,} images are in detect/ only: an object has no polygon",
    "images_missing": "{:,} images were not found below the image roots",
}


def as_json(options: ExportOptions, exported: Sequence[Exported]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "format": options.format.value,
        "out": str(options.out),
        "splits": [asdict(one) for one in exported],
        "notes": list(notes(options, exported)),
    }


def notes(options: ExportOptions, exported: Sequence[Exported]) -> Iterator[str]:
    """What a user of the export must know, in sentences."""

    def total(name: str) -> int:
        return sum(one.counts.get(name, 0) for one in exported)

    if count := total("box_only"):
        yield _box_only_words(options, count)
    if (count := total("bitmaps")) and options.format is Format.lvis:
        yield (
            f"{count:,} masks are run lengths: lvis-api reads them, detectron2's LVIS loader takes"
            " polygons only"
        )
    for name, words in _TOLD.items():
        if count := total(name):
            yield words.format(count)
    if options.format is Format.yolo:
        if not options.image_roots:
            yield f"no image was linked: put your images, or links to them, in {options.out}/images"
        if missing := {"train", "val"} - {one.split for one in exported}:
            yield f"Ultralytics asks for train and val; there is no {' and no '.join(missing)}"


def _box_only_words(options: ExportOptions, count: int) -> str:
    lead = f"{count:,} objects have a box and no mask"
    match options.box_only:
        case BoxOnly.drop:
            return f"{lead}: they were left out, so readers take them for background"
        case BoxOnly.rectangle:
            return f"{lead}: their rectangle stands for it, so do not train masks on them"
    if options.format is Format.lvis:
        return (
            f"{lead}: their segmentation is [], which detectron2's LVIS loader refuses. Give"
            " --box-only rectangle or drop for it"
        )
    return (
        f"{lead}: their segmentation is [], with which pycocotools scores boxes but no masks. Give"
        " --box-only rectangle or drop for masks"
    )


def print_exported(options: ExportOptions, exported: Sequence[Exported], console: Console) -> None:
    """Prints what was written as a table.

    Args:
        options: of the export.
        exported: what was written.
        console: where to.
    """
    rows = [
        (
            one.split,
            "" if one.file == "." else one.file,
            f"{one.images:,}",
            f"{one.objects:,}",
            f"{one.ignore_regions:,}" if one.ignore_regions else "-",
        )
        for one in exported
    ]
    print_table(
        console, f"{options.out}: {options.format.value}",
        "split|file|#images|#objects|#ignore regions", rows,
    )  # fmt: skip
