"""First pass over the Open Images folder: every row checked, candidates counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.sources.files import base_name
from lvis_merge.sources.open_images import boxes as box_source
from lvis_merge.sources.open_images import labels as label_source
from lvis_merge.sources.open_images.boxes import MappedBoxes
from lvis_merge.sources.open_images.classes import Hierarchy, read_classes, read_hierarchy
from lvis_merge.sources.open_images.folder import OpenImagesFiles
from lvis_merge.sources.open_images.ids import IdIndex, manifest_image_ids
from lvis_merge.sources.open_images.images import NEEDED as LIST_COLUMNS
from lvis_merge.sources.open_images.images import ImageList, ids_of_boxes, join_lists, scan_list
from lvis_merge.sources.open_images.scan import FileScan


@dataclass(frozen=True)
class Scanned:
    """The folder after its first pass.

    Attributes:
        files: what is there.
        classes: MID -> display name.
        hierarchy: what lies below each class; empty without a hierarchy file.
        images: every image.
        boxes: by subset, the first pass over its boxes.
        labels: by subset, the first pass over its labels, or None.
        mids: the classes whose boxes were counted, in byte order.
        counted: boxes of those classes; `category` is the place in `mids`.
    """

    files: OpenImagesFiles
    classes: Mapping[str, str]
    hierarchy: Hierarchy
    images: ImageList
    boxes: tuple[FileScan, ...]
    labels: tuple[FileScan | None, ...]
    mids: tuple[str, ...]
    counted: MappedBoxes

    @cached_property
    def indices(self) -> tuple[IdIndex, ...]:
        """By subset, the places of its images."""
        return tuple(self.images.index(subset) for subset in range(len(self.files.subsets)))

    @cached_property
    def image_ids(self) -> np.ndarray:
        """int64 [N], manifest image ids."""
        return manifest_image_ids(self.images.ids)

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
    local, stages = inputs.local, inputs.stages
    classes = read_classes(local[files.classes], base_name(files.classes))
    hierarchy = Hierarchy({})
    if files.hierarchy:
        hierarchy = read_hierarchy(local[files.hierarchy], base_name(files.hierarchy))
    box_tables = [inputs.table(subset.boxes, box_source.NEEDED) for subset in files.subsets]
    lists = [
        inputs.table(subset.images, LIST_COLUMNS) if subset.images else None
        for subset in files.subsets
    ]
    label_tables = [
        inputs.table(subset.labels, label_source.NEEDED) if subset.labels else None
        for subset in files.subsets
    ]
    counted = tuple(sorted(classes if mids is None else mids & classes.keys()))
    places: dict[str, int | None] = dict.fromkeys(classes)
    places |= {mid: place for place, mid in enumerate(counted)}

    ranges = sum(len(table.ranges) for table in lists if table)
    with stages.stage("Open Images: image lists", ranges) as advance:
        scans = [scan_list(table, advance) if table else None for table in lists]
        unlisted = [
            None if listed else ids_of_boxes(boxes_of, advance)
            for listed, boxes_of in zip(lists, box_tables, strict=True)
        ]
        images = join_lists(scans, unlisted)
    for scan in scans:
        if scan is not None:
            names = pa.array([file.name for file in scan.table.files])
            here = images.rejects.filter(pc.is_in(images.rejects["file"], value_set=names))
            inputs.check(here.sort_by([("file", "ascending"), ("row", "ascending")]), scan.rows)

    indices = [images.index(subset) for subset in range(len(files.subsets))]
    with stages.stage(
        "Open Images: boxes", sum(len(table.ranges) for table in box_tables)
    ) as advance:
        boxes = tuple(
            box_source.scan_boxes(table, index, places, advance)
            for table, index in zip(box_tables, indices, strict=True)
        )
    ranges = sum(len(table.ranges) for table in label_tables if table)
    with stages.stage("Open Images: verified labels", ranges) as advance:
        labels = tuple(
            label_source.scan_labels(table, index, classes.keys(), advance) if table else None
            for table, index in zip(label_tables, indices, strict=True)
        )
    for scan in (*boxes, *labels):
        if scan is not None:
            inputs.check(scan.rejects, scan.rows)
    found = MappedBoxes.concat([part for scan in boxes for part in scan.found])
    return Scanned(files, classes, hierarchy, images, boxes, labels, counted, found)
