"""`report.html`: one file with everything in it, equal for equal builds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvis_merge.image_roots import ImageRoot
from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.manifest.tables import Tables
from lvis_merge.manifest.write import REPORT_FILE
from lvis_merge.report import findings
from lvis_merge.report.bars import Bar, Segment, bar_columns, stacked_bars
from lvis_merge.report.drawing import Sample
from lvis_merge.report.frequency import GROUP_NAMES, CategoryCount
from lvis_merge.report.page import page_template
from lvis_merge.report.samples import sample_images
from lvis_merge.report.summary import Summary, summarise
from lvis_merge.report.tail_plot import tail_plot

if TYPE_CHECKING:
    from jinja2 import Template

MOST_BARS = 120
"""Bars of one chart; of more rows the first and the last are drawn."""

_WIDE, _NARROW = 1040.0, 380.0


def write_report(
    folder: Path,
    tables: Tables,
    record: ManifestRecord,
    image_roots: Sequence[ImageRoot] = (),
) -> Path:
    """Writes `report.html` of a manifest.

    Args:
        folder: the manifest's folder; `report.html` in it is replaced.
        tables: the manifest's tables, whole.
        record: what `manifest.json` says.
        image_roots: where the images are; without them the report has no sample images.

    Returns:
        The file.

    Raises:
        OSError: the folder cannot be written.
    """
    summary = summarise(tables, record)
    strip = sample_images(tables, image_roots)
    path = folder / REPORT_FILE
    path.write_text(render(summary, strip, looked_for=bool(image_roots)), encoding="utf-8")
    return path


def render(summary: Summary, strip: Sequence[Sample] = (), looked_for: bool = False) -> str:
    """The report's HTML.

    Args:
        summary: the counts.
        strip: sample images, drawn.
        looked_for: whether images were looked for; tells why there is no strip.

    Returns:
        A whole document that loads nothing.
    """
    return _template().render(
        s=summary,
        say=findings,
        group_names=GROUP_NAMES,
        figures=_figures(summary),
        notes={
            "rare": _cut_note(summary.rare_gains),
            "open_images": _cut_note(summary.open_images),
        },
        strip=strip,
        looked_for=looked_for,
        inputs=sorted(summary.record.inputs, key=lambda one: (one.role, one.name, one.sha256)),
        options=[(key, _words(value)) for key, value in sorted(summary.record.options.items())],
    )


@cache
def _template() -> Template:
    return page_template(files("lvis_merge.report") / "template.html")


def _figures(summary: Summary) -> dict[str, Any]:
    """The plots as markup, by name."""
    from markupsafe import Markup

    return {name: Markup(svg) for name, svg in _drawn(summary).items()}


def _drawn(summary: Summary) -> dict[str, str]:
    figures = {
        "tail": tail_plot(summary.categories, _WIDE, 380, "wide")
        + tail_plot(summary.categories, _NARROW, 320, "narrow"),
        "groups": "",
        "rare": bar_columns(
            [
                Bar(
                    one.name,
                    (
                        Segment(one.images_after - one.images_added, "before", "images from LVIS"),
                        Segment(one.images_added, "added", "images added"),
                    ),
                    f"+{one.images_added:,}",
                )
                for one in _ends(summary.rare_gains)
            ],
            "training images",
        ),
        "open_images": bar_columns(
            [
                Bar(
                    one.name,
                    (Segment(one.images_open_images, f"group-{one.group}", "Open Images images"),),
                    f"{one.images_open_images:,}",
                )
                for one in _ends(summary.open_images)
            ],
            "Open Images images",
        ),
        "evidence": bar_columns(
            [
                Bar(
                    f"{findings.source_name(one.source)} {one.split}",
                    (
                        Segment(round(one.positive / one.images, 2), "positive", "present"),
                        Segment(round(one.negative / one.images, 2), "negative", "absent"),
                    ),
                    f"{(one.positive + one.negative) / one.images:.1f}",
                )
                for one in summary.evidence
            ],
            "categories per image",
            columns=1,
        ),
        "ignore": bar_columns(
            [
                Bar(
                    findings.REASON_NAMES[one.reason],
                    (Segment(one.regions, f"source-{one.source}", "regions"),),
                    f"{one.regions:,}",
                )
                for one in summary.ignore_regions
            ],
            "ignore regions",
            columns=1,
        ),
    }
    if summary.groups[0].categories_before is not None:
        bars = [
            Bar(
                label,
                tuple(
                    Segment(getattr(one, field), f"group-{one.group}", GROUP_NAMES[one.group])
                    for one in summary.groups
                ),
                "",
            )
            for label, field in (
                ("LVIS", "categories_before"),
                ("after the merge", "categories_after"),
            )
        ]
        figures["groups"] = stacked_bars(bars, _WIDE, "wide") + stacked_bars(
            bars, _NARROW, "narrow"
        )
    return figures


def _ends(counts: Sequence[CategoryCount]) -> list[CategoryCount]:
    """All rows, or the first and the last of too many."""
    half = MOST_BARS // 2
    return list(counts) if len(counts) <= MOST_BARS else [*counts[:half], *counts[-half:]]


def _cut_note(counts: Sequence[CategoryCount]) -> str:
    missing = len(counts) - MOST_BARS
    if missing <= 0:
        return ""
    return (
        f"The {missing:,} categories between the first and the last {MOST_BARS // 2} are left out."
    )


def _words(value: Any) -> str:
    """An option's value as text."""
    if value is None or value == [] or value == ():
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    return str(value)
