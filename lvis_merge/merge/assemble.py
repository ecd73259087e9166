"""The rows of all sources as one table in the manifest's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.rules import SOURCE_ORDER


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
    parts: Sequence[Part], columns: Sequence[pa.Field], first_id: int = 1
) -> dict[str, pa.Array]:
    """Orders the rows of all parts and numbers them.

    Args:
        parts: the sources; `matched_row` refers to the first.
        columns: the manifest's annotation columns.
        first_id: `annotation_id` of the first row.

    Returns:
        Column name -> array, by (image_id, source, order); columns that no part fills are left
        out.
    """
    extras = [part.source for part in parts if part.source not in SOURCE_ORDER]
    image = _stack([part.rows["image_id"].to_numpy() for part in parts])
    rank = _stack([np.full(len(part.rows), source_rank(part.source, extras)) for part in parts])
    order = np.lexsort((_stack([part.rows["order"].to_numpy() for part in parts]), rank, image))
    total = len(order)
    annotation_id = np.empty(total, np.int64)
    annotation_id[order] = np.arange(first_id, first_id + total)
    indices = pa.array(order)
    joined: dict[str, pa.Array] = {"annotation_id": pa.array(annotation_id[order])}
    for field in columns:
        if field.name == "source":
            names = pa.array([part.source for part in parts], pa.string())
            which = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
            joined["source"] = names.take(pa.array(which[order]))
        elif field.name == "matched_annotation_id":
            joined[field.name] = _matched(parts, annotation_id).take(indices)
        elif any(field.name in part.rows.schema.names for part in parts):
            joined[field.name] = _column(parts, field.name).take(indices)
    return joined


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *arrays]).astype(np.int64)


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
