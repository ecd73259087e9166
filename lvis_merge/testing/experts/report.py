"""What became of an expert's results, for other programs and for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lvis_merge.testing.experts.convert import ClassCount, Converted
from lvis_merge.testing.experts.partners import REASONS, Why

if TYPE_CHECKING:
    from rich.console import Console

_LISTED = 12


def dropped(converted: Converted) -> dict[str, int]:
    """Dropped entries by reason, bad ones as `bad`."""
    counts: Counter[str] = Counter({"bad": sum(converted.bad.values())})
    for one in converted.without_partner:
        counts[str(one.of.why)] += one.detections
    return {reason: counts[reason] for reason in (*REASONS, "bad")}


def as_json(converted: Converted) -> dict[str, Any]:
    """What `--json` prints: entries = kept + the sum of dropped."""
    return {
        "results": converted.results,
        "entries": converted.entries,
        "kept": converted.kept,
        "dropped": dropped(converted),
        "bad": converted.bad,
        "classes": [
            {
                "class_id": one.of.class_id,
                "name": one.of.name,
                "category_id": one.of.category_id,
                "why": one.of.why,
                "detections": one.detections,
            }
            for one in converted.classes
        ],
        "several_classes": {
            str(category): [one.of.class_id for one in classes]
            for category, classes in converted.several.items()
        },
    }


def print_converted(converted: Converted, console: Console) -> None:
    """Prints what was kept, and what was not and why.

    Args:
        converted: what to print.
        console: where to.
    """
    for line in lines(converted):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def lines(converted: Converted) -> list[str]:
    """The report, line by line."""
    shared = [one for one in converted.classes if one.of.category_id is not None]
    categories = {one.of.category_id for one in shared}
    found = [
        f"{converted.results}: {converted.entries:,} detections ="
        f" {converted.kept:,} kept + {converted.entries - converted.kept:,} dropped",
        f"{len(shared):,} of {len(converted.classes):,} classes are"
        f" {len(categories):,} LVIS categories",
    ]
    for why, words in REASONS.items():
        found += _without(converted, why, words)
    for category, classes in converted.several.items():
        found.append(
            f"{len(classes)} classes on {converted.category_names[category]}: {_listed(classes)}"
        )
    if converted.bad:
        faults = ", ".join(f"{fault} {count:,}" for fault, count in converted.bad.items())
        found.append(f"bad entries: {faults}")
    if converted.had_masks:
        found.append("Masks were left out: an ensemble fuses boxes, and masks follow from those.")
    return found


def _without(converted: Converted, why: Why, words: str) -> list[str]:
    classes = [one for one in converted.without_partner if one.of.why == why]
    if not classes:
        return []
    number = "1 class" if len(classes) == 1 else f"{len(classes):,} classes"
    return [f"{number} dropped, {words}: {_listed(classes)}"]


def _listed(classes: list[ClassCount]) -> str:
    """Names with counts, the most detections first."""
    ordered = sorted(classes, key=lambda one: (-one.detections, one.of.class_id))
    names = [f"{one.of.name} ({one.detections:,})" for one in ordered[:_LISTED]]
    more = len(ordered) - _LISTED
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
