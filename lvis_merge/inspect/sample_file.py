"""Writes `samples.json`: every image's document, made in as many processes as there are cores."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lvis_merge.inspect.documents import IMAGE_COLUMNS, DocumentWriter, ImageFile, Predicted
from lvis_merge.manifest import Manifest
from lvis_merge.progress import Advance

_IMAGES_AT_ONCE = 1000
"""Two or three seconds of work: on Ctrl-C what was begun is finished."""
_POLL_SECONDS = 0.2
_COPY_BYTES = 1 << 24


@dataclass(frozen=True)
class _Piece:
    """Some images of a manifest, for one process.

    Attributes:
        manifest: the folder.
        rows: int64 [k], ascending rows of `images`.
        files: of these images.
        writer: of their documents.
        out: the file to write.
    """

    manifest: Path
    rows: np.ndarray
    files: list[ImageFile]
    writer: DocumentWriter
    out: Path


def write_samples(
    out: Path,
    manifest: Manifest,
    rows: np.ndarray,
    files: Sequence[ImageFile],
    writer: DocumentWriter,
    advance: Advance,
) -> None:
    """Writes the documents of some images, in their order.

    Args:
        out: the file to be; its folder holds the pieces meanwhile.
        manifest: an open manifest.
        rows: int64 [K], ascending rows of `images`.
        files: of these images.
        writer: of their documents.
        advance: told of the images done.
    """
    ids = manifest.arrow("images", ["image_id"])["image_id"].to_numpy()[rows]
    manifest.parquet("annotations").close()  # looked at here, not by each of the processes
    pieces: list[_Piece] = []
    for start in range(0, len(rows), _IMAGES_AT_ONCE):
        part = slice(start, start + _IMAGES_AT_ONCE)
        pieces.append(
            _Piece(
                manifest.path,
                rows[part],
                list(files[part]),
                _writer_of(writer, ids[part]),
                out.with_name(f"{out.name}.{len(pieces):06d}"),
            )
        )
    with out.open("wb") as whole:
        whole.write(b'{"samples": [')
        for piece, done in _done(pieces):
            if piece is not pieces[0]:
                whole.write(b",\n")
            with done.open("rb") as written:
                shutil.copyfileobj(written, whole, _COPY_BYTES)
            done.unlink()
            advance(len(piece.rows))
        whole.write(b"]}")


def _writer_of(writer: DocumentWriter, ids: np.ndarray) -> DocumentWriter:
    """With the predictions of some images only: what a process is sent is small."""
    if writer.predicted is None:
        return writer
    predicted: dict[int, Predicted] = {
        image: writer.predicted[image] for image in ids.tolist() if image in writer.predicted
    }
    return DocumentWriter(writer.seed, writer.texts, predicted)


def _done(pieces: Sequence[_Piece]) -> Iterator[tuple[_Piece, Path]]:
    """Pieces in order, as they are done."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    if len(pieces) < 2 or cores < 2:
        for piece in pieces:
            yield piece, _write(piece)
        return
    # not forked: this process has threads by now
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(cores, len(pieces)), context, _leave_ctrl_c)
    try:
        waiting: list[tuple[_Piece, Future[Path]]] = []
        queue = iter(pieces)
        # a few ahead, so that a slow piece does not fill the disk with finished ones
        for piece in itertools.islice(queue, 2 * cores):
            waiting.append((piece, pool.submit(_write, piece)))
        while waiting:
            piece, future = waiting.pop(0)
            while not future.done():
                wait([future], timeout=_POLL_SECONDS)  # so that Ctrl-C gets through
            yield piece, future.result()
            for following in itertools.islice(queue, 1):
                waiting.append((following, pool.submit(_write, following)))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_ctrl_c() -> None:
    """Ctrl-C reaches every process of a terminal; the one that started the others tidies up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write(piece: _Piece) -> Path:
    images = pq.read_table(piece.manifest / "images.parquet", columns=list(IMAGE_COLUMNS))
    images = images.take(pa.array(piece.rows))
    boxes = _boxes_of(piece.manifest, images["image_id"].combine_chunks())
    encoder = msgspec.json.Encoder()
    with piece.out.open("wb") as out:
        for place, document in enumerate(piece.writer.samples(images, boxes, piece.files)):
            if place:
                out.write(b",\n")
            out.write(encoder.encode(document))
    return piece.out


def _boxes_of(manifest: Path, image_ids: pa.Array) -> pa.Table:
    """The annotations of some images; row groups without any of them are not read."""
    low, high = image_ids[0].as_py(), image_ids[-1].as_py()
    with pq.ParquetFile(manifest / "annotations.parquet") as file:
        place = file.schema_arrow.get_field_index("image_id")
        groups = []
        for group in range(file.num_row_groups):
            column = _leaf(file, group, place)
            if column is None or (column["min"] <= high and low <= column["max"]):
                groups.append(group)
        found = [
            table.filter(pc.is_in(table["image_id"], value_set=image_ids))
            for table in (file.read_row_group(group) for group in groups)
        ]
        return pa.concat_tables([file.schema_arrow.empty_table(), *found]).combine_chunks()


def _leaf(file: pq.ParquetFile, group: int, place: int) -> Mapping[str, int] | None:
    """Least and greatest value of one of the first columns, which have no lists before them."""
    statistics = file.metadata.row_group(group).column(place).statistics
    if statistics is None or not statistics.has_min_max:
        return None
    return {"min": statistics.min, "max": statistics.max}
