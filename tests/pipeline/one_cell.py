"""Other values for a cell of a manifest's table, each a small step away from the one there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from lvis_merge.manifest.schema import Column


def other_values(column: Column, value: Any) -> Iterator[tuple[str, Any]]:
    """What the cell could hold instead, of the column's type: (what was done, value)."""
    if value is not None and column.nullable:
        yield "null", None
    if column.values:
        yield from (("enum", other) for other in column.values if other != value)
        return
    yield from _of_type(column.type, value, fixed=False)


def _of_type(kind: pa.DataType, value: Any, fixed: bool) -> Iterator[tuple[str, Any]]:
    if pa.types.is_boolean(kind):
        yield ("false", False) if value else ("true", True)
        if value is None:
            yield "false", False
    elif pa.types.is_integer(kind):
        yield ("set", 1) if value is None else ("+1", value + 1)
    elif pa.types.is_floating(kind):
        yield from _floats(kind, value)
    elif pa.types.is_string(kind):
        yield ("set", "1") if value is None else ("longer", f"{value}1")
        if value:
            yield "shorter", value[:-1]
    else:
        yield from _lists(kind, value, fixed or pa.types.is_fixed_size_list(kind))


def _floats(kind: pa.DataType, value: float | None) -> Iterator[tuple[str, float]]:
    if value is None:
        yield "set", 1.0
        return
    yield "+1", value + 1
    single = kind.to_pandas_dtype()
    yield "next number", float(np.nextafter(single(value), single(math.inf)))


def _lists(kind: pa.DataType, value: list[Any] | None, fixed: bool) -> Iterator[tuple[str, Any]]:
    inner = kind.value_type
    if not value:
        some = next(_of_type(inner, None, fixed=False))[1]
        if value is None:
            yield "empty list", []
        yield "element added", [some]
        return
    for name, changed in _of_type(inner, value[-1], fixed=False):
        yield f"element {name}", [*value[:-1], changed]
    if not fixed:
        yield "element removed", value[:-1]
        yield "element added", [*value, value[-1]]
