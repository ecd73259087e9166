"""The folder of a run: whether it can be taken, and what is noted in it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lvis_merge.errors import InputError

if TYPE_CHECKING:
    from mmengine.config import Config

CONFIG_FILE = "config.py"
COMMAND_FILE = "command.txt"
_CHECKPOINTS = ("last_checkpoint", "iter_*.pth")


def check_work_dir(folder: Path, *, resume: bool) -> bool:
    """Whether a run in this folder has something to resume.

    Args:
        folder: of the run; need not exist.
        resume: whether the user wants to.

    Returns:
        True: it has a checkpoint, and the user wants to go on. False: the run starts fresh; what a
        run left that ended before its first checkpoint is no hindrance.

    Raises:
        InputError: it has a checkpoint and the user did not say --resume, or it is another thing.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file. Give another --work-dir.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return False
    begun = any(found for pattern in _CHECKPOINTS for found in folder.glob(pattern))
    if not begun and not (folder / COMMAND_FILE).is_file():
        raise InputError(
            f"{folder}: is not empty, and no folder of `lvis-merge train`. Give another --work-dir."
        )
    if begun and not resume:
        raise InputError(
            f"{folder}: holds a run with checkpoints. Carry it on with --resume, or give another"
            " --work-dir."
        )
    return begun


def note_run(folder: Path, config: Config, command: Sequence[str], *, resumed: bool) -> None:
    """Notes in the folder what runs there.

    Args:
        folder: of the run; made if missing.
        config: of `resolve`; `config.py` is that of the fresh start, whatever a resumed run
            changes.
        command: the arguments after `lvis-merge`; each start has its line in `command.txt`.
        resumed: whether the run goes on from a checkpoint.

    Raises:
        InputError: it cannot be written.
    """
    line = f"{shlex.join(['lvis-merge', *command])}\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / COMMAND_FILE).open("a" if resumed else "w", encoding="utf-8") as commands:
            commands.write(line)
        if not resumed:
            (folder / CONFIG_FILE).write_text(config.pretty_text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). Give another"
            " --work-dir."
        ) from error
