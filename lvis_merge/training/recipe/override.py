"""`--set key=value`: changes of single values of a recipe, checked against what stands there."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lvis_merge.errors import InputError
from lvis_merge.training.recipe.tree import Path, dotted, replaced, walk

_DERIVED = {
    "train_dataloader.batch_size": "total_batch",
    "optim_wrapper.accumulative_counts": "accumulate",
}
"""What `resolve` works out, and the variable it works it out from."""

_WORDS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Override:
    """One `--set`.

    Attributes:
        text: as given.
        keys: the dotted key, apart.
        value: a Python literal, else the text itself.
        new: written with a `+`: the key need not be there.
    """

    text: str
    keys: tuple[str, ...]
    value: Any
    new: bool


def read_override(text: str) -> Override:
    """Reads `key=value` or `+key=value`.

    Args:
        text: keys apart by dots, places of lists as numbers from 0; the value is a Python literal
            (`0.02`, `[60000, 80000]`, `None`, `{'type': 'BN'}`) or a word, which is a string.

    Raises:
        InputError: no key, no `=`, or a value that starts like a literal and is none.
    """
    key, equals, value = text.partition("=")
    new = key.startswith("+")
    keys = tuple(key.removeprefix("+").strip().split("."))
    if not equals or not all(keys):
        raise InputError(
            f"--set {text}: write key=value, as in --set optim_wrapper.optimizer.lr=0.01."
        )
    return Override(text, keys, _value(value.strip(), text), new)


def apply_overrides(tree: dict[str, Any], overrides: Iterable[Override]) -> dict[str, Any]:
    """A copy of a recipe with values changed.

    Args:
        tree: the recipe, as plain dicts and lists.
        overrides: in order; a dict or list given as a value replaces the whole of the old one.

    Raises:
        InputError: a key that is not there (names close ones), or a value of another kind.
    """
    for override in overrides:
        if source := _DERIVED.get(".".join(override.keys)):
            raise InputError(
                f"--set {override.text}: this is worked out from {source}; set that instead."
            )
        path = _path(tree, override)
        tree = replaced(tree, path, override.value)
    return tree


def _value(text: str, whole: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        if not text or text[0] in "[({'\"":
            raise InputError(
                f"--set {whole}: {text or 'nothing'} is no Python literal. Write numbers, words,"
                " [lists], {'key': value}; quote the whole for the shell."
            ) from error
        return text


def _path(tree: Any, override: Override) -> Path:
    """Where an override goes, checked."""
    path: Path = ()
    node = tree
    for depth, key in enumerate(override.keys):
        if isinstance(node, (list, tuple)):
            if not key.isdecimal() or int(key) >= len(node):
                raise InputError(
                    f"--set {override.text}: {dotted(path)} is a list of {len(node)}; its places"
                    f" are 0 to {len(node) - 1}, and {key} is none of them."
                )
            path, node = (*path, int(key)), node[int(key)]
        elif isinstance(node, dict) and key in node:
            path, node = (*path, key), node[key]
        elif override.new and isinstance(node, dict):
            return (*path, *override.keys[depth:])
        else:
            raise InputError(_unknown(tree, path, node, override))
    _check_kind(node, override)
    return path


def _check_kind(old: Any, override: Override) -> None:
    """A number stays a number, a dict a dict: anything else is a slip of the keyboard."""
    value = override.value
    if value is None or override.new:
        return
    kind, fits = "", True
    if isinstance(old, bool):
        kind, fits = "True or False", isinstance(value, bool)
    elif isinstance(old, (int, float)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        kind, fits = "a number", number or isinstance(value, (list, tuple))
    elif isinstance(old, dict):
        kind, fits = "a dict with keys of its own", isinstance(value, dict)
    elif isinstance(old, (list, tuple)):
        kind, fits = "a list", isinstance(value, (list, tuple, int, float))
    if not fits:
        raise InputError(
            f"--set {override.text}: {dotted(override.keys)} is {kind} ({_short(old)}), and"
            f" {value!r} is not. Write +{override.text} to force it."
        )


def _unknown(tree: Any, path: Path, node: Any, override: Override) -> str:
    at = len(path)
    key, where = override.keys[at], dotted(path)
    if not isinstance(node, dict):
        return f"--set {override.text}: {where} is {_short(node)}; there is nothing below it."
    keys = [str(name) for name in node]
    rest = override.keys[at + 1 :]
    near = [dotted((*path, name, *rest)) for name in difflib.get_close_matches(key, keys, n=3)]
    if not near:
        last = override.keys[-1]
        paths = [dotted(found) for found, _ in walk(tree) if found and found[-1] == last]
        near = difflib.get_close_matches(".".join(override.keys), paths, n=3, cutoff=0) or paths[:3]
    advice = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(keys)}."
    return (
        f"--set {override.text}: there is no {key} {f'in {where}' if where else 'at the top'} of"
        f" the recipe. {advice} A key that is to be new is written with a +: +{override.text}"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
