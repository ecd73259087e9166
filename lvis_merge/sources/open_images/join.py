"""One bucket of the folder's tables joined: its images, and their rows of boxes and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.open_images.boxes import BOX_RUNS
from lvis_merge.sources.open_images.images import IMAGES, images_of_runs
from lvis_merge.sources.open_images.scan import RUNS, Spans

_KNOWN = [pa.field("image", pa.int32()), pa.field("subset", pa.int8())]
_KEPT = [RUNS.field(name) for name in ("chunk", "first", "last", "good")]
LABELS_OF_IMAGES = pa.schema([*_KNOWN, *_KEPT])
"""Runs of labels by `image`, its place in the bucket; `subset` is that of the file."""
BOXES_OF_IMAGES = LABELS_OF_IMAGES.append(BOX_RUNS.field("counted"))
"""Runs of boxes, likewise."""


@dataclass(frozen=True)
class ImageBucket:
    """Images and where their rows are.

    Attributes:
        images: `IMAGES`, in their order.
        boxes: `BOXES_OF_IMAGES`.
        labels: `LABELS_OF_IMAGES`.
    """

    images: pa.Table
    boxes: pa.Table
    labels: pa.Table


def join_bucket(
    images: pa.Table, boxes: Sequence[pa.Table | None], labels: Sequence[pa.Table | None]
) -> tuple[ImageBucket, Sequence[pa.Table], Sequence[pa.Table]]:
    """Joins the tables by subset and ImageID.

    Args:
        images: `IMAGES` in their order, of `with_unlisted`.
        boxes: by subset, `BOX_RUNS`, or None where it has none.
        labels: by subset, `RUNS`, likewise.

    Returns:
        The bucket, and by subset the runs of boxes and of labels whose image is unknown.
    """
    known_boxes, unknown_boxes = _of_images(images, boxes, BOXES_OF_IMAGES)
    known_labels, unknown_labels = _of_images(images, labels, LABELS_OF_IMAGES)
    return ImageBucket(images, known_boxes, known_labels), unknown_boxes, unknown_labels


def with_unlisted(images: pa.Table, boxes: Sequence[pa.Table], listed: Sequence[bool]) -> pa.Table:
    """`IMAGES` in their order, with those of the subsets without a list.

    Args:
        images: of the lists.
        boxes: by subset, `BOX_RUNS`.
        listed: by subset, whether it has a list.
    """
    parts = [IMAGES.empty_table()]
    subset_of = images["subset"].to_numpy()
    for subset, runs in enumerate(boxes):
        if listed[subset]:
            parts.append(images.filter(pa.array(subset_of == subset)))
        else:
            parts.append(images_of_runs(subset, runs))
    return pa.concat_tables(parts).combine_chunks()


def _of_images(
    images: pa.Table, by_subset: Sequence[pa.Table | None], schema: pa.Schema
) -> tuple[pa.Table, Sequence[pa.Table]]:
    subset_of = images["subset"].to_numpy()
    known, unknown = [schema.empty_table()], []
    for subset, runs in enumerate(by_subset):
        if runs is None:
            unknown.append(RUNS.empty_table())
            continue
        here = np.flatnonzero(subset_of == subset)
        found = pc.index_in(
            runs["id"], value_set=images["id"].take(pa.array(here)).combine_chunks()
        )
        at = found.fill_null(-1).to_numpy()
        of_run = np.append(here, -1)[at]
        runs = runs.append_column("image", pa.array(of_run, pa.int32())).append_column(
            "subset", pa.array(np.full(len(runs), subset, np.int8))
        )
        known.append(runs.filter(pa.array(at >= 0)).select(schema.names))
        unknown.append(runs.filter(pa.array(at < 0)).select(RUNS.names))
    return pa.concat_tables(known).combine_chunks(), unknown


class LateRows:
    """Rows of one table that turn out to be bad when buckets are read.

    Args:
        most: with more of them the build stops: only those of the first range are kept then.
    """

    def __init__(self, most: int) -> None:
        self.number = 0
        self._most = most
        self._runs: list[pa.Table] = []

    def add(self, runs: pa.Table) -> None:
        """Adds those of a bucket: `RUNS`, whose good rows they are."""
        self.number += pc.sum(runs["good"]).as_py() or 0
        self._runs.append(runs.select(["chunk", "first", "last"]))
        if self.number > self._most:
            table = pa.concat_tables(self._runs)
            first = pc.min(table["chunk"])
            self._runs = [table.filter(pc.equal(table["chunk"], first)).combine_chunks()]

    def by_range(self) -> Mapping[int, Spans]:
        """Range -> its rows, ranges ascending."""
        chunk, first, last = (
            np.concatenate([np.zeros(0, np.int32), *(runs[name].to_numpy() for runs in self._runs)])
            for name in ("chunk", "first", "last")
        )
        order = np.lexsort((first, chunk))
        chunks, starts = np.unique(chunk[order], return_index=True)
        return {
            place: Spans(first[at], last[at])
            for place, at in zip(chunks.tolist(), np.split(order, starts[1:]), strict=False)
        }
