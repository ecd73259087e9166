"""Config trees: dicts, lists and tuples in one another; none of these functions changes its input.

A path is the keys from the top, list places as numbers; people write it with dots:
`train_dataloader.dataset.pipeline.2.scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]


def walk(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every node below and including `node`, each with its path, parents first."""
    yield path, node
    for key, child in _children(node):
        yield from walk(child, (*path, key))


def mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of the tree with `change` applied to every leaf and, after its children, every dict.

    Args:
        node: the tree.
        change: gets a leaf or a dict of changed children, and returns what stands there instead.
    """
    if isinstance(node, dict):
        return change({key: mapped(child, change) for key, child in node.items()})
    if isinstance(node, (list, tuple)):
        return type(node)(mapped(child, change) for child in node)
    return change(node)


def replaced(node: Any, path: Path, value: Any) -> Any:
    """A copy of the tree with another value at a path; dicts on the way are made where missing.

    Args:
        node: the tree.
        path: where; numbers go into lists, which have that place.
        value: what stands there then.
    """
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(node, (list, tuple)):
        return type(node)(
            replaced(child, rest, value) if place == key else child
            for place, child in enumerate(node)
        )
    inner = node if isinstance(node, dict) else {}
    return {**inner, key: replaced(inner.get(key), rest, value)}


def dotted(path: Path) -> str:
    """A path as people write it."""
    return ".".join(map(str, path))


def _children(node: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, (list, tuple)):
        yield from enumerate(node)
