"""Reads a recipe: a Python file over shared bases, in mmengine's config language."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvis_merge.errors import InputError
from lvis_merge.training.recipe.names import find_recipe, recipes_dir

if TYPE_CHECKING:
    from mmengine.config import Config

RESOLVED_KEY = "recipe"
"""Top-level variable that only a resolved config has: the recipe that it was made from."""


def load_recipe(name_or_path: str) -> Config:
    """Reads a recipe with its bases.

    A relative `_base_` that is not beside the file that names it is looked for among the package's
    recipes: a copied recipe works wherever it lies.

    Args:
        name_or_path: a name of the package's recipes, or the path of a recipe file.

    Returns:
        The config, as written: placeholders such as `<manifest>` are still there.

    Raises:
        InputError: no such recipe, or its Python does not run (names file and line).
    """
    from mmengine.config import Config

    path = find_recipe(name_or_path).resolve()
    files = {str(path)}
    try:
        _check_syntax(path)
        with _bases_from_package(files):
            config = Config.fromfile(path)
    except OSError as error:
        raise InputError(
            f"{error.filename or path}: cannot be read ({error.strerror or error})."
        ) from error
    # a recipe is a program: whatever it raises is the user's to mend
    except Exception as error:
        raise InputError(_fault(error, files, path)) from error
    if RESOLVED_KEY in config:
        raise InputError(
            f"{path}: is the resolved config of a run ({RESOLVED_KEY} is set), not a recipe. Give"
            f" the recipe that it was made from, {config[RESOLVED_KEY]}, with the options in the"
            " run's command.txt."
        )
    return config


@contextmanager
def _bases_from_package(files: set[str]) -> Iterator[None]:
    """Has mmengine look for bases among the package's recipes too, and notes every base.

    mmengine offers no hook for this: it resolves a base by this one static method.
    """
    from mmengine.config import Config

    find = Config._get_cfg_path

    def find_there_or_here(base: str, file: str) -> tuple[str, str | None]:
        path, scope = find(base, file)
        if not Path(path).is_file():
            path = str(recipes_dir() / base)
        if not Path(path).is_file():
            raise InputError(
                f"{file}: its base {base} is neither beside it nor in {recipes_dir()}."
                " Correct _base_."
            )
        path = str(Path(path).resolve())
        files.add(path)
        _check_syntax(Path(path))
        return path, scope

    Config._get_cfg_path = staticmethod(find_there_or_here)
    try:
        yield
    finally:
        Config._get_cfg_path = staticmethod(find)


def _check_syntax(path: Path) -> None:
    # mmengine parses a copy in a temporary folder, whose name would tell nobody anything
    try:
        ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise InputError(
            f"{path}, line {error.lineno}: {error.msg}. Correct the recipe."
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: is no Python text ({error}).") from error


def _fault(error: Exception, files: set[str], path: Path) -> str:
    if isinstance(error, InputError):
        return str(error)
    frames: list[Any] = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files
    ]
    where = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else str(path)
    return f"{where}: {plain(error)}. Correct the recipe."


def plain(error: Exception) -> str:
    """An exception as one line of text."""
    # str() of a KeyError is the repr of its message
    keyed = isinstance(error, KeyError) and len(error.args) == 1
    text = str(error.args[0] if keyed else error)
    return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(".")
