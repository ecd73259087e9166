"""A recipe as a test needs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lvis_merge.errors import InputError
from lvis_merge.training.recipe import load_recipe, resolve
from lvis_merge.training.recipe.override import apply_overrides, read_override


def testing_recipe(
    recipe: str, manifest: Path, image_roots: Sequence[str], overrides: Sequence[str]
) -> tuple[Any, dict[str, Any]]:
    """Resolves a recipe for one process, whatever its training batch, and finds its test data.

    Args:
        recipe: a name or a file.
        manifest: whose categories the labels are; it may have no val split.
        image_roots: `[SOURCE=]DIR` values.
        overrides: `key=value` texts, in order.

    Returns:
        The config, and the recipe's `val_dataloader`.

    Raises:
        InputError: as `resolve`; or the recipe has no `val_dataloader`.
    """
    config = load_recipe(recipe)
    tree = apply_overrides(config.to_dict(), map(read_override, overrides))
    loader = tree.get("val_dataloader")
    if not loader:
        raise InputError(
            f"{config.filename}: has no val_dataloader, whose pipeline a test is made of. Write one"
            " as in _base_/lvis_data.py."
        )
    resolved = resolve(config, manifest, image_roots, overrides, say=lambda text: None)
    return resolved, loader
