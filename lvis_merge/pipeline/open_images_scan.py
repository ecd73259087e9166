"""First pass over the Open Images folder: every row checked, and joined to its image."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.progress import Advance
from lvis_merge.sources.buckets import Buckets, NewBuckets, bucket_number
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.files import base_name
from lvis_merge.sources.open_images import boxes as box_source
from lvis_merge.sources.open_images import images as list_source
from lvis_merge.sources.open_images import labels as label_source
from lvis_merge.sources.open_images.boxes import BOX_RUNS
from lvis_merge.sources.open_images.classes import Hierarchy, read_classes, read_hierarchy
from lvis_merge.sources.open_images.folder import OpenImagesFiles
from lvis_merge.sources.open_images.images import (
    IMAGES,
    LISTED,
    first_of_each,
    rejects_of_repeated,
)
from lvis_merge.sources.open_images.join import (
    BOXES_OF_IMAGES,
    LABELS_OF_IMAGES,
    ImageBucket,
    join_bucket,
    spans_by_range,
    with_unlisted,
)
from lvis_merge.sources.open_images.scan import (
    RUNS,
    FileScan,
    Look,
    rejects_of_unknown,
    scan_table,
)


@dataclass(frozen=True)
class JoinedBuckets:
    """Every image and where its rows are, on disk.

    Attributes:
        images: `IMAGES`, in their order in each bucket.
        boxes: `BOXES_OF_IMAGES`.
        labels: `LABELS_OF_IMAGES`.
    """

    images: Buckets
    boxes: Buckets
    labels: Buckets

    @classmethod
    def new(cls, new: NewBuckets) -> JoinedBuckets:
        """Empty ones."""
        return cls(new(IMAGES), new(BOXES_OF_IMAGES), new(LABELS_OF_IMAGES))

    def put(self, number: int, bucket: ImageBucket) -> None:
        """Writes a bucket."""
        for name in ("images", "boxes", "labels"):
            getattr(self, name).put(number, getattr(bucket, name))

    def __iter__(self) -> Iterator[ImageBucket]:
        for number in range(self.images.number):
            yield ImageBucket(
                self.images.read(number), self.boxes.read(number), self.labels.read(number)
            )


@dataclass(frozen=True)
class Scanned:
    """The folder after its first pass.

    Attributes:
        files: what is there.
        classes: MID -> display name.
        hierarchy: what lies below each class; empty without a hierarchy file.
        lists: by subset, the first pass over its image list, or None.
        boxes: by subset, the first pass over its boxes.
        labels: by subset, the first pass over its labels, or None.
        rejected: kind -> bad rows.
        mids: the classes whose boxes were counted, in byte order; `counted` has their places.
        buckets: the images.
        new_buckets: makes more of them, for a table of that schema.
    """

    files: OpenImagesFiles
    classes: Mapping[str, str]
    hierarchy: Hierarchy
    lists: tuple[FileScan | None, ...]
    boxes: tuple[FileScan, ...]
    labels: tuple[FileScan | None, ...]
    rejected: Mapping[str, int]
    mids: tuple[str, ...]
    buckets: JoinedBuckets
    new_buckets: NewBuckets

    @property
    def subset_names(self) -> tuple[str, ...]:
        """Names of the subsets by place."""
        return tuple(files.subset for files in self.files.subsets)


def scan_folder(inputs: Inputs, files: OpenImagesFiles, mids: frozenset[str] | None) -> Scanned:
    """First pass over the folder.

    Args:
        inputs: of the build.
        files: what is there.
        mids: the classes of the map, or None for all.
    """
    local = inputs.local
    classes = read_classes(local[files.classes], base_name(files.classes))
    hierarchy = Hierarchy({})
    if files.hierarchy:
        hierarchy = read_hierarchy(local[files.hierarchy], base_name(files.hierarchy))
    subsets = files.subsets
    box_tables = [inputs.table(subset.boxes, box_source.NEEDED) for subset in subsets]
    list_tables = [
        inputs.table(subset.images, list_source.NEEDED) if subset.images else None
        for subset in subsets
    ]
    label_tables = [
        inputs.table(subset.labels, label_source.NEEDED) if subset.labels else None
        for subset in subsets
    ]
    counted = tuple(sorted(classes if mids is None else mids & classes.keys()))
    places: dict[str, int | None] = dict.fromkeys(classes)
    places |= {mid: place for place, mid in enumerate(counted)}

    number = bucket_number(_ranges([*list_tables, *box_tables, *label_tables]))

    def new_buckets(schema: pa.Schema) -> Buckets:
        return Buckets(inputs.scratch, schema, number)

    def first_pass(
        what: str, kind: str, tables: Sequence[CsvTable | None], look: Look, found: pa.Schema
    ) -> tuple[FileScan | None, ...]:
        with inputs.stages.stage(f"Open Images: {what}", _ranges(tables)) as advance:
            return tuple(
                scan_table(table, kind, look, new_buckets(found), advance) if table else None
                for table in tables
            )

    look_at_boxes = partial(box_source.look_at_boxes, places)
    look_at_labels = partial(label_source.look_at_labels, frozenset(classes))
    lists = first_pass("image lists", "image", list_tables, list_source.look_at_list, LISTED)
    images, rejected = _listed_images(inputs, lists, new_buckets(IMAGES))
    found_boxes = first_pass("boxes", "box", box_tables, look_at_boxes, BOX_RUNS)
    boxes = tuple(scan for scan in found_boxes if scan)
    labels = first_pass("verified labels", "label", label_tables, look_at_labels, RUNS)
    buckets = JoinedBuckets.new(new_buckets)
    with inputs.stages.stage("Open Images: rows of each image", number) as advance:
        unknown = _join(images, lists, boxes, labels, buckets, advance)
    for scan, of_scan in zip((*boxes, *labels), unknown, strict=True):
        if scan:
            look = look_at_boxes if scan.kind == "box" else look_at_labels
            rejected[scan.kind] += _check(inputs, scan, look, of_scan)
    return Scanned(
        files, classes, hierarchy, lists, boxes, labels, rejected, counted, buckets, new_buckets
    )


def _ranges(tables: Sequence[CsvTable | None]) -> int:
    return sum(len(table.ranges) for table in tables if table)


def _listed_images(
    inputs: Inputs, lists: Sequence[FileScan | None], images: Buckets
) -> tuple[Buckets, Counter[str]]:
    """The images of the lists, and by kind the bad rows so far."""
    repeated = [IMAGES.empty_table()]
    for number in range(images.number):
        first, again = first_of_each([scan.found.read(number) if scan else None for scan in lists])
        images.put(number, first)
        repeated.append(again)
    again = pa.concat_tables(repeated)
    rejected: Counter[str] = Counter()
    for subset, scan in enumerate(lists):
        if scan:
            scan.found.clear()
            here = again.filter(pc.equal(again["subset"], subset))
            rejects = scan.rejects(rejects_of_repeated(scan, here))
            rejected["image"] += inputs.check(rejects, scan.rows).num_rows
    return images, rejected


@dataclass
class _Unknown:
    """Rows of one table whose image is unknown.

    Attributes:
        runs: of `RUNS`, by bucket.
        good: how many good rows known images have.
    """

    runs: list[pa.Table] = field(default_factory=list)
    good: int = 0


def _join(
    images: Buckets,
    lists: Sequence[FileScan | None],
    boxes: Sequence[FileScan],
    labels: Sequence[FileScan | None],
    buckets: JoinedBuckets,
    advance: Advance,
) -> Sequence[_Unknown]:
    """Joins bucket by bucket; returns what is unknown, by subset of boxes and then of labels."""
    listed = [scan is not None for scan in lists]
    unknown = [_Unknown() for _ in (*boxes, *labels)]
    for number in range(images.number):
        box_runs = [scan.found.read(number) for scan in boxes]
        label_runs = [scan.found.read(number) if scan else None for scan in labels]
        known = with_unlisted(images.read(number), box_runs, listed)
        bucket, of_boxes, of_labels = join_bucket(known, box_runs, label_runs)
        buckets.put(number, bucket)
        good = [*_good_by_subset(bucket.boxes, boxes), *_good_by_subset(bucket.labels, labels)]
        for one, runs, rows in zip(unknown, (*of_boxes, *of_labels), good, strict=True):
            one.runs.append(runs)
            one.good += rows
        advance(1)
    for table in (images, *(scan.found for scan in (*boxes, *labels) if scan)):
        table.clear()
    return unknown


def _good_by_subset(runs: pa.Table, scans: Sequence[FileScan | None]) -> list[int]:
    subset, good = runs["subset"].to_numpy(), runs["good"].to_numpy()
    sums = np.bincount(subset, weights=good, minlength=len(scans))
    return [int(rows) for rows in sums]


def _check(inputs: Inputs, scan: FileScan, look: Look, unknown: _Unknown) -> int:
    """Keeps a table's bad rows, or stops; returns how many they are."""
    bad = scan.rows - unknown.good
    spans = spans_by_range(unknown.runs)
    if bad and (inputs.policy.strict or bad > inputs.policy.limit(scan.rows)):
        # the build stops with the first of them, which may be millions: those of the first range
        spans = dict(itertools.islice(spans.items(), 1))
    inputs.check(scan.rejects(rejects_of_unknown(scan, look, spans)), scan.rows, bad)
    return bad
