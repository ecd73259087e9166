"""What `fetch` tells at its end."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from lvis_merge.fetch.annotations import FetchedFiles
from lvis_merge.fetch.lists import FAILURES
from lvis_merge.fetch.run import Fetched
from lvis_merge.fetch.trouble import WORDS, Reason


def as_plain(fetched: Fetched) -> dict[str, Any]:
    """As what JSON can say."""
    return {
        "wanted": fetched.wanted,
        "not_asked_for": fetched.not_asked_for,
        "without_address": fetched.without_address,
        "already_there": fetched.there,
        "fetched": fetched.fetched,
        "failed": sum(fetched.failed.values()),
        "failed_by_reason": fetched.failed,
        "retries": sum(fetched.retries.values()),
        "retries_by_reason": fetched.retries,
        "bytes": fetched.bytes,
        "seconds": round(fetched.seconds, 3),
        "openimages_sizes": str(fetched.sizes),
        "failures": [str(path) for path in fetched.failures],
    }


def print_fetched(fetched: Fetched, console: Console) -> None:
    """Prints it for people."""
    lines = [f"{fetched.wanted:,} images: {fetched.there:,} were there, {_arrived(fetched)}"]
    if retries := sum(fetched.retries.values()):
        lines.append(f"{retries:,} attempts failed and were made again: {_named(fetched.retries)}")
    if fetched.not_asked_for:
        lines.append(f"{fetched.not_asked_for:,} images of LVIS and COCO were left out: no --coco")
    if fetched.without_address:
        lines.append(f"{fetched.without_address:,} images were left out: they have no address")
    lines.append(f"sizes: {fetched.sizes}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def failed(fetched: Fetched) -> str:
    """The message that names what failed, and what to do."""
    number = sum(fetched.failed.values())
    lists = " and ".join(str(path) for path in fetched.failures)
    advice = " Run it again to try once more"
    if fetched.failures[0].name == FAILURES:
        advice += ", or build without them: --openimages-exclude " + str(fetched.failures[0])
    return (
        f"{number:,} of {fetched.wanted:,} images could not be had: {_named(fetched.failed)}."
        f" {lists} {'names' if len(fetched.failures) == 1 else 'name'} them.{advice}."
    )


def files_as_plain(fetched: FetchedFiles) -> dict[str, Any]:
    """Annotation files, as what JSON can say."""
    return {
        "files": [str(path) for path in fetched.paths],
        "already_there": fetched.there,
        "bytes": fetched.bytes,
        "seconds": round(fetched.seconds, 3),
    }


def print_files(fetched: FetchedFiles, console: Console) -> None:
    """Prints annotation files for people."""
    for path in fetched.paths:
        console.print(str(path), highlight=False, markup=False, soft_wrap=True)


def _arrived(fetched: Fetched) -> str:
    speed = fetched.bytes / max(fetched.seconds, 1e-3) / 1e6
    return (
        f"{fetched.fetched:,} were fetched ({fetched.bytes / 1e6:,.1f} MB in"
        f" {fetched.seconds:.1f} s, {speed:.1f} MB/s), {sum(fetched.failed.values()):,} failed"
    )


def _named(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {WORDS[Reason(reason)]}" for reason, number in counts.items())
