"""Downloads one large file in as many pieces as the connection makes of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvis_merge.fetch.patience import Patience
from lvis_merge.fetch.progress import FileProgress
from lvis_merge.fetch.trouble import TRIES, Reason, Trouble, pause

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_CHUNK = 1 << 16  # what a cut connection may take with it
_OUT_OF_RANGE = "status code: 416"


class PartialFile:
    """A file on its way, and beside it what the server said of it.

    Attributes:
        path: what has arrived.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(path.name + ".json")

    def length(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def noted(self) -> dict[str, Any]:
        """What the server said when the download began; empty if nothing is known."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def begin(self, note: dict[str, Any]) -> None:
        """Starts over, with what the server says."""
        self.drop()
        self._note.write_text(json.dumps(note), encoding="utf-8")

    def drop(self) -> None:
        """Removes it."""
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def done(self) -> None:
        """Removes the note, once the file has another name."""
        self._note.unlink(missing_ok=True)


async def download(
    store: ObjectStore,
    key: str,
    partial: PartialFile,
    patience: Patience,
    progress: FileProgress,
) -> None:
    """Downloads a file, from where an earlier run or a cut connection left it.

    The rest is asked for by its range; a server that does not do ranges, or has another file by
    now (its length, ETag or date differ), sends it from the start.

    Args:
        store: where it is.
        key: its name there.
        partial: where it goes.
        patience: time limits.
        progress: is told of it.

    Raises:
        Trouble: the server has no such file, or the connection brings nothing any more.
    """
    failed = 0
    furthest = partial.length()
    progress.had(furthest)
    while True:
        try:
            await _rest(store, key, partial, progress)
        except Trouble as trouble:
            # what was dropped and fetched again is no progress: that would go on for ever
            failed = 1 if partial.length() > furthest else failed + 1
            furthest = max(furthest, partial.length())
            if failed >= TRIES.get(trouble.reason, 1):
                raise
            await asyncio.sleep(pause(failed, patience.first_pause, patience.longest_pause))
        else:
            return


async def _rest(
    store: ObjectStore,
    key: str,
    partial: PartialFile,
    progress: FileProgress,
) -> None:
    have, note = partial.length(), partial.noted()
    # without a rest there is no range to ask for
    resumes = have < note.get("size", 0)
    answer = await _asked(store, key, have if resumes else 0)
    meta = answer.meta
    now = {
        "key": key,
        "size": meta["size"],
        "e_tag": meta["e_tag"],
        "last_modified": str(meta["last_modified"]),
    }
    progress.is_long(meta["size"])
    if have and note == now and have == meta["size"]:
        return  # whole: an earlier run was ended before it was checked
    if answer.range[0] != have or note != now:
        progress.had(-have)
        partial.begin(now)
        if answer.range[0] != 0:
            raise Trouble(Reason.unreachable, "the file has changed meanwhile")
    with partial.path.open("ab") as out:
        try:
            async for chunk in answer.stream(min_chunk_size=_CHUNK):
                out.write(chunk)
                progress.arrived(len(chunk))
        except OSError:
            raise  # the disk
        except Exception as error:
            raise Trouble.of(error) from error
    if partial.length() != meta["size"]:
        raise Trouble(Reason.unreachable, "the connection was cut")


async def _asked(store: ObjectStore, key: str, have: int) -> Any:
    import obstore

    try:
        if have:
            with suppress(_NoRangeError):
                return await _from(store, key, have)
        return await obstore.get_async(store, key)
    except Exception as error:
        raise Trouble.of(error) from error


class _NoRangeError(Exception):
    """The server does not do ranges, or its file has become shorter than what is asked for."""


async def _from(store: ObjectStore, key: str, have: int) -> Any:
    import obstore
    from obstore.exceptions import GenericError, NotSupportedError

    try:
        return await obstore.get_async(store, key, options={"range": {"offset": have}})
    except NotSupportedError as error:
        raise _NoRangeError from error
    except GenericError as error:
        if _OUT_OF_RANGE in str(error):
            raise _NoRangeError from error
        raise
