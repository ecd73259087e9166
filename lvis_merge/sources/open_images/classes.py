"""The class list and the class hierarchy of Open Images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.sources.csv_chunks import row_texts
from lvis_merge.sources.csv_fields import fields
from lvis_merge.sources.files import read_all

_MOST_PAIRS = 1_000_000
"""A chain of classes has half the square of its length: a small file could fill the memory."""


@dataclass(frozen=True)
class Hierarchy:
    """Which classes lie below which, by `Subcategory` edges only.

    Attributes:
        descendants: MID -> all MIDs below it, itself not counted.
    """

    descendants: dict[str, frozenset[str]]


def read_classes(path: Path, name: str) -> dict[str, str]:
    """Reads the class list: MID -> display name, in file order.

    V5's file has no header, V7's has `LabelName,DisplayName`; both are read.

    Raises:
        InputError: no UTF-8, a row that is not MID and name, a MID listed twice, no row.
    """
    data = read_all(path, ".csv")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is no UTF-8 text. Download it again.") from error
    classes: dict[str, str] = {}
    for number, text in enumerate(row_texts(data), 1):
        values = fields(text.removeprefix("\ufeff"))
        if values == ["LabelName", "DisplayName"] and number == 1:
            continue
        if len(values) != 2 or not values[0].startswith("/"):
            raise InputError(
                f"{name}, row {number}: {text[:200]!r} is not MID,name such as /m/011k07,Tortoise."
                " Check that it is the class list."
            )
        if values[0] in classes:
            raise InputError(f"{name}, row {number}: {values[0]} is listed twice. Mend the file.")
        classes[values[0]] = values[1]
    if not classes:
        raise InputError(f"{name}: lists no class. Download it again.")
    return classes


def read_hierarchy(path: Path, name: str) -> Hierarchy:
    """Reads the hierarchy.

    A class can stand at several nodes; what lies below any of them counts, at every step down.
    `Part` edges are another relation (a wheel is part of a car, not a kind of car): they are not
    followed.

    Raises:
        InputError: no JSON, a node without a `LabelName`, or far too many classes below others.
    """
    try:
        root = msgspec.json.decode(read_all(path, ".json"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name}: is no JSON ({error}). Download it again.") from error
    children: dict[str, set[str]] = {}
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        below = node.get("Subcategory", []) if isinstance(node, dict) else None
        parts = node.get("Part", []) if isinstance(node, dict) else None
        mid = node.get("LabelName") if isinstance(node, dict) else None
        if not isinstance(below, list) or not isinstance(parts, list) or not isinstance(mid, str):
            raise InputError(
                f"{name}: a node has no LabelName, or its Subcategory or Part is no list."
                " Check that it is the class hierarchy."
            )
        found = children.setdefault(mid, set())
        found |= {child["LabelName"] for child in below if _is_named(child)}
        # what hangs on a node as a part is itself a node, with subcategories of its own
        stack += below + parts
    descendants: dict[str, frozenset[str]] = {}
    pairs = 0
    for mid in children:
        descendants[mid] = _reached_from(mid, children)
        pairs += len(descendants[mid])
        if pairs > _MOST_PAIRS:
            raise InputError(
                f"{name}: has more than {_MOST_PAIRS:,} pairs of a class and one below it; Open"
                " Images has a few thousand. Check that it is the class hierarchy."
            )
    return Hierarchy(descendants)


def _is_named(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("LabelName"), str)


def _reached_from(mid: str, children: dict[str, set[str]]) -> frozenset[str]:
    reached: set[str] = set()
    stack = [mid]
    while stack:
        new = children.get(stack.pop(), set()) - reached
        reached |= new
        stack += new
    return frozenset(reached - {mid})
