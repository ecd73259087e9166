"""The summary of a manifest: what `lvis-merge stats` prints and `report.html` draws."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from lvis_merge.manifest.read import Manifest
from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.manifest.tables import Tables
from lvis_merge.report.frequency import (
    CategoryCount,
    GroupCount,
    category_counts,
    group_counts,
    open_images_counts,
    rare_gains,
)
from lvis_merge.report.rows import (
    ANNOTATION_COLUMNS,
    IMAGE_COLUMNS,
    MASK_COLUMNS,
    has_mask,
    read_rows,
)
from lvis_merge.report.sampling import EpochLength, epoch_lengths
from lvis_merge.report.tallies import (
    REJECT_COLUMNS,
    EvidenceCount,
    IgnoreCount,
    InputCount,
    RejectCount,
    SourceCount,
    evidence_counts,
    ignore_counts,
    input_counts,
    reject_counts,
    source_counts,
)
from lvis_merge.sources.plan import run_plan


@dataclass(frozen=True)
class Totals:
    """The headline counts, over all splits unless a name says train.

    Attributes:
        images: images of any split.
        train_images: images of split train.
        objects: object rows.
        objects_with_mask: objects with polygons or a bitmap.
        ignore_regions: ignore rows.
        categories: categories of the label space.
        categories_with_objects: those with an object on a train image.
        tail_categories: tail classes of the equalization loss; None in other label spaces.
    """

    images: int
    train_images: int
    objects: int
    objects_with_mask: int
    ignore_regions: int
    categories: int
    categories_with_objects: int
    tail_categories: int | None


@dataclass(frozen=True)
class Summary:
    """Everything that is counted.

    Attributes:
        record: what `manifest.json` says.
        totals: the headline counts.
        sources: images and rows by source and split.
        groups: rare, common, frequent.
        categories: every category, in the order of the table.
        rare_gains: rare categories with images from other sources, most gained first.
        open_images: categories with Open Images rows, most images first.
        evidence: verified categories by source and split.
        ignore_regions: ignore rows by source and reason.
        inputs: what became of the input rows, by source and kind.
        rejects: bad rows by file, kind and reason.
        sampling: expected epochs under repeat factor sampling.
        warnings: what a reader should know before training on this, one sentence each.
    """

    record: ManifestRecord
    totals: Totals
    sources: tuple[SourceCount, ...]
    groups: tuple[GroupCount, ...]
    categories: tuple[CategoryCount, ...]
    rare_gains: tuple[CategoryCount, ...]
    open_images: tuple[CategoryCount, ...]
    evidence: tuple[EvidenceCount, ...]
    ignore_regions: tuple[IgnoreCount, ...]
    inputs: tuple[InputCount, ...]
    rejects: tuple[RejectCount, ...]
    sampling: tuple[EpochLength, ...]
    warnings: tuple[str, ...]

    @property
    def images_by_source(self) -> dict[str, int]:
        """Train images of each source that has any, in the order of the merge."""
        return {s.source: s.images for s in self.sources if s.split == "train" and s.images}


def summarise(tables: Tables, record: ManifestRecord) -> Summary:
    """Counts a manifest.

    Args:
        tables: the manifest's tables. Of `annotations`, the columns `segmentation` and `mask_rle`
            may be replaced by one bool column `has_mask`, and those that no count needs be absent.
        record: what `manifest.json` says.

    Returns:
        The summary.
    """
    rows = read_rows(tables.images, tables.annotations, tables.categories)
    counts = category_counts(tables.categories, rows)
    sources = source_counts(rows)
    tail = tables.categories["is_tail"].to_pylist()
    totals = Totals(
        images=rows.images,
        train_images=int(rows.is_train_image.sum()),
        objects=int(rows.is_object.sum()),
        objects_with_mask=sum(source.objects_with_mask for source in sources),
        ignore_regions=int((~rows.is_object).sum()),
        categories=len(counts),
        categories_with_objects=sum(count.images_after > 0 for count in counts),
        tail_categories=None if all(t is None for t in tail) else sum(map(bool, tail)),
    )
    rejects = reject_counts(tables.rejects)
    open_images = open_images_counts(counts)
    return Summary(
        record=record,
        totals=totals,
        sources=sources,
        groups=group_counts(tables.categories, counts),
        categories=counts,
        rare_gains=rare_gains(counts),
        open_images=open_images,
        evidence=evidence_counts(tables.images, rows),
        ignore_regions=ignore_counts(rows),
        inputs=input_counts(record),
        rejects=rejects,
        sampling=epoch_lengths(rows),
        warnings=_warnings(record, totals, open_images, rejects),
    )


def summarise_manifest(manifest: Manifest) -> Summary:
    """Counts a manifest on disk, reading the columns that the counts need.

    The annotations are read by a plan, part by part; of their masks nothing but their presence
    leaves it.

    Args:
        manifest: the opened manifest.

    Returns:
        The summary.

    Raises:
        InputError: a table is missing or damaged.
    """
    # workers of a cluster have a working folder of their own
    whole = Manifest(manifest.path.resolve(), manifest.record)
    groups: list[int | None] = [*range(manifest.row_groups("annotations"))] or [None]
    parts = run_plan(partial(_counted, whole), groups)
    tables = Tables(
        images=manifest.arrow("images", IMAGE_COLUMNS),
        annotations=pa.concat_tables(parts),
        categories=manifest.categories,
        rejects=manifest.arrow("rejects", REJECT_COLUMNS),
    )
    return summarise(tables, manifest.record)


def _counted(manifest: Manifest, row_group: int | None) -> pa.Table:
    """`ANNOTATION_COLUMNS` and `has_mask` of one part of the annotations; of all with None."""
    table = manifest.arrow("annotations", (*ANNOTATION_COLUMNS, *MASK_COLUMNS), row_group)
    counted = table.select(ANNOTATION_COLUMNS)
    return counted.append_column("has_mask", has_mask(table))


def _warnings(
    record: ManifestRecord,
    totals: Totals,
    open_images: tuple[CategoryCount, ...],
    rejects: tuple[RejectCount, ...],
) -> tuple[str, ...]:
    """The build's own warnings, and what the counts show besides."""
    result = list(record.warnings)
    if record.holdout is None and not any("leak" in text.lower() for text in result):
        result.insert(
            0,
            "Leakage was not checked: no hold-out file was given, so train images may be among"
            " those you evaluate on. Build with --lvis-val, --lvis-test or --holdout.",
        )
    if not totals.train_images:
        result.append("There is no train image.")
    empty = totals.categories - totals.categories_with_objects
    if empty and totals.train_images:
        have = "category has" if empty == 1 else "categories have"
        result.append(f"{empty:,} {have} no object on a train image and cannot be learnt.")
    unused = sum(not count.images_open_images for count in open_images)
    if unused:
        have = "category has" if unused == 1 else "categories have"
        result.append(f"{unused:,} mapped {have} only ignore regions on Open Images images.")
    bad = sum(reject.rows for reject in rejects)
    if bad:
        were = "row was" if bad == 1 else "rows were"
        result.append(f"{bad:,} input {were} bad and not used: rejects.parquet has them.")
    return tuple(result)


