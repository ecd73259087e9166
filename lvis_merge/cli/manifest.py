"""`lvis-merge validate` and `lvis-merge stats`: what a manifest holds, and whether it is sound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import (
    Engine,
    EngineName,
    Json,
    ManifestFolder,
    RayAddress,
    chosen_engine,
)
from lvis_merge.cli.outputs import answer
from lvis_merge.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from lvis_merge.manifest import Manifest
    from lvis_merge.manifest.validate import Finding


def validate(manifest: ManifestFolder, as_json: Json = False) -> None:
    """Prove every rule that can be proved from a manifest's files.

    Ends with 0 when it is valid (warnings are printed), 1 when a rule is broken, 3 when there is no
    manifest.

    Example: lvis-merge validate manifests/demo
    """
    from lvis_merge.manifest.validate import validate as find

    print_findings(manifest, find(manifest), as_json)


def print_findings(manifest: Path, findings: Sequence[Finding], as_json: bool) -> None:
    """Prints findings.

    Raises:
        CheckFailedError: one of them is an error.
    """
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        plain = {"manifest": str(manifest), "valid": not errors, "findings": []}
        print(
            json.dumps({**plain, "findings": [asdict(finding) for finding in findings]}, indent=2)
        )
    else:
        for finding in findings:
            print(finding)
        warnings = len(findings) - errors
        print(f"{manifest}: {'not valid' if errors else 'valid'} ({warnings} warnings)")
    if errors:
        raise CheckFailedError(f"{manifest}: {errors} errors. Build it again from its sources.")


def stats(
    manifest: ManifestFolder,
    image_root: Annotated[
        list[str] | None,
        typer.Option(
            "--image-root",
            metavar="[SOURCE=]DIR",
            help="Where images are, for the pictures of --report; repeatable.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Also write DIR/report.html, with pictures."),
    ] = None,
    as_json: Json = False,
    engine: Engine = EngineName.native,
    ray_address: RayAddress = None,
) -> None:
    """Show what the merge did to the tail, what was left out, and why.

    Example: lvis-merge stats manifests/demo
    """
    from lvis_merge import manifest as manifests
    from lvis_merge.report.summary import summarise_manifest, to_json
    from lvis_merge.report.terminal import print_stats

    opened = manifests.open(manifest)
    if report is not None:
        _write_report(opened, report, image_root or [])
    elif image_root:
        raise UsageError("--image-root is for the pictures of --report DIR; give that too.")
    with chosen_engine(engine, ray_address):
        summary = summarise_manifest(opened)
    answer(summary, to_json, print_stats, as_json=as_json)


def _write_report(opened: Manifest, folder: Path, image_root: Sequence[str]) -> None:
    from lvis_merge.image_roots import image_roots
    from lvis_merge.manifest import Tables
    from lvis_merge.report.html import write_report

    tables = Tables(opened.images, opened.annotations, opened.categories, opened.rejects)
    folder.mkdir(parents=True, exist_ok=True)
    write_report(folder, tables, opened.record, image_roots(image_root))
