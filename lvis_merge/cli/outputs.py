"""What commands write: their answer on stdout, and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lvis_merge.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

_Found = TypeVar("_Found")


def answer(
    found: _Found,
    plain: Callable[[_Found], Any],
    show: Callable[[_Found, Console], None],
    *,
    as_json: bool,
) -> None:
    """Prints what a command found on stdout, for a program or for people.

    Args:
        found: its result.
        plain: gives it as what JSON can say.
        show: prints it as tables.
        as_json: whether JSON is wanted.
    """
    if as_json:
        import json

        print(json.dumps(plain(found), indent=2))
    else:
        from rich.console import Console

        show(found, Console())


def check_folder(file: Path | None) -> None:
    """Refuses a file that cannot be written, before any long work.

    Raises:
        InputError: there is no such folder, or the file is a folder.
    """
    if file is None:
        return
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}. Make it first.")
    if file.is_dir():
        raise InputError(f"{file}: is a folder. Give a file.")


def write_text(file: Path, text: str) -> None:
    """Writes text, whole or not at all."""
    from lvis_merge.whole_file import whole_file

    with whole_file(file) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(file: Path, value: Any) -> None:
    """Writes JSON, whole or not at all."""
    import json

    write_text(file, json.dumps(value, indent=2) + "\n")
