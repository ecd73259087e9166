"""From options to a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lvis_merge import __version__
from lvis_merge.image_roots import ImageRoot
from lvis_merge.manifest import ManifestRecord, Tables, check_out, write_manifest
from lvis_merge.manifest.record import EvidenceCounts, HoldOut, KindCounts, SplitOrigin
from lvis_merge.merge.tally import Tally
from lvis_merge.pipeline.expert_space import build_coco_space, build_open_images_space
from lvis_merge.pipeline.extra_option import by_name
from lvis_merge.pipeline.inputs import Inputs, open_inputs
from lvis_merge.pipeline.lvis_space import build_lvis_space
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.pipeline.result import BuildResult
from lvis_merge.progress import Stages
from lvis_merge.report.html import write_report
from lvis_merge.sources.files import base_name
from lvis_merge.sources.open_images.folder import OpenImagesFiles, find_files


def build_manifest(
    options: BuildOptions, stages: Stages | None = None, image_roots: Sequence[ImageRoot] = ()
) -> ManifestRecord:
    """Builds a manifest.

    Args:
        options: what to build; `options.out` is the manifest folder.
        stages: progress; None prints lines on stderr.
        image_roots: where images are, for the pictures of the report; they change nothing else.

    Returns:
        The manifest's record.

    Raises:
        UsageError: options that make no sense together (exit code 2).
        InputError: bad input, or a place that cannot be written (exit code 3).
        SizesMissingError: chosen Open Images images without a size (exit code 4).
    """
    stages = stages or Stages()
    options.check()
    for sentence in options.without_effect():
        stages.say(f"note: {sentence}")
    check_out(options.out, options.overwrite)
    folder = find_files(options.openimages) if options.openimages else None
    files = _input_files(options, folder)
    tables = tuple(folder.tables()) if folder else ()
    with stages.shown(), open_inputs(options, files, stages, tables) as inputs:
        for cost in folder.missing() if folder else ():
            inputs.warn(f"Open Images: {cost}")
        result = _build(inputs, folder)
        inputs.corrections.report(inputs.warn)
        merged = Tables(
            result.images, result.annotations, result.categories, inputs.rejects_table()
        )
        with stages.stage("hashing the inputs"):
            record = _record(inputs, result)
        with stages.stage("writing the manifest"):
            return write_manifest(
                options.out,
                merged,
                record,
                result.maps,
                overwrite=options.overwrite,
                extra=lambda place: write_report(place, merged, record, image_roots),
            )


def _input_files(options: BuildOptions, folder: OpenImagesFiles | None) -> list[tuple[str, str]]:
    """(role, path) of everything that is read, maps aside: those go into the manifest whole."""
    named = [
        ("lvis", options.lvis),
        ("lvis_val", options.lvis_val),
        ("lvis_test", options.lvis_test),
        ("coco", options.coco),
        ("openimages_sizes", options.openimages_sizes),
        ("openimages_exclude", options.openimages_exclude),
        ("corrections", options.corrections),
        *(("holdout", path) for path in options.holdout),
        *((f"extra/{extra.name}", extra.path) for extra in by_name(options.extra)),
    ]
    files = [(role, path) for role, path in named if path is not None]
    return files + (list(folder.all_files()) if folder else [])


def _build(inputs: Inputs, folder: OpenImagesFiles | None) -> BuildResult:
    if inputs.options.label_space == "coco":
        return build_coco_space(inputs)
    if inputs.options.label_space == "open_images":
        assert folder is not None  # the options were checked
        return build_open_images_space(inputs, folder)
    return build_lvis_space(inputs, folder)


def _record(inputs: Inputs, result: BuildResult) -> ManifestRecord:
    options = inputs.options
    return ManifestRecord(
        tool_version=__version__,
        label_space=options.label_space,
        lvis_version=result.lvis_version,
        seed=options.seed,
        options=options.shaping(),
        inputs=inputs.records(),
        maps={name: hashlib.sha256(data).hexdigest() for name, data in result.maps.items()},
        counts={
            source: {
                kind: _counts(tally, inputs.corrections.relabelled[source], kind)
                for kind, tally in kinds.items()
            }
            for source, kinds in result.tallies.items()
        },
        evidence=EvidenceCounts(contradictory_labels=result.contradictory),
        eql=result.eql,
        holdout=_holdout(options, result),
        splits={
            split: SplitOrigin(info=info, licenses=licenses)
            for split, (info, licenses) in result.splits.items()
        },
        extras=dict(result.extras),
        # two threads warn, in no fixed order
        warnings=tuple(sorted(inputs.warnings)),
    )


def _counts(tally: Tally, relabelled: int, kind: str) -> KindCounts:
    return KindCounts(
        rows_in=tally.rows_in,
        kept=tally.kept,
        dropped=tally.dropped,
        rejected=tally.rejected,
        relabelled=relabelled if kind in ("annotation", "box") else 0,
    )


def _holdout(options: BuildOptions, result: BuildResult) -> HoldOut | None:
    if result.holdout is None:
        return None
    files = [path for path in (options.lvis_val, options.lvis_test, *options.holdout) if path]
    return HoldOut(
        sha256=result.holdout.sha256(),
        image_ids=len(result.holdout.image_ids),
        flickr_photo_ids=len(result.holdout.flickr_photo_ids),
        files=tuple(sorted(map(base_name, files))),
    )
