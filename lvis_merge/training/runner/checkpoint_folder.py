"""The checkpoints in a work folder: `iter_N.pth`, `best_….pth` and `last_checkpoint`."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from lvis_merge.training.runner.checkpoint_file import PARTIAL_SUFFIX, write_text

LAST = "last_checkpoint"
"""A text file with the path of the newest checkpoint, as mmengine's tools read it."""

_NUMBERED = re.compile(r"iter_(\d+)\.pth")


def checkpoint_name(iteration: int) -> str:
    """The file name of the checkpoint after so many iterations."""
    return f"iter_{iteration}.pth"


def checkpoints(folder: Path) -> list[Path]:
    """The numbered checkpoints, oldest first; none where there is no such folder."""
    numbered = [
        (int(match[1]), path)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _NUMBERED.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered)]


def latest(folder: Path) -> Path | None:
    """The checkpoint to carry on from: the one `last_checkpoint` names, else the newest.

    A folder that was moved is fine: only the name counts then. Killed between a checkpoint and its
    `last_checkpoint`, the run goes on from the one named; the newer one is written again.
    """
    try:
        named = Path((folder / LAST).read_text(encoding="utf-8").strip())
    except (FileNotFoundError, NotADirectoryError):
        found = checkpoints(folder)
        return found[-1] if found else None
    here = folder / named.name
    return here if here.exists() else named


def record_latest(path: Path) -> None:
    """Has `last_checkpoint` name a checkpoint."""
    write_text(str(path.resolve()), path.with_name(LAST))


def keep_newest(newest: Path, count: int) -> None:
    """Removes old numbered checkpoints.

    Those with higher numbers, which a run that goes on from an earlier one finds, stay.

    Args:
        newest: the one just written.
        count: how many stay up to it; 0 or less: all.
    """
    if count > 0:
        known = checkpoints(newest.parent)
        for path in known[: known.index(newest) + 1][:-count]:
            path.unlink(missing_ok=True)


def clear_partial(folder: Path) -> None:
    """Removes what a killed process had begun to write."""
    if folder.is_dir():
        for path in folder.glob(f".*{PARTIAL_SUFFIX}"):
            with suppress(OSError):
                path.unlink(missing_ok=True)
