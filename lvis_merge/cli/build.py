"""`lvis-merge build`: the sources in, one manifest out."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import (
    OUTPUT,
    Engine,
    EngineName,
    RayAddress,
    Threads,
    chosen_engine,
)
from lvis_merge.errors import UsageError

if TYPE_CHECKING:
    from lvis_merge.manifest import ManifestRecord


class Selection(StrEnum):
    """How Open Images images are chosen."""

    balanced = "balanced"
    random = "random"


class Candidates(StrEnum):
    """Which may be chosen."""

    all = "all"
    sized = "sized"


class CocoBoxes(StrEnum):
    """Which COCO boxes become ignore regions."""

    all = "all"
    unmatched = "unmatched"
    off = "off"


class Unmapped(StrEnum):
    """What becomes of boxes of unmapped classes."""

    ignore = "ignore"
    drop = "drop"


class Space(StrEnum):
    """Whose categories the manifest has."""

    lvis = "lvis"
    coco = "coco"
    open_images = "open_images"


_SOURCES, _OPEN_IMAGES, _RULES = "Sources", "Open Images", "Rules"
_EXTRA = "NAME=coco-json:PATH:MAP.csv"


def _file(flag: str, panel: str, text: str) -> typer.models.OptionInfo:
    return typer.Option(flag, metavar="FILE", rich_help_panel=panel, help=text)  # type: ignore[no-any-return]


def build(
    lvis: Annotated[str | None, _file("--lvis", _SOURCES, "LVIS train JSON (v0.5 or v1).")] = None,
    lvis_val: Annotated[
        str | None, _file("--lvis-val", _SOURCES, "LVIS val JSON: split val, held out.")
    ] = None,
    lvis_test: Annotated[
        str | None, _file("--lvis-test", _SOURCES, "LVIS test JSON: split test, held out.")
    ] = None,
    coco: Annotated[
        str | None, _file("--coco", _SOURCES, "COCO instances JSON: ignore regions.")
    ] = None,
    coco_mapping: Annotated[
        str | None, _file("--coco-mapping", _SOURCES, "COCO label map; default: the one included.")
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--extra",
            metavar=_EXTRA,
            rich_help_panel=_SOURCES,
            help="A further data set in COCO's format, and its label map; repeatable.",
        ),
    ] = None,
    extra_exhaustive: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=_SOURCES,
            help="An extra whose images are annotated completely for all its classes: what has no"
            " row is absent; repeatable.",
        ),
    ] = None,
    openimages: Annotated[
        str | None,
        typer.Option(
            "--openimages",
            metavar="DIR",
            rich_help_panel=_OPEN_IMAGES,
            help="Folder with the Open Images CSVs under their published names.",
        ),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="CSV|none",
            rich_help_panel=_OPEN_IMAGES,
            help="Label map; default: 110 rare and common classes. none: all classes, in label"
            " space open_images.",
        ),
    ] = None,
    images: Annotated[
        str,
        typer.Option(
            "--images",
            metavar="N|all",
            rich_help_panel=_OPEN_IMAGES,
            help="How many images to take.",
        ),
    ] = "20000",
    selection: Annotated[
        Selection,
        typer.Option(rich_help_panel=_OPEN_IMAGES, help="Balanced over categories, or at random."),
    ] = Selection.balanced,
    candidates: Annotated[
        Candidates,
        typer.Option(
            rich_help_panel=_OPEN_IMAGES, help="All images, or only those whose size is known."
        ),
    ] = Candidates.all,
    openimages_images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=_OPEN_IMAGES,
            help="Folder with the images, for their sizes (headers only).",
        ),
    ] = None,
    openimages_sizes: Annotated[
        str | None,
        _file("--openimages-sizes", _OPEN_IMAGES, "CSV ImageID,Width,Height."),
    ] = None,
    openimages_exclude: Annotated[
        str | None,
        _file("--openimages-exclude", _OPEN_IMAGES, "CSV with a column ImageID: not to take."),
    ] = None,
    unmapped: Annotated[
        Unmapped,
        typer.Option(rich_help_panel=_RULES, help="Boxes of classes that the map lacks."),
    ] = Unmapped.ignore,
    coco_boxes: Annotated[
        CocoBoxes,
        typer.Option(
            rich_help_panel=_RULES,
            help="COCO boxes that become ignore regions: all, those that outline no LVIS object,"
            " or none.",
        ),
    ] = CocoBoxes.all,
    holdout: Annotated[
        list[str] | None,
        _file("--holdout", _RULES, "JSON or CSV of images to keep out of train; repeatable."),
    ] = None,
    corrections: Annotated[
        str | None,
        _file("--corrections", _RULES, "CSV of lvis-merge curate: what people corrected."),
    ] = None,
    label_space: Annotated[
        Space, typer.Option(rich_help_panel=_RULES, help="Whose categories the manifest has.")
    ] = Space.lvis,
    max_rejects: Annotated[
        str | None,
        typer.Option(
            metavar="N|P%",
            rich_help_panel=_RULES,
            help="Bad rows tolerated per file; default: the larger of 10 and 0.1%.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", rich_help_panel=_RULES, help="Stop at the first bad row.")
    ] = False,
    seed: Annotated[int, typer.Option(rich_help_panel=_RULES, help="Seed of the selection.")] = 0,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", rich_help_panel=OUTPUT, help="The manifest to be."),
    ] = Path("manifests/lvis_merge"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", rich_help_panel=OUTPUT, help="Replace a manifest.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print the counts as JSON.")
    ] = False,
    engine: Engine = EngineName.native,
    ray_address: RayAddress = None,
    threads: Threads = None,
) -> None:
    """Merge LVIS, COCO, Open Images and further sets into one Parquet manifest.

    Example: lvis-merge build --lvis lvis_v0.5_train.json --lvis-val lvis_v0.5_val.json --coco
    instances_train2017.json --openimages open_images/ --openimages-sizes sizes.csv --out
    manifests/v0.5
    """
    if images != "all" and not re.fullmatch("[0-9]{1,18}", images):
        raise UsageError(f"--images {images}: give a number such as 20000, or all.")
    from lvis_merge.pipeline.build import build_manifest
    from lvis_merge.pipeline.extra_option import parse_extras
    from lvis_merge.pipeline.options import BuildOptions

    options = BuildOptions(
        out=out,
        lvis=lvis,
        lvis_val=lvis_val,
        lvis_test=lvis_test,
        coco=coco,
        openimages=openimages,
        mapping=mapping,
        coco_mapping=coco_mapping,
        images=None if images == "all" else int(images),
        selection=selection.value,
        candidates=candidates.value,
        openimages_images=openimages_images,
        openimages_sizes=openimages_sizes,
        openimages_exclude=openimages_exclude,
        coco_boxes=coco_boxes.value,
        unmapped=unmapped.value,
        holdout=tuple(holdout or ()),
        corrections=corrections,
        label_space=label_space.value,
        extra=parse_extras(extra or (), extra_exhaustive or ()),
        max_rejects=max_rejects,
        strict=strict,
        seed=seed,
        overwrite=overwrite,
    )
    with chosen_engine(engine, ray_address, threads):
        record = build_manifest(options)
    print_summary(out, record, as_json)


def print_summary(out: Path, record: ManifestRecord, as_json: bool) -> None:
    """What a build read, kept and left out, on stdout."""
    import json

    import msgspec

    if as_json:
        counts = msgspec.to_builtins(record.counts)
        rows = msgspec.to_builtins(record.rows)
        plain = {
            "manifest": str(out),
            "counts": counts,
            "rows": rows,
            "warnings": list(record.warnings),
        }
        print(json.dumps(plain, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    print(out)
    table = Table(box=None, pad_edge=False)
    for name in ("source", "rows"):
        table.add_column(name)
    for name in ("in", "kept", "left out", "bad"):
        table.add_column(name, justify="right")
    table.add_column("why left out")
    for source, kinds in record.counts.items():
        for kind, counts in kinds.items():
            dropped = sum(counts.dropped.values())
            why = ", ".join(f"{rule} {number:,}" for rule, number in counts.dropped.items())
            numbers = (counts.rows_in, counts.kept, dropped, counts.rejected)
            table.add_row(source, kind, *(f"{number:,}" for number in numbers), why)
    Console().print(table)
    relabelled = sum(one.relabelled for kinds in record.counts.values() for one in kinds.values())
    if relabelled:
        print(f"\n{relabelled:,} of the rows kept have another category by --corrections.")
    print(f"\nNext: lvis-merge validate {out}; open {out / 'report.html'} in a browser.")
