"""`lvis-merge submit`: the file for the LVIS test server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import Json, Split
from lvis_merge.cli.outputs import check_folder
from lvis_merge.errors import InputError, UsageError

if TYPE_CHECKING:
    from lvis_merge.evaluation.known import Known
    from lvis_merge.testing.submission import Submission

_IMAGES = "The split's images"


def submit(
    results: Annotated[
        str, typer.Argument(metavar="RESULTS", help="LVIS results with masks: .json or .parquet.")
    ],
    out: Annotated[Path, typer.Option(metavar="ZIP", help="The archive to upload.")],
    annotations: Annotated[
        str | None,
        typer.Option(
            metavar="LVIS.json",
            rich_help_panel=_IMAGES,
            help="The LVIS file of the split: lvis_v1_image_info_test_dev.json, say.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=_IMAGES, help="Or a manifest that has it."),
    ] = None,
    split: Annotated[
        Split | None,
        typer.Option(rich_help_panel=_IMAGES, help="Of the manifest; default: test."),
    ] = None,
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient", help="Drop and count bad entries, and those beyond 300 an image."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check results against the LVIS test server's rules, and zip them.

    Images and categories of the split, masks that fit their images, scores in
    [0, 1], at most 300 detections an image.

    Example: lvis-merge submit results.json --annotations lvis_test.json --out s.zip
    """
    if (annotations is None) == (manifest is None):
        raise UsageError("submit: give --annotations LVIS.json or --manifest DIR, one of them.")
    if split and manifest is None:
        raise UsageError(f"--split {split.value} is for --manifest DIR; an LVIS file is one split.")
    check_folder(out)
    from lvis_merge.progress import Stages
    from lvis_merge.testing.submission import submit as zipped

    stages = Stages()
    with stages.shown():
        with stages.stage("reading the images"):
            known = _known(annotations, manifest, (split or Split.test).value)
        with stages.stage("checking and zipping the results"):
            found = zipped(results, known, out, lenient=lenient)
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps(asdict(found), indent=2))
    else:
        for line in _lines(found):
            print(line)


def _known(annotations: str | None, manifest: Path | None, split: str) -> Known:
    from lvis_merge import manifest as manifests
    from lvis_merge.evaluation.known import Known
    from lvis_merge.sources.files import base_name, local_files
    from lvis_merge.sources.lvis import read_lvis

    if annotations is not None:
        with local_files([annotations]) as found:
            source = read_lvis(found[annotations], test=True)
        return Known.of(base_name(annotations), source.images, source.categories)
    import pyarrow.compute as pc

    assert manifest is not None
    opened = manifests.open(manifest)
    images = opened.arrow("images", ["image_id", "width", "height", "split"])
    images = images.filter(pc.equal(images["split"], split))
    if not images.num_rows:
        raise InputError(f"{manifest}: has no images in split {split}. Give another --split.")
    categories = opened.arrow("categories", ["category_id"])
    return Known.of(f"{manifest} ({split})", images, categories)


def _lines(found: Submission) -> list[str]:
    lines = [
        f"{found.file}: {found.entries:,} detections on {found.images:,} images,"
        f" {found.bytes:,} bytes"
    ]
    if found.images_without:
        lines.append(f"{found.images_without:,} images have no detection.")
    if found.dropped:
        dropped = ", ".join(f"{fault} {count:,}" for fault, count in found.dropped.items())
        lines.append(f"Dropped: {dropped}.")
    if found.boxes_left_out:
        lines.append("Boxes were left out: with them the server would measure sizes by boxes.")
    return lines
