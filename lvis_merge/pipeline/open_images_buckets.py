"""What the first pass over Open Images finds, by bucket: repeated ids, the rows of each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.progress import Advance
from lvis_merge.sources.buckets import Buckets, NewBuckets
from lvis_merge.sources.open_images.images import IMAGES, first_of_each, runs_of_rows
from lvis_merge.sources.open_images.join import (
    BOXES_OF_IMAGES,
    LABELS_OF_IMAGES,
    ImageBucket,
    LateRows,
    join_bucket,
    with_unlisted,
)
from lvis_merge.sources.open_images.scan import FileScan, Look


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


@dataclass
class FirstPass:
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


def listed_images(lists: FirstPass, images: Buckets, inputs: Inputs) -> Buckets:
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


def join(
    images: Buckets,
    lists: FirstPass,
    boxes: FirstPass,
    labels: FirstPass,
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