def to_json(summary: Summary) -> dict[str, Any]:
    """The summary as plain JSON values, for `lvis-merge stats --json`.

    Args:
        summary: the summary.

    Returns:
        A dict with the keys of `Summary`, where each value has the keys of its dataclass, tuples
        are lists, and `record` is `manifest.json`. Added: `objects_box_only` in `sources[]`,
        `ratio` in `sampling[]`. `dropped` in `inputs[]` is {rule: rows}, `moves_to` in `groups[]`
        is {group: categories}.
    """
    result: dict[str, Any] = {
        "record": json.loads(summary.record.to_json()),
        "totals": asdict(summary.totals),
        "sources": [
            asdict(one) | {"objects_box_only": one.objects_box_only} for one in summary.sources
        ],
        "groups": [asdict(one) | {"moves_to": dict(one.moves_to)} for one in summary.groups],
        "inputs": [asdict(one) | {"dropped": dict(one.dropped)} for one in summary.inputs],
        "sampling": [asdict(one) | {"ratio": one.ratio} for one in summary.sampling],
        "warnings": list(summary.warnings),
    }
    for key in (
        "categories", "rare_gains", "open_images", "evidence", "ignore_regions", "rejects",
    ):  # fmt: skip
        result[key] = [asdict(one) for one in getattr(summary, key)]
    return result
