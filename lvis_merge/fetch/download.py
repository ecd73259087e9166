"""Downloads many images at once, each checked before it gets its name."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lvis_merge.errors import InputError
from lvis_merge.fetch.check import check_image
from lvis_merge.fetch.ledger import Ledger
from lvis_merge.fetch.limits import Memory, Pace
from lvis_merge.fetch.origins import Origins
from lvis_merge.fetch.patience import Patience
from lvis_merge.fetch.place import Place
from lvis_merge.fetch.trouble import ANSWERS, TRIES, WORDS, Reason, Trouble, pause
from lvis_merge.fetch.wanted import Wanted
from lvis_merge.sources.sizes import StoredSize

MOST_BYTES = 256_000_000
"""No image is larger; a body that says it is is not read."""

_MEMORY_BYTES = 512_000_000
_ALL_FAILED = 100
"""So many first images that all fail stop the run: the address is wrong, not the images."""

_OUTAGE_IMAGES = 5
"""So many images without a useful answer are an outage; fewer may be at fault themselves."""


@dataclass
class Downloads:
    """How far downloads are; read while they run.

    Attributes:
        sizes: stored sizes of the images that arrived, by file name.
        failures: why images failed for good, by file name.
        bytes: of the images that arrived.
        retries: attempts that failed and were followed by another, by reason.
    """

    sizes: dict[str, StoredSize] = field(default_factory=dict)
    failures: dict[str, Trouble] = field(default_factory=dict)
    bytes: int = 0
    retries: dict[Reason, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tools:
    """What downloads work with.

    Attributes:
        origins: where images come from.
        place: where they go.
        ledger: notes those that passed their check.
        patience: time limits.
        workers: requests in flight.
        rate: bytes a second, or None for no limit.
    """

    origins: Origins
    place: Place
    ledger: Ledger
    patience: Patience
    workers: int
    rate: float | None = None


class Downloader:
    """Downloads images; made for one call of `run`, in an event loop of its own.

    A worker that waits before it tries again keeps its turn, so a server that says "too many" gets
    fewer requests.
    """

    def __init__(
        self, tools: Tools, found: Downloads, arrived: Callable[[int | None], None]
    ) -> None:
        """Prepares downloads.

        Args:
            tools: what to work with.
            found: is filled as images arrive or fail.
            arrived: is told the bytes of each image, or None of one that failed.
        """
        self._tools = tools
        self._found = found
        self._arrived = arrived
        self._failed_at: dict[str, float] = {}
        self._unanswered: set[str] = set()
        self._contact: float | None = None
        self._began = 0.0
        self._over = False

    async def run(self, images: Sequence[Wanted], *, fresh: bool) -> None:
        """Downloads all images.

        Args:
            images: what to download.
            fresh: whether no image was there: then a wrong address is told by all of the first
                ones failing.

        Raises:
            InputError: nothing arrives any more, or none of the first images can be had.
            OSError: a file cannot be written.
        """
        self._pace, self._memory = Pace(self._tools.rate), Memory(_MEMORY_BYTES)
        self._began = time.monotonic()
        queue = iter(images)
        # the interpreter's lock is free while images are decoded and written
        self._threads = ThreadPoolExecutor(max(2, os.cpu_count() or 1))
        count = min(self._tools.workers, len(images))
        workers = [asyncio.create_task(self._work(queue, fresh=fresh)) for _ in range(count)]
        try:
            for worker in asyncio.as_completed(workers):
                await worker
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._threads.shutdown(cancel_futures=True)
        unreachable = [t for t in self._found.failures.values() if t.reason is Reason.unreachable]
        enough = fresh or len(unreachable) >= _OUTAGE_IMAGES
        if self._contact is None and unreachable and enough:
            self._give_up(unreachable[-1])

    async def _work(self, queue: Iterator[Wanted], *, fresh: bool) -> None:
        for image in queue:
            try:
                length = await self._image(image)
            except Trouble as trouble:
                self._fail(image, trouble, fresh=fresh)
                self._arrived(None)
            else:
                self._arrived(length)

    async def _image(self, image: Wanted) -> int:
        """Downloads one image; gives its length."""
        for attempt in range(1, max(TRIES.values()) + 1):
            try:
                length = await self._attempt(image)
            except Trouble as trouble:
                self._watch(image, trouble)
                if attempt >= TRIES.get(trouble.reason, 1):
                    raise
                retries = self._found.retries
                retries[trouble.reason] = retries.get(trouble.reason, 0) + 1
                patience = self._tools.patience
                await asyncio.sleep(pause(attempt, patience.first_pause, patience.longest_pause))
            else:
                self._met()
                return length
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, image: Wanted) -> int:
        import obstore

        store, key = self._tools.origins.locate(image)
        await self._pace.turn()
        try:
            answer = await obstore.get_async(store, key)
        except Exception as error:
            raise Trouble.of(error) from error
        length = answer.meta["size"]
        self._pace.correct(length)
        if length > MOST_BYTES:
            raise Trouble(Reason.too_large, f"{length:,} bytes")
        async with self._memory.room(length):
            try:
                data = bytes(await answer.bytes_async())
            except Exception as error:
                raise Trouble.of(error) from error
            loop = asyncio.get_running_loop()
            size = await loop.run_in_executor(self._threads, self._keep, image, data)
        self._found.sizes[image.file_name] = size
        self._found.bytes += length
        return length

    def _keep(self, image: Wanted, data: bytes) -> StoredSize:
        """Checks and writes an image; in a thread."""
        size = check_image(data, image.width, image.height)
        state = self._tools.place.save(image.file_name, data)
        self._tools.ledger.note(self._tools.place.path(image.file_name), state, size)
        return size

    def _met(self) -> None:
        self._contact = time.monotonic()
        self._unanswered.clear()

    def _watch(self, image: Wanted, trouble: Trouble) -> None:
        """Gives up when there was no useful answer for long, for several images."""
        if trouble.reason in ANSWERS:
            self._met()
            return
        self._unanswered.add(image.file_name)
        silence = time.monotonic() - (self._contact or self._began)
        long = silence > self._tools.patience.outage_seconds
        if long and len(self._unanswered) >= _OUTAGE_IMAGES:
            self._give_up(trouble)

    def _give_up(self, last: Trouble) -> None:
        self._over = True
        # what failed since may well be there
        for name, failed_at in self._failed_at.items():
            if failed_at >= (self._contact or 0.0):
                self._found.failures.pop(name, None)
        where = f" from {self._tools.origins.open_images}" if self._contact is None else ""
        raise InputError(
            f"no image arrives{where} (the last answer: {last.detail}). Check the network, a proxy"
            " (HTTPS_PROXY) and --mirror. What has arrived is kept: the same command goes on."
        )

    def _fail(self, image: Wanted, trouble: Trouble, *, fresh: bool) -> None:
        found = self._found
        if self._over:  # another worker has given up; this one is about to be cancelled
            return
        found.failures[image.file_name] = trouble
        if trouble.reason not in ANSWERS:
            self._failed_at[image.file_name] = time.monotonic()
        if fresh and not found.sizes and len(found.failures) >= _ALL_FAILED:
            self._over = True
            number = len(found.failures)
            found.failures.clear()
            raise InputError(
                f"none of the first {number} images could be had; the last was"
                f" {WORDS[trouble.reason]} ({trouble.detail}), at"
                f" {self._tools.origins.open_images}. Check --mirror, and that the list is of the"
                " right data set."
            )
