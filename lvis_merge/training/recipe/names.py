"""Which recipes there are: the names `train` takes, and the files behind them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.resources import train_dir


@dataclass(frozen=True)
class RecipeName:
    """A recipe of the package.

    Attributes:
        name: as given on the command line.
        about: the first comment line of its file, without the `#`; empty if it has none.
        path: its file.
    """

    name: str
    about: str
    path: Path


def recipes_dir() -> Path:
    """The folder of the package's recipes; shared bases are in its `_base_`."""
    return train_dir() / "recipes"


def list_recipes() -> list[RecipeName]:
    """The package's recipes, by name."""
    files = sorted(recipes_dir().glob("[!_]*.py"))
    return [RecipeName(file.stem, _first_comment(file), file) for file in files]


def find_recipe(name_or_path: str) -> Path:
    """The file of a recipe.

    Args:
        name_or_path: a name of the package's recipes, or the path of a recipe file.

    Returns:
        The file. A name of the package goes before a file of that name in the working directory.

    Raises:
        InputError: there is no such recipe; names what is near.
    """
    recipes = {recipe.name: recipe.path for recipe in list_recipes()}
    if name_or_path in recipes:
        return recipes[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        if path.suffix != ".py":
            raise InputError(f"{path}: a recipe is a Python file, and this is none.")
        return path
    if path.suffix == ".py" or len(path.parts) > 1:
        raise InputError(
            f"{path}: no such file. Give the path of a recipe, or a name:"
            " `lvis-merge train --list` shows them."
        )
    near = difflib.get_close_matches(name_or_path, recipes, n=3, cutoff=0.5)
    near += [name for name in recipes if name_or_path in name and name not in near]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise InputError(
        f"{name_or_path}: no such recipe.{meant} `lvis-merge train --list` shows them all; the path"
        " of a file of your own does too."
    )


def _first_comment(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")
