"""Counts by source: images, objects, masks, ignore regions, evidence, dropped and bad rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.merge.rules import DROP_RULES, IGNORE_REASONS, SOURCE_ORDER, SPLITS
from lvis_merge.report.rows import Rows
from lvis_merge.sources.tables import REJECT_KINDS

REJECT_COLUMNS = ("source", "file", "kind", "row", "reason")
"""What the counts need of `rejects`."""


@dataclass(frozen=True)
class SourceCount:
    """Rows that one source gives to one split.

    Attributes:
        source: the data set the rows come from.
        split: train, val or test.
        images: images of the source. COCO rows on LVIS images have no image of their own.
        images_with_objects: those with at least one object.
        objects: object rows.
        objects_with_mask: objects with polygons or a bitmap; the others have a box only.
        ignore_regions: ignore rows.
    """

    source: str
    split: str
    images: int
    images_with_objects: int
    objects: int
    objects_with_mask: int
    ignore_regions: int

    @property
    def objects_box_only(self) -> int:
        """Objects without a mask."""
        return self.objects - self.objects_with_mask


@dataclass(frozen=True)
class IgnoreCount:
    """Ignore regions of one source for one reason.

    Attributes:
        source: the data set they come from.
        reason: one of `IGNORE_REASONS`.
        regions: rows.
        images: distinct images that have one.
        with_category: rows that name a category.
        matched: rows that lie on an LVIS object of the same category (`matched_annotation_id`).
    """

    source: str
    reason: str
    regions: int
    images: int
    with_category: int
    matched: int


@dataclass(frozen=True)
class EvidenceCount:
    """What one source verifies about the categories of its images, in one split.

    Attributes:
        source: the images' source.
        split: train, val or test.
        images: its images.
        positive: entries of `pos_category_ids`, summed over the images.
        negative: entries of `neg_category_ids`.
        not_exhaustive: entries of `not_exhaustive_category_ids`.
    """

    source: str
    split: str
    images: int
    positive: int
    negative: int
    not_exhaustive: int


@dataclass(frozen=True)
class InputCount:
    """What became of the input rows of one source and kind.

    Attributes:
        source: lvis, coco, open_images or an extra's name.
        kind: image, annotation, box or label.
        rows: data rows of the files: kept + dropped + rejected.
        kept: rows that the manifest uses.
        dropped: (rule, rows) of the good rows left out, in the order of the rules.
        rejected: bad rows.
    """

    source: str
    kind: str
    rows: int
    kept: int
    dropped: tuple[tuple[str, int], ...]
    rejected: int


@dataclass(frozen=True)
class RejectCount:
    """Bad rows of one file, by kind and reason.

    Attributes:
        source: the file's source.
        file: its base name.
        kind: image, annotation, box or label.
        reason: what was wrong.
        rows: how many.
        first_row: the lowest row number, 1-based.
    """

    source: str
    file: str
    kind: str
    reason: str
    rows: int
    first_row: int


def source_counts(rows: Rows) -> tuple[SourceCount, ...]:
    """Images, objects and ignore regions by source and split; empty combinations left out."""
    splits = len(SPLITS)
    image_group = rows.image_source.astype(np.int64) * splits + rows.image_split
    row_group = rows.source.astype(np.int64) * splits + rows.image_split[rows.image]
    size = len(rows.sources) * splits

    def count(groups: np.ndarray) -> list[int]:
        counted: list[int] = np.bincount(groups, minlength=size).tolist()
        return counted

    columns = (
        count(image_group),
        count(image_group[rows.objects_per_image > 0]),
        count(row_group[rows.is_object]),
        count(row_group[rows.is_object & rows.has_mask]),
        count(row_group[~rows.is_object]),
    )
    return tuple(
        SourceCount(source, split, *values)
        for i, (source, split) in enumerate((s, t) for s in rows.sources for t in SPLITS)
        if any(values := [column[i] for column in columns])
    )


def ignore_counts(rows: Rows) -> tuple[IgnoreCount, ...]:
    """Ignore regions by source and reason, in the order of the merge; empty ones left out."""
    result = []
    for code, source in enumerate(rows.sources):
        for reason_code, reason in enumerate(IGNORE_REASONS):
            chosen = (rows.reason == reason_code) & (rows.source == code)
            regions = int(chosen.sum())
            if regions:
                touched = np.zeros(rows.images, bool)
                touched[rows.image[chosen]] = True
                result.append(
                    IgnoreCount(
                        source,
                        reason,
                        regions,
                        int(touched.sum()),
                        int((rows.category[chosen] >= 0).sum()),
                        int(rows.is_matched[chosen].sum()),
                    )
                )
    return tuple(result)


def evidence_counts(images: pa.Table, rows: Rows) -> tuple[EvidenceCount, ...]:
    """Verified categories by source and split; combinations without an image left out."""
    lengths = [
        pc.fill_null(pc.list_value_length(images[column]), 0).to_numpy()
        for column in ("pos_category_ids", "neg_category_ids", "not_exhaustive_category_ids")
    ]
    result = []
    for code, source in enumerate(rows.sources):
        for split_code, split in enumerate(SPLITS):
            chosen = (rows.image_source == code) & (rows.image_split == split_code)
            if chosen.any():
                sums = [int(length[chosen].sum()) for length in lengths]
                result.append(EvidenceCount(source, split, int(chosen.sum()), *sums))
    return tuple(result)


def input_counts(record: ManifestRecord) -> tuple[InputCount, ...]:
    """What became of the input rows, in the order of the merge; rules without a row left out."""
    result = []
    for source in sorted(record.counts, key=lambda name: _order(name, SOURCE_ORDER)):
        kinds = record.counts[source]
        for kind in sorted(kinds, key=lambda name: _order(name, REJECT_KINDS)):
            count = kinds[kind]
            rules = sorted(count.dropped, key=lambda name: _order(name, DROP_RULES))
            dropped = tuple((rule, count.dropped[rule]) for rule in rules if count.dropped[rule])
            result.append(
                InputCount(source, kind, count.rows_in, count.kept, dropped, count.rejected)
            )
    return tuple(result)


def _order(name: str, known: tuple[str, ...]) -> tuple[int, str]:
    """Sort key: the known names in their order, others after them by name."""
    return (known.index(name) if name in known else len(known), name)


def reject_counts(rejects: pa.Table) -> tuple[RejectCount, ...]:
    """Bad rows by source, file, kind and reason, sorted by these.

    Args:
        rejects: the manifest's `rejects`.
    """
    keys = ["source", "file", "kind", "reason"]
    grouped = rejects.group_by(keys).aggregate([("row", "count"), ("row", "min")])
    grouped = grouped.sort_by([(key, "ascending") for key in keys])
    return tuple(
        RejectCount(r["source"], r["file"], r["kind"], r["reason"], r["row_count"], r["row_min"])
        for r in grouped.to_pylist()
    )
