"""Fetches the published annotation files."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lvis_merge.errors import InputError
from lvis_merge.fetch.annotation_table import AnnotationFile
from lvis_merge.fetch.event_loop import run_stoppable
from lvis_merge.fetch.lock import locked
from lvis_merge.fetch.mask_archive import unpack_masks
from lvis_merge.fetch.origins import Origins
from lvis_merge.fetch.patience import Patience
from lvis_merge.fetch.place import make_root
from lvis_merge.fetch.progress import BYTES, FetchProgress, FileProgress, Pulse
from lvis_merge.fetch.resumable import PartialFile, download
from lvis_merge.fetch.trouble import WORDS, Trouble
from lvis_merge.fetch.unpacking import unpacking_folder
from lvis_merge.fetch.verify import is_there, unpack, verify
from lvis_merge.progress import Stages

if TYPE_CHECKING:
    from obstore.store import ObjectStore

LARGE_FILES = Patience(request_seconds=24 * 3600)
_AT_ONCE = 4
_CHECKS = 2
"""How often a whole file that fails its check is fetched."""


@dataclass
class FetchedFiles:
    """What a run did.

    Attributes:
        paths: the files, and folders of masks, as `build` reads them, in the order asked for.
        there: how many of the published files were there already.
        bytes: that arrived in this run.
        seconds: how long it took.
    """

    paths: list[Path] = field(default_factory=list)
    there: int = 0
    bytes: int = 0
    seconds: float = 0.0


def fetch_annotations(
    files: Sequence[AnnotationFile], to: Path, stages: Stages, patience: Patience = LARGE_FILES
) -> FetchedFiles:
    """Fetches files; run again, it goes on in the middle of the one where it was ended.

    Args:
        files: what to fetch.
        to: the folder that they go to.
        stages: where progress is shown.
        patience: time limits.

    Returns:
        What was done.

    Raises:
        InputError: a file cannot be had, is not what was published, or the disk lacks the room.
    """
    began = time.monotonic()
    root = make_root(to)
    with locked(root) as state, unpacking_folder(state) as unpacking:
        missing = [file for file in files if not is_there(root, file)]
        for file in files:
            if file not in missing:  # a run may have been killed just before
                _arriving(state, file).drop()
        found = FetchedFiles(
            [to / target for file in files for target in file.targets], len(files) - len(missing)
        )
        _check_room(root, missing, state)
        progress = FetchProgress(
            Pulse(sum(file.bytes or 0 for file in missing), BYTES), stages.console
        )
        run = _Run(root, state, unpacking, progress, patience, stages)
        with progress.shown():
            run_stoppable(partial(run.all, missing))
        found.bytes = progress.pulse.bytes
    found.seconds = time.monotonic() - began
    return found


@dataclass(frozen=True)
class _Run:
    root: Path
    state: Path
    unpacking: Path
    progress: FetchProgress
    patience: Patience
    stages: Stages
    stop: threading.Event = field(default_factory=threading.Event)

    async def all(self, files: Sequence[AnnotationFile]) -> None:
        origins = Origins(None, self.patience)
        turns = asyncio.Semaphore(_AT_ONCE)
        tasks = [asyncio.create_task(self._one(file, origins, turns)) for file in files]
        try:
            for task in asyncio.as_completed(tasks):
                await task
        finally:
            self.stop.set()  # a thread cannot be cancelled, and masks take minutes to unpack
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, file: AnnotationFile, origins: Origins, turns: asyncio.Semaphore) -> None:
        async with turns:
            try:
                await self._fetched(file, *origins.web(file.url))
            except Trouble as trouble:
                raise InputError(
                    f"{file.url}: {WORDS[trouble.reason]} ({trouble.detail}). Check the network and"
                    " a proxy (HTTPS_PROXY). What has arrived is kept: the same command goes on."
                ) from trouble
        self.stages.say(f"{file.name}: done")

    async def _fetched(self, file: AnnotationFile, store: ObjectStore, key: str) -> None:
        arriving = _arriving(self.state, file)
        progress = FileProgress(self.progress, file.bytes or 0)
        for check in range(1, _CHECKS + 1):
            await download(store, key, arriving, self.patience, progress)
            try:
                return await asyncio.to_thread(self._finish, arriving, file)
            except Trouble:
                progress.had(-arriving.length())
                arriving.drop()
                if check == _CHECKS:
                    raise

    def _finish(self, arriving: PartialFile, file: AnnotationFile) -> None:
        """Checks a file and gives it its name; in a thread."""
        verify(arriving.path, file)
        folder = self.root / file.folder
        folder.mkdir(exist_ok=True)
        if not file.members:
            _sync(arriving.path)
            arriving.path.replace(folder / file.name)
            arriving.done()
            return
        for member, target in zip(file.members, file.targets, strict=True):
            unpacked = self.unpacking / Path(target).name
            if file.holds_masks:
                self._unpack_masks(arriving.path, unpacked)
            else:
                unpack(arriving.path, member, unpacked)
                _sync(unpacked)
            unpacked.replace(self.root / target)
        arriving.drop()

    def _unpack_masks(self, archive: Path, unpacked: Path) -> None:
        try:
            unpack_masks(archive, unpacked, self.stop)
        except BaseException:
            shutil.rmtree(unpacked, ignore_errors=True)  # the archive may be fetched again
            raise
        # one for all: a sync for each of the many files would take longer than to fetch them
        os.sync()


def _arriving(state: Path, file: AnnotationFile) -> PartialFile:
    return PartialFile(state / f"{file.folder}-{file.name}.part")


def _check_room(root: Path, missing: Sequence[AnnotationFile], state: Path) -> None:
    """Refuses to begin what the disk has no room for, as far as lengths are known.

    Raises:
        InputError: it has none.
    """
    # of a file of unknown length, what has arrived is no part of the sum
    known = [file for file in missing if file.bytes]
    arrived = sum(_arriving(state, file).length() for file in known)
    needed = sum(file.bytes or 0 for file in known) - arrived
    free = shutil.disk_usage(root).free
    if needed > free:
        raise InputError(
            f"{root}: {free / 1e9:.1f} GB are free, and {needed / 1e9:.1f} GB or more are needed."
            " Make room, or give another --to."
        )


def _sync(path: Path) -> None:
    """Has a file reach the disk before it gets its name."""
    with path.open("rb") as written:
        os.fsync(written.fileno())
