"""Good files, damaged a little: most of such a file is still read, so that damage goes deep.

Hypothesis draws what is damaged and where, and shrinks what it finds to one small damage. Not
atheris: most of the reading here is done by msgspec, pyarrow, numpy and zlib, whose branches it
does not see, so that its search has little to go by; and it ends at the first finding.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from tests.fuzz.hostile_values import BYTES, CSV_CELLS, JSON_VALUES

Draw = Callable[[st.SearchStrategy[Any]], Any]
Damage = Callable[[Draw, bytes], bytes]


@st.composite
def damaged(draw: Draw, good: bytes, damages: tuple[Damage, ...]) -> bytes:
    """The file after one to three damages."""
    data = good
    for _ in range(draw(st.integers(1, 3))):
        data = draw(st.sampled_from(damages))(draw, data)
    return data


def _place(draw: Draw, data: bytes) -> int:
    return draw(st.integers(0, len(data)))


def cut(draw: Draw, data: bytes) -> bytes:
    return data[: _place(draw, data)]


def flipped(draw: Draw, data: bytes) -> bytes:
    if not data:
        return data
    place = draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def put_in(draw: Draw, data: bytes) -> bytes:
    """Bytes put in, over as many of the file's or none of them."""
    place, new = _place(draw, data), draw(st.sampled_from(BYTES))
    return data[:place] + new + data[place + draw(st.sampled_from((0, 1, len(new)))) :]


def repeated(draw: Draw, data: bytes) -> bytes:
    """A piece left out, or there several times."""
    start, stop = sorted((_place(draw, data), _place(draw, data)))
    times = draw(st.sampled_from((0, 2, 3, 50)))
    return data[:start] + data[start:stop][:4_096] * times + data[stop:]


def json_value(draw: Draw, data: bytes) -> bytes:
    """A value anywhere in the tree replaced, left out, or there twice."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return put_in(draw, data)
    places = list(_places(tree))
    if not places:
        return draw(st.sampled_from(JSON_VALUES)).encode()
    holder, key = draw(st.sampled_from(places))
    new = draw(st.sampled_from((*JSON_VALUES, None)))
    if new is None:
        del holder[key]
        return json.dumps(tree).encode()
    mark = "@here@"
    was, holder[key] = holder[key], mark
    if isinstance(key, str) and draw(st.booleans()):
        new = f"{json.dumps(was)}, {json.dumps(key)}: {new}"
    # a lone surrogate or a NaN is told as the file would have it, which json.dumps would not
    return json.dumps(tree).replace(f'"{mark}"', new, 1).encode("utf-8", "surrogatepass")


def _places(tree: Any) -> Any:
    children = (
        list(tree.items())
        if isinstance(tree, dict)
        else list(enumerate(tree))
        if isinstance(tree, list)
        else []
    )
    for key, value in children:
        yield tree, key
        yield from _places(value)


def csv_cell(draw: Draw, data: bytes) -> bytes:
    """A cell of any row, the header too, replaced, put in or left out."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    row = draw(st.integers(0, len(lines) - 1))
    cells = lines[row].split(",")
    place = draw(st.integers(0, len(cells) - 1))
    new = draw(st.sampled_from((*CSV_CELLS, None)))
    cells[place : place + draw(st.sampled_from((1, 1, 1, 0)))] = [] if new is None else [new]
    lines[row] = ",".join(cells)
    return "\n".join(lines).encode(
        "utf-8", "surrogatepass" if new == "\ud800" else "surrogateescape"
    )


def csv_rows(draw: Draw, data: bytes) -> bytes:
    """A row repeated or moved, other line ends, another encoding."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    kind = draw(st.sampled_from(("again", "swap", "\r\n", "\r", "bom", "utf-16", "semicolons")))
    row, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    if kind == "again":
        lines[row] *= draw(st.sampled_from((0, 2, 100)))
    elif kind == "swap":
        lines[row], lines[other] = lines[other], lines[row]
    elif kind in ("\r\n", "\r"):
        return data.replace(b"\n", kind.encode())
    elif kind == "bom":
        return b"\xef\xbb\xbf" + data
    elif kind == "utf-16":
        return data.decode("latin-1").encode("utf-16")
    else:
        return data.replace(b",", b";")
    return b"".join(lines)


_CELLS: dict[str, tuple[Any, ...]] = {
    "int64": (None, -1, 0, 2**31, 2**52, 2**63 - 1, -(2**63)),
    "int32": (None, -1, 0, 10**6, 2**31 - 1, -(2**31)),
    "double": (None, float("nan"), float("inf"), -1.0, 0.0, 1e308),
    "string": (None, "", "lvis", "open_images", "train", "../../x.jpg", "/x.jpg", "a" * 300, "\0",
               "object", "ignore", "12", "x:1", "0", "PPYo1PPYo1", "oooooooo"),
    "bool": (None, True, False),
}  # fmt: skip
_LISTS = (None, [], [-1], [2**31 - 1, 0, 0], [[]], [[1.0]], [[float("nan")] * 6], [[1e38] * 7])
_BOXES = (None, [float("nan")] * 4, [-1.0, 0, 0, 0], [1e38] * 4, [None, None, None, None])


def parquet_cell(draw: Draw, data: bytes) -> bytes:
    """A cell of a table replaced, its column dropped or of another type, its row repeated."""
    try:
        table = pq.read_table(pa.BufferReader(data))
    except Exception:
        return flipped(draw, data)
    name = draw(st.sampled_from(table.schema.names))
    place = table.schema.get_field_index(name)
    kind = table.schema.field(place).type
    what = draw(st.sampled_from(("cell", "cell", "cell", "drop", "text", "again", "none")))
    if what == "drop":
        table = table.drop_columns(name)
    elif what == "text":
        table = table.set_column(place, name, pa.array(["x"] * len(table), pa.string()))
    elif what == "again":
        table = pa.concat_tables([table, table.slice(draw(st.integers(0, len(table))), 1)])
    elif what == "none":
        table = table.slice(0, 0)
    elif len(table):
        values = table[name].to_pylist()
        choices = _CELLS.get(str(kind), _BOXES if name == "bbox" else _LISTS)
        values[draw(st.integers(0, len(values) - 1))] = draw(st.sampled_from(choices))
        try:
            table = table.set_column(place, name, pa.array(values, kind))
        except (pa.ArrowException, TypeError):
            return data
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


_ANY = (cut, flipped, put_in, repeated)
BY_FORMAT: dict[str, tuple[Damage, ...]] = {
    "json": (json_value, json_value, json_value, *_ANY),
    "csv": (csv_cell, csv_cell, csv_rows, *_ANY),
    "parquet": (parquet_cell, parquet_cell, *_ANY),
    "text": _ANY,
    "binary": _ANY,
}
