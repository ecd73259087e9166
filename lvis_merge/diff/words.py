"""What each part of a diff says in one sentence, and values as people read them."""

from __future__ import annotations

from typing import Any

from lvis_merge.diff.result import Diff
from lvis_merge.report.findings import source_name
from lvis_merge.report.svg import shortened

_MOST_LETTERS = 60


def title(diff: Diff) -> str:
    """What the comparison found."""
    if diff.equal:
        return "Nothing differs"
    if diff.same_rows:
        return "The rows are the same; what they were built from differs"
    rows = [
        (sum(one.added for one in diff.sources), "added"),
        (sum(one.removed for one in diff.sources), "removed"),
        (sum(one.changed for one in diff.sources), "changed"),
    ]
    parts = [f"{count:,} {what}" for count, what in rows if count]
    if parts:
        return f"Boxes: {', '.join(parts)}"
    if any(one.added or one.removed or one.changed for one in diff.images):
        return "The boxes are the same; images differ"
    return "The boxes are the same; categories differ"


def categories_finding(diff: Diff) -> str:
    """How many categories have other objects."""
    touched = [one for one in diff.categories if one.objects_differ]
    if not touched:
        return "No category has other objects; ignore regions differ"
    most = touched[0].name
    if len(touched) == 1:
        return f"One category has other objects: {most}"
    return f"{len(touched):,} categories have other objects, {most} most"


def images_finding(diff: Diff) -> str:
    """What became of the images."""
    counts = [
        (sum(getattr(one, what) for one in diff.images), what)
        for what in ("added", "removed", "changed")
    ]
    parts = [f"{count:,} {what}" for count, what in counts if count]
    return f"Images: {', '.join(parts)}" if parts else "The images are the same"


def source(name: str) -> str:
    """A source as people write it."""
    return source_name(name)


def value(given: Any, most: int = _MOST_LETTERS) -> str:
    """A value in a line of at most so many letters: `—` for none."""
    if given is None:
        return "—"
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, int):
        return f"{given:,}"
    if isinstance(given, float):
        return f"{given:.6g}"
    if isinstance(given, list | tuple):
        given = ", ".join(map(value, given)) or "—"
    return shortened(str(given), most)


def signed(number: int) -> str:
    """A difference with its sign; empty for none."""
    return f"{number:+,}" if number else ""


def count(number: int) -> str:
    """A count; a dash for none."""
    return f"{number:,}" if number else "-"
