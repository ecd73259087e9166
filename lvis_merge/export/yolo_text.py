"""Boxes and polygons as YOLO spells them: shares of the image's sides, within [0, 1]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_DECIMALS = 6


def clipped(
    boxes: npt.NDArray[np.float32], sides: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Boxes cut off at the edges of their images.

    Args:
        boxes: float32 [N, 4], x, y, w, h in pixels.
        sides: int32 [N, 2], width and height of each box's image.

    Returns:
        float64 [N, 4], x0, y0, x1, y1 in pixels; and bool [N], the boxes that lost something. One
        that lies outside has no width or no height left.
    """
    whole = boxes.astype(np.float64)
    ends = np.concatenate([whole[:, :2], whole[:, :2] + whole[:, 2:]], axis=1)
    inside = np.clip(ends, 0, np.tile(sides, 2))
    # a box that ends at the edge is not cut: float32 sides miss it by a hair
    lost = (np.abs(inside - ends) > 1e-6 * np.tile(sides, 2)).any(axis=1)
    return inside, lost


def box_lines(
    classes: npt.NDArray[np.int64],
    ends: npt.NDArray[np.float64],
    sides: npt.NDArray[np.int32],
) -> pa.Array:
    """Lines of a detection label: class, centre x, centre y, width, height.

    Args:
        classes: int64 [N].
        ends: float64 [N, 4], x0, y0, x1, y1 in pixels, within the image.
        sides: int32 [N, 2], width and height of each box's image.
    """
    shares = ends / np.tile(sides, 2)
    centres, sizes = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
    numbers = _texts(np.concatenate([centres, sizes], axis=1).reshape(-1))
    columns = [numbers.take(pa.array(np.arange(i, len(numbers), 4))) for i in range(4)]
    return pc.binary_join_element_wise(pa.array(classes).cast(pa.string()), *columns, " ")


def outlines(rows: pa.ListArray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Each row's polygons as one polygon, which is all that the format can say.

    Each part is closed; then the way leads along a line of no width to the next part's first point,
    and from the last part back over the first points of those before it.

    Args:
        rows: list of lists of float32, x and y in turn; no null, no row without a part.

    Returns:
        float32 [P, 2], the points; and int64 [N], how many points each row has.
    """
    parts = rows.flatten()
    points = parts.flatten().to_numpy().reshape(-1, 2)
    sizes = pc.list_value_length(parts).to_numpy().astype(np.int64) // 2
    counts = pc.list_value_length(rows).to_numpy().astype(np.int64)
    part_starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    row_starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    several = np.repeat(counts > 1, counts)
    # of rows with several parts: every part, its first point again, and behind the last part the
    # first points of parts k - 2 … 1 on the way back to part 0
    last_parts = row_starts + counts - 1
    back = np.maximum(counts - 2, 0)
    lengths = sizes + several
    behind = np.zeros(len(sizes), np.int64)
    behind[last_parts] = back
    starts = np.concatenate([[0], np.cumsum(lengths + behind)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths + behind)
    part = np.repeat(np.arange(len(sizes)), lengths + behind)
    step_back = place - lengths[part]
    source = np.where(
        step_back >= 0,
        part_starts[np.clip(part - 1 - step_back, 0, part)],
        part_starts[part] + place % np.maximum(sizes[part], 1),
    )
    row_ends = starts[np.concatenate([row_starts, [len(sizes)]])]
    return points[source], np.diff(row_ends)


def polygon_lines(
    classes: npt.NDArray[np.int64],
    points: npt.NDArray[np.floating],
    lengths: npt.NDArray[np.int64],
    sides: npt.NDArray[np.int32],
) -> pa.Array:
    """Lines of a segmentation label: class, x, y, x, y, …; points beyond the image go to its edge.

    Args:
        classes: int64 [N].
        points: float [P, 2], x and y in pixels.
        lengths: int64 [N], how many of the points each polygon has.
        sides: int32 [N, 2], width and height of each polygon's image.
    """
    shares = np.clip(points.astype(np.float64) / np.repeat(sides, lengths, axis=0), 0, 1)
    offsets = np.concatenate([[0], np.cumsum(2 * lengths)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), _texts(shares.reshape(-1)))
    joined = pc.binary_join(lists, " ")
    return pc.binary_join_element_wise(pa.array(classes).cast(pa.string()), joined, " ")


def _texts(shares: npt.NDArray[np.float64]) -> pa.Array:
    """Numbers of at most 6 decimals."""
    return pa.array(np.round(shares, _DECIMALS)).cast(pa.string())
