"""Whether the values of two columns differ, row by row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def differing(before: pa.Array, after: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether each pair of values differs; null equals null and nothing else.

    Args:
        before: N values; lists of any depth too.
        after: N values of the same type.

    Returns:
        bool [N].
    """
    if pa.types.is_list(before.type) or pa.types.is_fixed_size_list(before.type):
        return _lists_differ(before, after)
    one_null = pc.xor(before.is_null(), after.is_null())
    differ = pc.coalesce(pc.not_equal(before, after), one_null)
    found: npt.NDArray[np.bool_] = differ.to_numpy(zero_copy_only=False)
    return found


def _lists_differ(before: pa.Array, after: pa.Array) -> npt.NDArray[np.bool_]:
    lengths, others = (
        pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
        for column in (before, after)
    )
    differ: npt.NDArray[np.bool_] = lengths != others
    if differ.any():
        same = pa.array(~differ)
        inside = _values_differ(before.filter(same), after.filter(same), lengths[~differ])
        differ[np.flatnonzero(~differ)[inside]] = True
        return differ
    return _values_differ(before, after, lengths)


def _values_differ(
    before: pa.Array, after: pa.Array, lengths: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """The same for lists of equal lengths (-1: null)."""
    values = differing(before.flatten(), after.flatten())
    rows = np.zeros(len(lengths), np.bool_)
    if values.any():
        rows[np.repeat(np.arange(len(lengths)), np.maximum(lengths, 0))[values]] = True
    return rows
