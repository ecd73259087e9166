"""Files of a megabyte that are made to take long or much, by format.

What they aim at: a walk over the rest of the file for each of its rows, a list of everything twice,
recursion, tables of all pairs, and archives that unpack to a thousand times their size.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.hostile_pictures import pictures

SIZE = 1 << 20
_BOMB = 200 << 20


def _full(piece: str, start: str = "", end: str = "") -> bytes:
    """As many pieces as fill the file."""
    times = (SIZE - len(start) - len(end)) // len(piece)
    return (start + piece * times + end).encode()


def _numbered(piece: Callable[[int], str], start: str = "", end: str = "") -> bytes:
    """Pieces that differ."""
    out, size = [start], 0
    number = 0
    while size < SIZE:
        out.append(piece(number))
        size += len(out[-1])
        number += 1
    return "".join([*out, end]).encode()


def json_files(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Whole files, and good ones with a hostile member or row."""
    yield "brackets", b"[" * SIZE
    yield "braces", _full('{"a":')
    yield "nested-closed", b"[" * (SIZE // 2) + b"]" * (SIZE // 2)
    yield "spaces", b" " * SIZE
    yield "digits", b"1" * SIZE
    yield "array-of-digits", b"[" + b"1" * SIZE + b"]"
    yield "open-text", b'{"' + b"a" * SIZE
    yield "backslashes", b'{"' + b"\\" * SIZE + b'": 1}'
    yield "members", _full('"a":1,', "{", '"b":1}')
    yield "arrays", _full('"images":[],', "{", '"b":1}')
    yield "ones", _full("1,", "[", "1]")
    yield "objects", _full("{},", "[", "{}]")
    yield "empty-arrays", _full("[],", "[", "[]]")
    yield "ends-of-rows", _full("}]")
    yield "rows-in-text", _full("},{", '[{"id":"', '"}]')
    yield "ends-in-text", _full("}]", '[{"id":"', '"}]')
    yield "spaced-braces", _full("}" + " " * 30)
    tree = json.loads(good)
    if not isinstance(tree, dict):
        row = json.dumps(tree[0]) if isinstance(tree, list) and tree else "{}"
        yield "same-row", _full(row + ",", "[", row + "]")
        yield "bad-rows", _full('{"image_id":21},', "[", "{}]")
        yield "half-rows", _full(row[:-1] + ',"x":NaN},', "[", row + "]")
        return
    arrays = [name for name, value in tree.items() if isinstance(value, list) and value]
    for name in arrays:
        others = json.dumps({key: value for key, value in tree.items() if key != name})[:-1]
        start = f'{others}{"," if len(others) > 1 else ""}"{name}":['
        row = json.dumps(tree[name][0])
        yield f"{name}-ones", _full("1,", start, "1]}")
        yield f"{name}-objects", _full("{},", start, "{}]}")
        yield f"{name}-open-objects", _full('{"id":', start)
        yield f"{name}-same-row", _full(row + ",", start, row + "]}")
        yield f"{name}-odd-rows", _full(row[:-1] + ',"x":NaN},', start, row + "]}")
        yield f"{name}-deep-row", _full("[", start + row[:-1] + ',"x":')
        yield (
            f"{name}-deep-whole-row",
            (start + row[:-1] + ',"x":' + "[" * (SIZE // 2) + "]" * (SIZE // 2) + "}]}").encode(),
        )
        for field, value in tree[name][0].items() if isinstance(tree[name][0], dict) else ():
            if isinstance(value, list | str):
                yield f"{name}-{field}-long", _long_field(start, tree[name][0], field, value)
    annotations = tree.get("annotations")
    if annotations:
        others = json.dumps({key: value for key, value in tree.items() if key != "annotations"})
        start = others[:-1] + ',"annotations":['
        row = {**annotations[0], "segmentation": None}
        head = json.dumps(row).replace("null", "", 1)[:-1]
        yield "runs", _full("1,", f'{start}{head}{{"size":[48,64],"counts":[', "1]}}]}")
        yield "counts", _full("o", f'{start}{head}{{"size":[48,64],"counts":"', '"}}]}')
        yield "crowded-counts", _full("0", f'{start}{head}{{"size":[48,64],"counts":"', '"}}]}')
    if "LabelName" in tree:
        yield (
            "chain-of-classes",
            _numbered(
                lambda n: f'{{"LabelName":"/m/{n}","Subcategory":[{{"LabelName":"/m/{n + 1}"}}]}},',
                '{"LabelName":"/m/root","Subcategory":[',
                '{"LabelName":"/m/end"}]}',
            ),
        )


def _long_field(start: str, row: dict[str, object], field: str, value: object) -> bytes:
    before, after = json.dumps({**row, field: "@here@"}).split('"@here@"')
    if isinstance(value, str):
        return _full("/", f'{start}{before}"', f'"{after}]}}')
    item = json.dumps(value[0]) if value else "1"  # type: ignore[index]
    return _full(item + ",", f"{start}{before}[", f"{item}]{after}]}}")


def csv_files(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Headers, then rows under the good header."""
    lines = good.decode().splitlines()
    header, row = lines[0] + "\n", lines[1] if len(lines) > 1 else lines[0]
    yield "commas", b"," * SIZE
    yield "one-line", b"x" * SIZE
    yield "many-columns", _numbered(lambda n: f"{n},")
    yield "same-column", _full("a,")
    yield "header-and-columns", _numbered(lambda n: f",{n}", header[:-1])
    yield "blank-lines", b"\n" * SIZE
    yield "returns", b"\r" * SIZE
    yield "zeros", b"\x00" * SIZE
    quotes = {
        "quotes": '"', "quote-lines": '"\n', "open-quotes": '"a\n', "comma-quotes": 'a,"b\n',
        "doubled": '"a""\n', "three": '"""b\n', "two-open": 'a,""b\n', "quoted-ends": '"\n",',
        "quote-returns": '"a\r', "pairs": '""', "long-open": '"' + "a" * 500 + "\n",
        "cells": '"a",',
    }  # fmt: skip
    for name, piece in quotes.items():
        yield name, _full(piece, header)
    yield "short-rows", _full("a\n", header)
    yield "long-row", _full("a,", header)
    yield "empty-rows", _full("," * row.count(",") + "\n", header)
    yield "same-row", _full(row + "\n", header)
    yield "quoted-row", _full(row + '"\n', header)
    first, _, rest = row.partition(",")
    yield "distinct-rows", _numbered(lambda n: f"{first[:3]}{n:x},{rest}\n", header)
    yield "blank-between", _full(row + "\n" * 500, header)
    yield "one-cell", (header + "x" * SIZE + "," + rest + "\n").encode()


def text_files(good: bytes) -> Iterator[tuple[str, bytes]]:
    """TOML."""
    yield "brackets", b"a = " + b"[" * SIZE
    yield "closed-brackets", b"a = " + b"[" * (SIZE // 2) + b"]" * (SIZE // 2)
    yield "tables", _numbered(lambda n: f"[a{n}]\n")
    yield "dotted-key", _full("a.", "", "a = 1")
    yield "dotted-table", _full("a.", "[", "a]")
    yield "digits", b"a = " + b"1" * SIZE
    yield "dashes", b"a = " + b"1_" * (SIZE // 2)
    yield "text", b'a = "' + b"x" * SIZE
    yield "inline", _full("{a=", "a = ")
    yield "spaces", b" " * SIZE
    yield "keys", _numbered(lambda n: f"a{n} = 1\n")
    yield "runs", _numbered(lambda n: f'[[run]]\nname = "r{n}"\ngroup = "a"\n')


def archives(name: str, good: bytes) -> Iterator[tuple[str, bytes]]:
    """Archives that unpack to a thousand times their size; `.gz` or `.zip`, as the good one is."""
    fill = {
        "spaces": b" ", "brackets": b"[", "digits": b"1", "rows": b"{},", "commas": b",",
        "lines": b"\n",
    }  # fmt: skip
    for what, piece in fill.items():
        start = b'{"images":[' if what == "rows" else b""
        yield f"bomb-of-{what}", _packed(name, start, piece)


def _packed(name: str, start: bytes, piece: bytes) -> bytes:
    block, out = piece * ((1 << 20) // len(piece)), io.BytesIO()
    if name.endswith(".gz"):
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
            packed.write(start)
            for _ in range(_BOMB >> 20):
                packed.write(block)
    else:
        with (
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("sizes.csv" if ".csv" in name else "val.json", "w") as member,
        ):
            member.write(start)
            for _ in range(_BOMB >> 20):
                member.write(block)
    return out.getvalue()


def tables(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Parquet: a row a hundred million times takes a kilobyte."""
    table = pq.read_table(pa.BufferReader(good))
    row = table.slice(0, 1)
    if len(row):
        many = row.take(pa.array(np.zeros(1 << 20, np.int64))).combine_chunks()
        out = io.BytesIO()
        pq.write_table(many, out, compression="zstd")
        yield "same-row", out.getvalue()
    yield "zeros", b"PAR1" + bytes(SIZE) + b"PAR1"
    for name in table.schema.names:
        for kind, values in _COLUMNS.items():
            column = pa.chunked_array([pa.concat_arrays([values] * len(table))])
            place = table.schema.get_field_index(name)
            out = io.BytesIO()
            pq.write_table(table.set_column(place, name, column), out)
            yield f"{name}-{kind}", out.getvalue()
    for name in table.schema.names if len(row) else ():
        if pa.types.is_string(table.schema.field(name).type):
            yield f"{name}-repeated", _long_texts(row, name, 1 << 10, 1 << 20)
            yield f"{name}-long", _long_texts(row, name, 1 << 20, 1 << 12)


_COLUMNS: dict[str, pa.Array] = {
    "null": pa.nulls(1),
    "list": pa.array([[1]]),
    "struct": pa.array([{"a": 1}]),
    "binary": pa.array([b"\xff\xfe"]),
    "fixed": pa.array([b"\xff"], pa.binary(1)),
    "no-text": pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    ),
    "time": pa.array([2**40], pa.timestamp("us")),
    "far-time": pa.array([2**63 - 1], pa.timestamp("us", "UTC")),
    "duration": pa.array([1], pa.duration("s")),
    "decimal": pa.array([1]).cast(pa.decimal128(30, 5)),
    "flag": pa.array([True]),
    "whole": pa.array([2**63 - 1]),
    "unsigned": pa.array([2**64 - 1], pa.uint64()),
    "half": pa.array([1.0], pa.float16()),
    "not-finite": pa.array([float("nan")]),
    "codes": pa.array(["a"]).dictionary_encode(),
    "quotes": pa.array([chr(34) + "\r\n,"]),
}


def _long_texts(row: pa.Table, name: str, length: int, times: int) -> bytes:
    """One text many times: the file has it once."""
    zeros = pa.array(np.zeros(times, np.int32))
    texts = pa.DictionaryArray.from_arrays(zeros, pa.array(["x" * length]))
    many, out = row.take(zeros), io.BytesIO()
    many = many.set_column(row.schema.get_field_index(name), name, texts)
    # without the schema of Arrow it is a column of texts
    pq.write_table(many, out, compression="zstd", store_schema=False, write_statistics=False)
    return out.getvalue()


def hostile_files(name: str, kind: str, good: bytes) -> Iterator[tuple[str, bytes]]:
    """The hostile files in place of a good one.

    Args:
        name: of the good file.
        kind: json, csv, parquet, text or binary.
        good: its content.
    """
    if kind == "json":
        yield from json_files(good)
    elif kind == "csv":
        yield from csv_files(good)
    elif kind == "text":
        yield from text_files(good)
    elif kind == "parquet":
        yield from tables(good)
    elif name.endswith((".gz", ".zip")):
        yield from archives(name, good)
    elif name.endswith((".jpg", ".png")):
        yield from pictures()
