"""Pools: the detections of one model before the cap, as the ensemble reads them.

A pool is LVIS results: a JSON array, or the same rows in Parquet, which takes a quarter of the
space, a tenth of the time and streams. The columns are those of `evaluation.result_table`. Parquet
is written in row groups as detections come, an image's rows next to each other.

A model that does not know every category (an expert) carries the list of those it knows: in the
Parquet file's metadata, or beside a JSON file in `NAME.known.json`. Where there is neither, a model
is taken to know the categories that occur in its pool, which over a whole split are all that its
score threshold ever lets through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lvis_merge.errors import InputError
from lvis_merge.evaluation import Results, read_results
from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.pairs import Ints
from lvis_merge.evaluation.result_table import BOXES, MASKS, is_table
from lvis_merge.sources.files import is_remote
from lvis_merge.whole_file import whole_file

POOL_SIZE = 1000
"""Detections an image that `test` keeps before the cap of 300."""

POOL_FILE = "pool.parquet"
"""What `test` calls the pool in a run's folder."""

ROW_GROUP_ROWS = 1 << 18
_METADATA = b"lvis_merge.known_categories"
_MOST_OF_A_CATEGORY = 2_000
_KNOWN_SUFFIX = ".known.json"


@dataclass(frozen=True)
class Pool:
    """One model's detections.

    Attributes:
        results: its detections, with boxes.
        known_category_ids: int64, ascending: the categories that the model can find.
        is_listed: whether the pool says which those are; if not, they are those that occur.
    """

    results: Results
    known_category_ids: Ints
    is_listed: bool


def read_pool(path: str, known: Known, *, lenient: bool = False) -> Pool:
    """Reads and checks a pool.

    Args:
        path: a local file (`.parquet`, `.json`, `.json.gz`, `.json.zip`) or a URL.
        known: what its detections may name.
        lenient: drop and count bad entries instead of stopping at the first.

    Raises:
        InputError: as `read_results`; or the detections have no boxes, or far too many of one
            category on one image; or the list of known categories is damaged.
    """
    results = read_results(path, known, lenient=lenient)
    if results.detections.bbox is None:
        raise InputError(
            f"{path}: has masks and no boxes. An ensemble fuses boxes: write `bbox` too."
        )
    _check_crowding(path, results.detections)
    listed = _known_categories(path)
    occurring = np.unique(results.detections.category_id)
    if listed is None:
        return Pool(results, occurring, False)
    return Pool(results, np.union1d(listed, occurring), True)


def _check_crowding(path: str, detections: Detections) -> None:
    """Fusing compares the boxes of one category on one image with each other."""
    if not len(detections):
        return
    order = np.lexsort([detections.category_id, detections.image_id])
    image, category = detections.image_id[order], detections.category_id[order]
    new = (np.diff(image) != 0) | (np.diff(category) != 0)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    numbers = np.diff(starts, append=len(image))
    most = int(numbers.argmax())
    if numbers[most] > _MOST_OF_A_CATEGORY:
        at = starts[most]
        raise InputError(
            f"{path}: has {numbers[most]:,} boxes of category {category[at]} on image {image[at]},"
            f" more than {_MOST_OF_A_CATEGORY:,}. A pool keeps some {POOL_SIZE:,} an image in all:"
            " write it with fewer."
        )


def _known_categories(path: str) -> Ints | None:
    if is_remote(path):
        return None  # a list beside it would be another fetch, of a file that may not be there
    beside = _beside(Path(path))
    try:
        if is_table(path):
            data = (pq.read_schema(path).metadata or {}).get(_METADATA)
        else:
            data = beside.read_bytes() if beside.is_file() else None
        if data is None:
            return None
        return np.unique(np.array(msgspec.json.decode(data, type=list[int]), np.int64))
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, OSError) as error:
        where = path if is_table(path) else beside
        raise InputError(
            f"{where}: its list of known categories is damaged ({error}). Run `lvis-merge experts`"
            " again."
        ) from error


def _beside(path: Path) -> Path:
    """`NAME.known.json` of `NAME.json`, `NAME.json.gz` or `NAME.json.zip`."""
    return path.with_name(path.name.split(".json", 1)[0] + _KNOWN_SUFFIX)


