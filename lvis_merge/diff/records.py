"""What differs between the records of two manifests: versions, options, inputs, counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lvis_merge.diff.result import Change, InputChange
from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.merge.rules import DROP_RULES

_DIGITS = 12
"""Of a sha256, as shown."""


def facts(before: ManifestRecord, after: ManifestRecord) -> tuple[Change, ...]:
    """Versions, label space, seed, what was held out, evidence and warnings."""
    return _changes(_facts(before), _facts(after))


def options(before: ManifestRecord, after: ManifestRecord) -> tuple[Change, ...]:
    """Build options."""
    return _changes(before.options, after.options)


def inputs(before: ManifestRecord, after: ManifestRecord) -> tuple[InputChange, ...]:
    """Input files and label maps, by role."""
    return tuple(
        InputChange(one.name, one.before, one.after)
        for one in _changes(_inputs(before), _inputs(after))
    )


def rows_in(before: ManifestRecord, after: ManifestRecord) -> tuple[Change, ...]:
    """Input rows by source, kind and fate."""
    return _changes(_fates(before), _fates(after))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = dict.fromkeys([*before, *after])
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def _facts(record: ManifestRecord) -> dict[str, Any]:
    holdout, eql = record.holdout, record.eql
    return {
        "schema version": record.schema_version,
        "lvis-merge": record.tool_version,
        "label space": record.label_space,
        "LVIS version": record.lvis_version,
        "seed": record.seed,
        "held out": holdout and f"{holdout.image_ids} image ids, {holdout.flickr_photo_ids} photos",
        "hash of what is held out": holdout and holdout.sha256[:_DIGITS],
        "EQL lambda": eql and eql.lambda_,
        "annotated LVIS train images": eql and eql.annotated_images,
        "repeat factor threshold": record.rfs.threshold,
        "contradictory labels": record.evidence.contradictory_labels,
        **{f"warning: {warning}": "yes" for warning in record.warnings},
    }


def _inputs(record: ManifestRecord) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in record.inputs:
        found.setdefault(one.role, []).append(f"{one.name} ({one.sha256[:_DIGITS]})")
    for name, digest in record.maps.items():
        found[f"map {name}"] = [f"{name} ({digest[:_DIGITS]})"]
    return {role: ", ".join(files) for role, files in found.items()}


def _fates(record: ManifestRecord) -> dict[str, int]:
    fates = {}
    for source, kinds in record.counts.items():
        for kind, count in kinds.items():
            lead = f"{source} {kind}"
            fates[f"{lead}: in"] = count.rows_in
            fates[f"{lead}: kept"] = count.kept
            rules = dict.fromkeys([*DROP_RULES, *count.dropped])
            fates |= {f"{lead}: dropped, {rule}": count.dropped.get(rule, 0) for rule in rules}
            fates[f"{lead}: rejected"] = count.rejected
    return fates
