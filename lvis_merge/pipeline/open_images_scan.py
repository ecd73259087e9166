"""First pass over the Open Images folder: every row checked, and joined to its image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

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
from lvis_merge.sources.open_images.images import IMAGES, LISTED, first_of_each, runs_of_rows
from lvis_merge.sources.open_images.join import (
    BOXES_OF_IMAGES,
    LABELS_OF_IMAGES,
    ImageBucket,
    LateRows,
    join_bucket,
    with_unlisted,
)
from lvis_merge.sources.open_images.scan import (
    RUNS,
    FileScan,
    Look,
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
        self.images.put(number, bucket.images)
        self.boxes.put(number, bucket.boxes)
        self.labels.put(number, bucket.labels)

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

    tables = [table for table in (*list_tables, *box_tables, *label_tables) if table]
    number = bucket_number(sum(of_file.size for table in tables for of_file in table.ranges))

    def new_buckets(schema: pa.Schema) -> Buckets:
        return Buckets(inputs.scratch, schema, number)

    def first_pass(
        what: str, kind: str, tables: Sequence[CsvTable | None], look: Look, schema: pa.Schema
    ) -> _FirstPass:
        found = [new_buckets(schema) if table else None for table in tables]
        ranges = sum(len(table.ranges) for table in tables if table)
        with inputs.stages.stage(f"Open Images: {what}", ranges) as advance:
            scans = [
                scan_table(table, kind, look, into, advance) if table and into else None
                for table, into in zip(tables, found, strict=True)
            ]
        return _FirstPass(look, tuple(scans), found)

    look_at_boxes = partial(box_source.look_at_boxes, places)
    look_at_labels = partial(label_source.look_at_labels, frozenset(classes))
    lists = first_pass("image lists", "image", list_tables, list_source.look_at_list, LISTED)
    images = _listed_images(lists, new_buckets(IMAGES), inputs)
    boxes = first_pass("boxes", "box", box_tables, look_at_boxes, BOX_RUNS)
    labels = first_pass("verified labels", "label", label_tables, look_at_labels, RUNS)
    buckets = JoinedBuckets.new(new_buckets)
    with inputs.stages.stage("Open Images: rows of each image", number) as advance:
        _join(images, lists, boxes, labels, buckets, inputs, advance)
    return Scanned(
        files,
        classes,
        hierarchy,
        lists.scans,
        tuple(scan for scan in boxes.scans if scan),
        labels.scans,
        {"image": lists.rejected, "box": boxes.rejected, "label": labels.rejected},
        counted,
        buckets,
        new_buckets,
    )


@dataclass
class _FirstPass:
    """The first pass over a table of each subset.

    Attributes:
        look: that it was made with.
        scans: by subset, None without such a table.
        found: what they found.
        rejected: bad rows of all, once they are checked.
    """

    look: Look
    scans: tuple[FileScan | None, ...]
    found: Sequence[Buckets | None]
    rejected: int = 0

    def read(self, bucket: int) -> list[pa.Table | None]:
        """A bucket of each subset."""
        return [found.read(bucket) if found else None for found in self.found]

    def late_rows(self, inputs: Inputs) -> list[LateRows | None]:
        """For those of each subset."""
        return [
            LateRows(0 if inputs.policy.strict else inputs.policy.limit(scan.rows))
            if scan
            else None
            for scan in self.scans
        ]

    def check(self, inputs: Inputs, late: Sequence[LateRows | None]) -> None:
        """Keeps the bad rows, or stops; what was found is not needed any more."""
        for scan, rows, found in zip(self.scans, late, self.found, strict=True):
            if scan and rows and found:
                found.clear()
                bad = scan.bad + rows.number
                # one that stops the build tells the first of them, and they may be millions
                stops = inputs.policy.strict or bad > inputs.policy.limit(scan.rows)
                rejects = scan.rejects(self.look, rows.by_range(), first_only=stops)
                inputs.check(rejects, scan.rows, bad)
                self.rejected += bad


def _listed_images(lists: _FirstPass, images: Buckets, inputs: Inputs) -> Buckets:
    """Puts the images of the lists into their buckets; a repeated id is rejected."""
    late = lists.late_rows(inputs)
    for number in range(images.number):
        first, again = first_of_each(lists.read(number))
        images.put(number, first)
        for subset, rows in enumerate(late):
            if rows:
                rows.add(runs_of_rows(again.filter(pc.equal(again["subset"], subset))))
    lists.check(inputs, late)
    return images


def _join(
    images: Buckets,
    lists: _FirstPass,
    boxes: _FirstPass,
    labels: _FirstPass,
    buckets: JoinedBuckets,
    inputs: Inputs,
    advance: Advance,
) -> None:
    """Joins bucket by bucket; rows of unknown images are rejected."""
    listed = [scan is not None for scan in lists.scans]
    late = boxes.late_rows(inputs), labels.late_rows(inputs)
    for number in range(images.number):
        of_boxes, of_labels = boxes.read(number), labels.read(number)
        known = with_unlisted(images.read(number), of_boxes, listed)
        bucket, *unknown = join_bucket(known, of_boxes, of_labels)
        buckets.put(number, bucket)
        for of_kind, runs in zip(late, unknown, strict=True):
            for rows, of_subset in zip(of_kind, runs, strict=True):
                if rows:
                    rows.add(of_subset)
        advance(1)
    images.clear()
    boxes.check(inputs, late[0])
    labels.check(inputs, late[1])
