"""What reading an LVIS and a COCO file have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.sources.files import base_name
from lvis_merge.sources.json_blocks import Document, read_document
from lvis_merge.sources.json_rows import with_texts
from lvis_merge.sources.json_sinks import RowSink
from lvis_merge.sources.rejects import rejects_table

_DEEPEST = 100
_VALUES = frozenset({"info", "licenses", "categories"})


def read_annotation_file(
    path: Path, sinks: Mapping[str, Callable[[], RowSink]], kind: str
) -> Document:
    """Reads a file with `categories` and the arrays that the sinks name.

    Args:
        path: a local file, plain, `.gz` or `.zip`.
        sinks: by array, what makes the sink for its rows.
        kind: what the user was to give, for messages.

    Raises:
        InputError: a file that is no JSON object, cut short, or lacks an array.
    """
    document = read_document(path, sinks, _VALUES)
    missing = [name for name in sinks if name not in document.sinks]
    if "categories" not in document.values:
        missing.append("categories")
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise InputError(f"{path}: has no array {names}. Give {kind}.")
    for name in ("info", "licenses"):
        _check_storable(path, name, document.values.get(name))
    return document


def _check_storable(path: Path, name: str, value: Any) -> None:
    """The manifest keeps these as they are, in strict JSON."""
    try:
        if _depth(value) > _DEEPEST:
            raise ValueError(f"lists in lists, {_DEEPEST} deep")
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:  # NaN, an infinite number, a lone surrogate
        raise InputError(
            f"{path}: `{name}` holds what JSON cannot ({error}). Mend or remove it."
        ) from error


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, list | dict)]:
        depth += 1
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return depth


def rejected_rows(
    path: Path, document: Document, source: str, found: Mapping[str, list[tuple[int, str]]]
) -> pa.Table:
    """The rejects of a file, by kind and row.

    Args:
        path: the file.
        document: as read.
        source: `lvis`, `coco` or the name of an extra source.
        found: (row, reason) by array: `images`, `annotations`.
    """
    return pa.concat_tables(
        rejects_table(
            source,
            base_name(path),
            array.removesuffix("s"),
            with_texts(path, document.blocks[array], rows),
        )
        for array, rows in found.items()
    )


def licence_urls(document: Document) -> dict[int, str]:
    """The URL of each licence that the file lists in the usual form."""
    listed = document.values.get("licenses")
    return {
        row["id"]: row["url"]
        for row in (listed if isinstance(listed, list) else [])
        if isinstance(row, dict) and _is_int32(row.get("id")) and _is_text(row.get("url"))
    }


def _is_int32(value: Any) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _is_text(value: Any) -> bool:
    """A string that can be stored: no lone surrogates."""
    return isinstance(value, str) and value.encode(errors="ignore").decode() == value


def category_ids(categories: pa.Table) -> npt.NDArray[np.int64]:
    """int64 [C], the ids of the categories."""
    ids: npt.NDArray[np.int64] = categories["category_id"].to_numpy().astype(np.int64)
    return ids
