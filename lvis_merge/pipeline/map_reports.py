"""What a build tells of the rows of its label maps."""

from __future__ import annotations

from lvis_merge.errors import InputError
from lvis_merge.labelmap.draft import is_draft
from lvis_merge.labelmap.resolve import Resolution
from lvis_merge.labelmap.rows import LabelMap
from lvis_merge.pipeline.inputs import Inputs


def report_unresolved(inputs: Inputs, label_map: LabelMap, resolution: Resolution) -> None:
    """Tells which map rows are not used; under `--strict` they stop the build."""
    if not resolution.unresolved:
        return
    first = resolution.unresolved[0]
    example = f"row {first.row}, {first.source_id} {first.source_name}: {first.why}"
    number = len(resolution.unresolved)
    if inputs.options.strict:
        raise InputError(
            f"{label_map.name}: {number} rows cannot be used ({example}). Remove them or build"
            " without --strict."
        )
    inputs.warn(f"{label_map.name}: {number} rows are not used here ({example})")


def report_renamed(inputs: Inputs, label_map: LabelMap, resolution: Resolution) -> None:
    """Tells which classes have another name in the file than in the map; the id decides."""
    if resolution.renamed:
        first = resolution.renamed[0]
        inputs.warn(
            f"{label_map.name}: {len(resolution.renamed)} classes have other names in the file"
            f" (row {first.row}: {first.source_id} is {first.map_name} here and {first.file_name}"
            " there); the ids decide, so check that they mean the same"
        )


def report_drafts(inputs: Inputs, label_map: LabelMap) -> None:
    """Tells of rows that `map suggest --draft` wrote and nobody has judged."""
    drafts = [row for row in label_map.rows if is_draft(row)]
    used = sum(row.synset is not None for row in drafts)
    if drafts:
        inputs.warn(
            f"{label_map.name}: {len(drafts)} rows are drafts that nobody has judged, {used} of"
            f" them with a category (row {drafts[0].row}, {drafts[0].source_name}); go through them"
            " and change their notes"
        )
