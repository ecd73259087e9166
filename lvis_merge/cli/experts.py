"""`lvis-merge experts`: results of a detector in another label space as LVIS results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import OUTPUT, JsonOutput, Lenient
from lvis_merge.cli.outputs import answer, check_folder
from lvis_merge.errors import InputError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

_IDS, _TARGET = "The expert's ids", "The LVIS version wanted"


def experts(
    results: Annotated[
        str,
        typer.Argument(metavar="RESULTS", help="The expert's results or pool: .json or .parquet."),
    ],
    label_map: Annotated[
        Path,
        typer.Option(
            "--map",
            metavar="CSV",
            rich_help_panel=_IDS,
            help="Label map of its classes, such as mappings/coco_2017.csv.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE", rich_help_panel=OUTPUT, help="LVIS results: .json or .parquet."
        ),
    ],
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=_IDS,
            help="The manifest that it was trained on, if the ids are that one's; without it they"
            " are COCO's.",
        ),
    ] = None,
    annotations: Annotated[
        str | None,
        typer.Option(
            metavar="LVIS.json", rich_help_panel=_TARGET, help="An LVIS file: v0.5 or v1."
        ),
    ] = None,
    target_manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", rich_help_panel=_TARGET, help="Or a manifest in the LVIS label space."
        ),
    ] = None,
    lenient: Lenient = False,
    as_json: JsonOutput = False,
) -> None:
    """Turn an expert's results into LVIS results of the shared categories.

    Every detection is kept or counted as dropped. Several classes may become
    one category. Boxes only: masks follow from the ensemble's boxes.

    Example: lvis-merge experts coco.json --map mappings/coco_2017.csv
    --annotations lvis_val.json --out coco_lvis.parquet
    """
    if (annotations is None) == (target_manifest is None):
        raise UsageError(
            "experts: the map names synsets, and ids differ between LVIS versions. Give"
            " --annotations LVIS.json or --target-manifest DIR, one of them."
        )
    check_folder(out)
    from lvis_merge import manifest as manifests
    from lvis_merge.labelmap.read import read_map
    from lvis_merge.progress import Stages
    from lvis_merge.testing.experts.convert import convert
    from lvis_merge.testing.experts.partners import partners
    from lvis_merge.testing.experts.report import as_json as plain
    from lvis_merge.testing.experts.report import print_converted

    stages = Stages()
    with stages.shown():
        opened = None if manifest is None else manifests.open(manifest)
        read = read_map(label_map)
        with stages.stage("reading the LVIS categories"):
            categories = _categories(annotations, target_manifest)
        classes = partners(read, categories, opened)
        ids, names = (categories[name].to_pylist() for name in ("category_id", "name"))
        with stages.stage("converting the results"):
            converted = convert(
                results,
                classes,
                dict(zip(ids, names, strict=True)),
                str(manifest or label_map),
                out,
                lenient=lenient,
            )
    answer(converted, plain, print_converted, as_json=as_json)


def _categories(annotations: str | None, target: Path | None) -> pa.Table:
    """The categories of an LVIS file or of a manifest, with id, synset and name."""
    from lvis_merge import manifest as manifests
    from lvis_merge.sources.files import local_files
    from lvis_merge.sources.lvis import read_lvis

    if annotations is not None:
        with local_files([annotations]) as found:
            return read_lvis(found[annotations], test=True).categories
    assert target is not None
    opened = manifests.open(target)
    if opened.record.label_space != "lvis":
        raise InputError(
            f"{target}: is a manifest in label space {opened.record.label_space}. Give one in the"
            " LVIS label space."
        )
    return opened.arrow("categories", ["category_id", "synset", "name"])