class PoolWriter:
    """Writes detections as they come; use it through `pool_writer`.

    Attributes:
        written: how many there are so far.
    """

    def __init__(self, path: Path, masks: bool, known_category_ids: Ints | None) -> None:
        self.written = 0
        self._path = path
        self._masks = masks
        self._schema = BOXES.append(MASKS) if masks else BOXES
        if known_category_ids is not None:
            listed = json.dumps(known_category_ids.tolist()).encode()
            self._schema = self._schema.with_metadata({_METADATA: listed})
        self._table: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._text = path.open("wb")
        if is_table(path):
            self._table = pq.ParquetWriter(self._text, self._schema, compression="zstd")
        else:
            self._text.write(b"[")

    def write(self, detections: Detections, sizes: Ints | None = None) -> None:
        """Adds detections, whole images at a time.

        Args:
            detections: N of them, with boxes unless they are JSON with masks; with masks if the
                file is to have them.
            sizes: int64 [N, 2], height and width of their images; needed for masks in JSON.
        """
        if not len(detections):
            return
        if self._table is None:
            self._text.write(b",\n" if self.written else b"\n")
            self._text.write(b",\n".join(result_lines(detections, sizes if self._masks else None)))
        else:
            self._waiting.append(self._batch(detections))
            if sum(batch.num_rows for batch in self._waiting) >= ROW_GROUP_ROWS:
                self._flush()
        self.written += len(detections)

    def close(self) -> None:
        """Writes what is left."""
        if self._table is not None:
            self._flush()
            self._table.close()
        else:
            self._text.write(b"\n]\n")
        self._text.close()

    def abandon(self) -> None:
        """Lets go of the file, which is to be removed if it was not closed before."""
        if self._table is not None:
            self._table.close()
        self._text.close()

    def _batch(self, detections: Detections) -> pa.RecordBatch:
        assert detections.bbox is not None
        corners = pa.array(detections.bbox.astype(np.float32).ravel())
        columns = [
            pa.array(detections.image_id),
            pa.array(detections.category_id.astype(np.int32)),
            pa.FixedSizeListArray.from_arrays(corners, type=BOXES.field("bbox").type),
            pa.array(detections.score, pa.float64()),
        ]
        if self._masks:
            assert detections.mask is not None
            columns.append(detections.mask.cast(pa.string()))
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _flush(self) -> None:
        assert self._table is not None
        if self._waiting:
            rows = pa.Table.from_batches(self._waiting).combine_chunks()
            self._table.write_table(rows, row_group_size=len(rows))
            self._waiting = []


@contextmanager
def pool_writer(
    path: Path, *, masks: bool = False, known_category_ids: Ints | None = None
) -> Iterator[PoolWriter]:
    """A file of detections that is there, whole, once the block has ended without an error.

    Args:
        path: what to write: Parquet if its name ends in `.parquet`, else JSON.
        masks: whether the detections have masks.
        known_category_ids: int64, the categories that the model knows; None for a model that knows
            all, or does not say.

    Yields:
        What takes the detections.
    """
    with whole_file(path) as partial:
        writer = PoolWriter(partial, masks, known_category_ids)
        try:
            yield writer
            writer.close()
        finally:
            writer.abandon()
    if is_table(path):
        return
    # a list that an earlier file of that name left says nothing about this one
    _beside(path).unlink(missing_ok=True)
    if known_category_ids is not None:
        with whole_file(_beside(path)) as partial:
            partial.write_text(json.dumps(known_category_ids.tolist()) + "\n")


def result_lines(detections: Detections, sizes: Ints | None) -> Iterator[bytes]:
    """LVIS result entries in JSON.

    Args:
        detections: N of them, with boxes, masks or both.
        sizes: int64 [N, 2], height and width of their images; None to leave masks out.
    """
    encode = msgspec.json.Encoder().encode
    count = len(detections)
    boxes = detections.bbox.tolist() if detections.bbox is not None else [None] * count
    masks = detections.mask.to_pylist() if sizes is not None and detections.mask else [None] * count
    shapes = sizes.tolist() if sizes is not None else [None] * count
    columns = (detections.image_id, detections.category_id, detections.score)
    plain = (column.tolist() for column in columns)
    for image, category, score, box, mask, shape in zip(*plain, boxes, masks, shapes, strict=True):
        entry: dict[str, object] = {"image_id": image, "category_id": category}
        if box is not None:
            entry["bbox"] = box
        if mask is not None:
            entry["segmentation"] = {"size": shape, "counts": mask}
        yield encode({**entry, "score": score})
