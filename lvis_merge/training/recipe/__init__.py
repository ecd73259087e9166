"""Recipes: read, resolved against a manifest, checked, and shown without training.

Importing this package imports neither torch nor mmengine: `lvis-merge train --list` needs neither.
"""

from __future__ import annotations

from lvis_merge.training.recipe.load import RESOLVED_KEY, load_recipe
from lvis_merge.training.recipe.names import RecipeName, find_recipe, list_recipes
from lvis_merge.training.recipe.resolve import resolve

__all__ = [
    "RESOLVED_KEY",
    "RecipeName",
    "find_recipe",
    "list_recipes",
    "load_recipe",
    "resolve",
]
