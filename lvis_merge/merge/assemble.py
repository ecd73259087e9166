"""The rows of all sources as one table in the manifest's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.rules import SOURCE_ORDER

PIECE_ROWS = 1 << 17


@dataclass(frozen=True)
class Part:
    """Annotation rows of one source.

    Attributes:
        source: its name.
        rows: manifest columns that the source fills, with `image_id` and `order` int64: the order
            within an image (source annotation id or rank). `matched_row` int64, where present, is
            the row of the first part that the row is matched to, or null.
    """

    source: str
    rows: pa.Table


def source_rank(source: str, extras: Sequence[str]) -> int:
    """Place of a source within an image's rows."""
    if source in SOURCE_ORDER:
        return SOURCE_ORDER.index(source)
    return len(SOURCE_ORDER) + sorted(extras).index(source)


def join_annotations(
    parts: Sequence[Part],
    columns: Sequence[pa.Field],
    first_id: int = 1,
    piece_rows: int = PIECE_ROWS,
) -> Iterator[dict[str, pa.Array]]:
    """Orders the rows of all parts and numbers them.

    Args:
        parts: the sources; `matched_row` refers to the first.
        columns: the manifest's annotation columns.
        first_id: `annotation_id` of the first row.
        piece_rows: rows at a time; the polygons of that many are in memory twice.

    Yields:
        Column name -> array, by (image_id, source, order), a piece of the rows at a time.
        Columns that no part fills are left out.
    """
    extras = [part.source for part in parts if part.source not in SOURCE_ORDER]
    image = _stack([part.rows["image_id"].to_numpy() for part in parts])
    rank = _stack([np.full(len(part.rows), source_rank(part.source, extras)) for part in parts])
    order = np.lexsort((_stack([part.rows["order"].to_numpy() for part in parts]), rank, image))
    annotation_id = np.empty(len(order), np.int64)
    annotation_id[order] = np.arange(first_id, first_id + len(order))
    unordered = _columns(parts, [field.name for field in columns], annotation_id)
    for start in range(0, len(order), piece_rows):
        piece = order[start : start + piece_rows]
        indices = pa.array(piece)
        taken = {name: column.take(indices) for name, column in unordered.items()}
        yield {"annotation_id": pa.array(annotation_id[piece]), **taken}


def _columns(
    parts: Sequence[Part], names: Sequence[str], annotation_id: np.ndarray
) -> dict[str, pa.Array]:
    """The parts' rows one after the other, not yet ordered."""
    columns: dict[str, pa.Array] = {}
    for name in names:
        if name == "source":
            sources = pa.array([part.source for part in parts], pa.string())
            which = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
            columns[name] = sources.take(pa.array(which))
        elif name == "matched_annotation_id":
            columns[name] = _matched(parts, annotation_id)
        elif any(name in part.rows.schema.names for part in parts):
            columns[name] = _column(parts, name)
    return columns


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(np.concatenate([np.zeros(0, np.int64), *arrays]), np.int64)


def _column(parts: Sequence[Part], name: str) -> pa.Array:
    """The parts' values one after the other, null where a part has no such column."""
    kind = next(
        part.rows.schema.field(name).type for part in parts if name in part.rows.schema.names
    )
    chunks: list[pa.Array] = []
    for part in parts:
        if name in part.rows.schema.names:
            chunks += part.rows[name].cast(kind).chunks
        elif len(part.rows):
            chunks.append(pa.nulls(len(part.rows), kind))
    return pa.concat_arrays(chunks) if chunks else pa.array([], kind)


def _matched(parts: Sequence[Part], annotation_id: np.ndarray) -> pa.Array:
    """Rows of the first part as annotation ids; the first part's rows stand first."""
    if not any("matched_row" in part.rows.schema.names for part in parts):
        return pa.nulls(len(annotation_id), pa.int64())
    return pa.array(annotation_id).take(pc.cast(_column(parts, "matched_row"), pa.int64()))
