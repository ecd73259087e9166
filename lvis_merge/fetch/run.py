"""Fetches the images of a manifest, or of the list that `build` wrote."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lvis_merge.errors import InputError, UsageError
from lvis_merge.fetch.download import Downloader, Downloads, Tools
from lvis_merge.fetch.event_loop import run_stoppable
from lvis_merge.fetch.ledger import Ledger, open_ledger
from lvis_merge.fetch.lists import write_failures, write_sizes
from lvis_merge.fetch.lock import locked
from lvis_merge.fetch.look import Looked, look
from lvis_merge.fetch.origins import Origins
from lvis_merge.fetch.patience import Patience
from lvis_merge.fetch.place import Place, make_root, opened_place
from lvis_merge.fetch.progress import IMAGES, FetchProgress, Pulse
from lvis_merge.fetch.wanted import Wanted, read_wanted
from lvis_merge.image_roots import ImageRoot
from lvis_merge.progress import Stages

_OTHER_FILES = 100
"""Open files that the process needs beside those of requests in flight."""


@dataclass(frozen=True)
class FetchOptions:
    """What to fetch, from where, and how fast.

    Attributes:
        what: a manifest, or a CSV with a column ImageID.
        to: the root that images go to.
        mirror: where Open Images' images are, instead of the public bucket.
        coco: whether images other than Open Images' are fetched too.
        image_roots: folders whose images need not be fetched.
        workers: requests in flight.
        rate: bytes a second, or None for no limit.
        patience: time limits.
    """

    what: Path
    to: Path
    mirror: str | None = None
    coco: bool = False
    image_roots: Sequence[ImageRoot] = ()
    workers: int = 256
    rate: float | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Fetched:
    """What a run did.

    Attributes:
        wanted: images that it was to have; there + fetched + failed.
        not_asked_for: images of a manifest that are not Open Images', without `coco`.
        without_address: images of a manifest that have none.
        there: of the wanted, those that were there already.
        fetched: those that arrived.
        failed: those that did not, by reason.
        retries: attempts that were followed by another, by reason.
        bytes: of the images that arrived.
        seconds: how long it took.
        sizes: CSV for `build --openimages-sizes`.
        failures: CSV for `build --openimages-exclude`, and one of other sources if needed.
    """

    wanted: int
    not_asked_for: int
    without_address: int
    there: int
    fetched: int
    failed: dict[str, int]
    retries: dict[str, int]
    bytes: int
    seconds: float
    sizes: Path
    failures: list[Path]


def fetch_images(options: FetchOptions, stages: Stages) -> Fetched:
    """Fetches images; run again, it goes on where it was ended.

    Args:
        options: what to fetch.
        stages: where progress is shown.

    Returns:
        What was done; the two lists are written, after an error or a signal too.

    Raises:
        InputError: the input is bad, or nothing arrives.
        UsageError: the options make no sense.
    """
    began = time.monotonic()
    asked = read_wanted(options.what, coco=options.coco)
    wanted = asked.images
    if asked.not_asked_for and not wanted:
        raise UsageError(
            f"{options.what}: none of its {asked.not_asked_for:,} images is of Open Images. Add"
            " --coco to fetch them."
        )
    origins = Origins(options.mirror, options.patience)
    root = make_root(options.to)
    with (
        locked(root) as state,
        open_ledger(root, state) as ledger,
        opened_place(root, state) as place,
    ):
        with stages.shown(), stages.stage("images that are there", len(wanted)) as advance:
            looked = look(wanted, place, options.image_roots, ledger, advance)
        for path in looked.damaged:
            stages.say(f"note: {path} is no whole image; it was set aside as {path.name}.damaged")
        found = Downloads()
        tools = Tools(
            origins, place, ledger, options.patience, _workers(options, stages), options.rate
        )
        try:
            _download(looked, tools, found, stages)
        finally:
            sizes, failures = _write_lists(place, wanted, looked, found, ledger)
    return Fetched(
        wanted=len(wanted),
        not_asked_for=asked.not_asked_for,
        without_address=asked.without_address,
        there=len(looked.sizes),
        fetched=len(found.sizes),
        failed=dict(sorted(Counter(str(t.reason) for t in found.failures.values()).items())),
        retries={str(reason): number for reason, number in sorted(found.retries.items())},
        bytes=found.bytes,
        seconds=time.monotonic() - began,
        sizes=sizes,
        failures=failures,
    )


def _download(looked: Looked, tools: Tools, found: Downloads, stages: Stages) -> None:
    if not looked.missing:
        return
    progress = FetchProgress(Pulse(len(looked.missing), IMAGES), stages.console)
    downloader = Downloader(tools, found, progress.image)
    with progress.shown():
        run_stoppable(partial(downloader.run, looked.missing, fresh=not looked.sizes))


def _write_lists(
    place: Place, wanted: Sequence[Wanted], looked: Looked, found: Downloads, ledger: Ledger
) -> tuple[Path, list[Path]]:
    sizes = {**looked.sizes, **found.sizes}
    written = write_sizes(place, wanted, sizes, ledger)
    return written, write_failures(place, wanted, sizes, found.failures)


def _workers(options: FetchOptions, stages: Stages) -> int:
    """Requests in flight, as many as the process may have open files for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = options.workers + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return options.workers
    limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    except (OSError, ValueError):
        limit = soft
    workers = min(options.workers, limit - _OTHER_FILES)
    if workers < 1:
        raise InputError(f"only {limit} files may be open (ulimit -n). Allow {needed} or more.")
    if workers < options.workers:
        stages.say(f"note: {workers} requests in flight: no more files may be open (ulimit -n)")
    return workers
