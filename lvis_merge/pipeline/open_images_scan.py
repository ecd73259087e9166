"""First pass over the Open Images folder: every row checked, and joined to its image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_buckets import FirstPass, JoinedBuckets, join, listed_images
from lvis_merge.sources.buckets import Buckets, NewBuckets, bucket_number
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.files import base_name
from lvis_merge.sources.open_images import boxes as box_source
from lvis_merge.sources.open_images import images as list_source
from lvis_merge.sources.open_images import labels as label_source
from lvis_merge.sources.open_images.boxes import BOX_RUNS
from lvis_merge.sources.open_images.classes import Hierarchy, read_classes, read_hierarchy
from lvis_merge.sources.open_images.folder import OpenImagesFiles
from lvis_merge.sources.open_images.images import IMAGES, LISTED
from lvis_merge.sources.open_images.scan import RUNS, FileScan, Look, scan_table


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
    ) -> FirstPass:
        found = [new_buckets(schema) if table else None for table in tables]
        ranges = sum(len(table.ranges) for table in tables if table)
        with inputs.stages.stage(f"Open Images: {what}", ranges) as advance:
            scans = [
                scan_table(table, kind, look, into, advance) if table and into else None
                for table, into in zip(tables, found, strict=True)
            ]
        return FirstPass(look, tuple(scans), found)

    look_at_boxes = partial(box_source.look_at_boxes, places)
    look_at_labels = partial(label_source.look_at_labels, frozenset(classes))
    lists = first_pass("image lists", "image", list_tables, list_source.look_at_list, LISTED)
    images = listed_images(lists, new_buckets(IMAGES), inputs)
    boxes = first_pass("boxes", "box", box_tables, look_at_boxes, BOX_RUNS)
    labels = first_pass("verified labels", "label", label_tables, look_at_labels, RUNS)
    buckets = JoinedBuckets.new(new_buckets)
    with inputs.stages.stage("Open Images: rows of each image", number) as advance:
        join(images, lists, boxes, labels, buckets, inputs, advance)
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
