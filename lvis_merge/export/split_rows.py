"""One split of a manifest, its annotations a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lvis_merge.errors import InputError
from lvis_merge.export.in_order import in_order
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.schema import ANNOTATIONS
from lvis_merge.merge.rules import SPLITS

_ROWS = 1 << 15


@dataclass(frozen=True)
class SplitRows:
    """One split of a manifest.

    Attributes:
        manifest: the manifest.
        split: train, val or test.
        images: `schema.IMAGES` of the split, in one chunk, by image_id.
    """

    manifest: Manifest
    split: str
    images: pa.Table

    @cached_property
    def ids(self) -> npt.NDArray[np.int64]:
        """int64 [I], the image ids, ascending."""
        ids: npt.NDArray[np.int64] = self.images["image_id"].to_numpy()
        return ids

    @cached_property
    def annotation_count(self) -> int:
        """Annotations of the split, ignore regions too."""
        rows = self.manifest.arrow("annotations", ["image_id"])["image_id"]
        return int(pc.sum(pc.is_in(rows, value_set=pa.array(self.ids))).as_py() or 0)

    def image_rows(self, image_ids: pa.Array) -> npt.NDArray[np.int64]:
        """The row of each annotation's image.

        Args:
            image_ids: of annotations of this split.

        Returns:
            int64 [N], places in `images`.
        """
        places: npt.NDArray[np.int64] = np.searchsorted(self.ids, image_ids.to_numpy())
        return places

    def annotations(self, columns: Sequence[str], role: str = "") -> Iterator[pa.Table]:
        """The annotations of the split, in order.

        Args:
            columns: of `schema.ANNOTATIONS`, `image_id` among them, and `role` if one is given.
            role: object or ignore, for these only.

        Yields:
            Tables of one chunk and at least one row.

        Raises:
            InputError: the table is missing or damaged.
        """
        path = self.manifest.path / "annotations.parquet"
        whole = len(self.manifest.images) == len(self.images)
        ids = None if whole else pa.array(self.ids)
        try:
            with self.manifest.parquet("annotations") as file:

                def read(group: int) -> pa.Table:
                    return file.read_row_group(group, columns=list(columns)).select(list(columns))

                # the next group is read while this one is worked on; a file is for one thread
                for rows in in_order(read, self._row_groups(file, whole), threads=1):
                    for start in range(0, len(rows), _ROWS):
                        wanted = _wanted(rows.slice(start, _ROWS), ids, role)
                        if len(wanted):
                            yield wanted.combine_chunks()
        except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path}: cannot be read ({error}). Build the manifest again."
            ) from error

    def _row_groups(self, file: pq.ParquetFile, whole: bool) -> list[int]:
        """The row groups with a row of this split; a test split has none."""
        if whole:
            return list(range(file.num_row_groups))
        rows = file.read(columns=["image_id"])["image_id"]
        here = pc.is_in(rows, value_set=pa.array(self.ids)).to_numpy()
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.cumsum([0, *sizes])
        return [n for n, size in enumerate(sizes) if here[starts[n] : starts[n] + size].any()]


def _wanted(rows: pa.Table, ids: pa.Array | None, role: str) -> pa.Table:
    """The rows of some images (all, if None) and of one role (both, if empty)."""
    tests = []
    if ids is not None:
        tests.append(pc.is_in(rows["image_id"], value_set=ids))
    if role:
        tests.append(pc.equal(rows["role"], role))
    return rows.filter(reduce(pc.and_, tests)) if tests else rows


def splits_of(manifest: Manifest, wanted: Sequence[str] = ()) -> list[SplitRows]:
    """The splits of a manifest that have images.

    Args:
        manifest: an open manifest.
        wanted: the splits to take; none for all.

    Returns:
        The splits, in the order train, val, test.

    Raises:
        InputError: a wanted split has no image, the manifest has none at all, or a table is missing
            or damaged.
    """
    column = manifest.images["split"]
    there = set(pc.unique(column).to_pylist())
    if not there:
        raise InputError(f"{manifest.path}: has no image, so there is nothing to export.")
    if missing := [split for split in SPLITS if split in wanted and split not in there]:
        has = ", ".join(split for split in SPLITS if split in there)
        raise InputError(
            f"{manifest.path}: has no image of split {', '.join(missing)}. It has {has}."
        )
    return [
        SplitRows(manifest, split, manifest.images.filter(pc.equal(column, split)).combine_chunks())
        for split in SPLITS
        if split in there and (not wanted or split in wanted)
    ]


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """A column of a table of one chunk, as an array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def boxes_of(rows: pa.Table) -> npt.NDArray[np.float32]:
    """`bbox` as float32 [N, 4]: x, y, w, h in pixels."""
    boxes: npt.NDArray[np.float32] = one_chunk(rows["bbox"]).flatten().to_numpy().reshape(-1, 4)
    return boxes


def by_whole_images(split: SplitRows, columns: Sequence[str]) -> Iterator[tuple[range, pa.Table]]:
    """All images of a split in order, some at a time, each with all of its annotations.

    Args:
        split: the split.
        columns: of `schema.ANNOTATIONS`, `image_id` among them.

    Yields:
        Places in `split.images`, and the annotations of these images, in one chunk, maybe none.
    """
    held = ANNOTATIONS.empty().select(list(columns))
    start = 0
    for rows in split.annotations(columns):
        rows = pa.concat_tables([held, rows])
        last = rows["image_id"][-1].as_py()
        # the last image's rows may go on in the next batch
        complete = int(pc.index(rows["image_id"], last).as_py())
        stop = int(np.searchsorted(split.ids, last))
        if stop > start:
            yield range(start, stop), rows.slice(0, complete).combine_chunks()
            start = stop
            rows = rows.slice(complete)
        held = rows
    yield range(start, len(split.images)), held.combine_chunks()
