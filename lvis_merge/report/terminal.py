"""The summary in a terminal, legible from 80 columns on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvis_merge.report import findings
from lvis_merge.report.frequency import GROUP_NAMES
from lvis_merge.report.summary import Summary
from lvis_merge.report.text_table import print_table

if TYPE_CHECKING:
    from rich.console import Console

MOST_GAINS = 12
"""Rare categories listed by name; the report has all of them."""


def print_stats(summary: Summary, console: Console) -> None:
    """Prints the summary as tables.

    Args:
        summary: the counts.
        console: where to; tables need 80 columns.
    """
    from rich.text import Text

    record = summary.record
    console.print(Text(findings.title(summary), style="bold"))
    console.print(
        Text(
            f"label space {record.label_space} · {summary.totals.categories:,} categories ·"
            f" lvis-merge {record.tool_version} · seed {record.seed}",
            style="dim",
        )
    )
    for warning in summary.warnings:
        console.print(Text.assemble(("! ", "bold yellow"), warning))
    if record.holdout is not None:
        console.print(Text(f"Leakage: {findings.leakage(summary)}"))
    _print_sources(summary, console)
    _print_groups(summary, console)
    _print_gains(summary, console)
    _print_ignore(summary, console)
    _print_evidence(summary, console)
    _print_sampling(summary, console)
    _print_inputs(summary, console)


def _print_sources(summary: Summary, console: Console) -> None:
    print_table(
        console,
        f"{summary.totals.images:,} images, {summary.totals.objects:,} objects,"
        f" {summary.totals.ignore_regions:,} ignore regions",
        "source|split|#images|#objects|#with mask|#box only|#ignore",
        [
            (
                findings.source_name(one.source),
                one.split,
                _count(one.images),
                _count(one.objects),
                _count(one.objects_with_mask),
                _count(one.objects_box_only),
                _count(one.ignore_regions),
            )
            for one in summary.sources
        ],
    )


def _print_groups(summary: Summary, console: Console) -> None:
    title = findings.tail_finding(summary)
    if summary.groups[0].categories_before is None:
        print_table(
            console,
            title,
            "group|#categories|#objects",
            [
                (GROUP_NAMES[one.group], _count(one.categories_after), _count(one.instances_after))
                for one in summary.groups
            ],
        )
        return
    print_table(
        console,
        title,
        "LVIS group|#categories|#gained|#now r|#now c|#now f|#objects|#merged",
        [
            (
                GROUP_NAMES[one.group],
                _count(one.categories_before),
                _count(one.gained),
                *(_count(dict(one.moves_to).get(to, 0)) for to in "rcf"),
                _count(one.instances_before),
                _count(one.instances_after),
            )
            for one in summary.groups
        ],
    )


def _print_gains(summary: Summary, console: Console) -> None:
    gains = summary.rare_gains
    if gains:
        more = len(gains) - MOST_GAINS
        print_table(
            console,
            findings.rare_finding(summary),
            "rare category|#LVIS images|#added|#images|now",
            [
                (
                    one.name,
                    _count(one.images_before),
                    f"+{one.images_added:,}",
                    _count(one.images_after),
                    GROUP_NAMES[one.frequency_merged],
                )
                for one in gains[:MOST_GAINS]
            ],
            f"and {more:,} more: report.html" if more > 0 else "",
        )
    if summary.open_images:
        console.print()
        console.print(findings.open_images_finding(summary), style="bold", highlight=False)


def _print_ignore(summary: Summary, console: Console) -> None:
    if summary.ignore_regions:
        print_table(
            console,
            findings.ignore_finding(summary),
            "source|reason|#regions|#images|#on an LVIS object",
            [
                (
                    findings.source_name(one.source),
                    findings.REASON_NAMES[one.reason],
                    _count(one.regions),
                    _count(one.images),
                    _count(one.matched) if one.source == "coco" else "",
                )
                for one in summary.ignore_regions
            ],
        )


def _print_evidence(summary: Summary, console: Console) -> None:
    print_table(
        console,
        "Categories verified on the images (elsewhere they are unknown)",
        "images of|split|#present|#absent|#not exhaustive|#absent per image",
        [
            (
                findings.source_name(one.source),
                one.split,
                _count(one.positive),
                _count(one.negative),
                _count(one.not_exhaustive),
                f"{one.negative / one.images:.1f}",
            )
            for one in summary.evidence
        ],
    )


def _print_sampling(summary: Summary, console: Console) -> None:
    print_table(
        console,
        "Repeat factor sampling, one epoch",
        "frequencies from|#images|#draws|#ratio|#repeated|#highest r",
        [
            (
                findings.EPOCH_NAMES[one.counts],
                _count(one.images),
                f"{one.expected:,.0f}",
                f"{one.ratio:.2f}",
                _count(one.repeated_images),
                f"{one.max_factor:.2f}",
            )
            for one in summary.sampling
        ],
    )


def _print_inputs(summary: Summary, console: Console) -> None:
    """A line per source and kind; further rules below it."""
    rows = []
    for one in summary.inputs:
        name = f"{findings.source_name(one.source)} {findings.KIND_NAMES[one.kind]}"
        head = [name, _count(one.rows), _count(one.kept), _count(one.rejected)]
        rules = [(_count(n), findings.RULE_NAMES[rule]) for rule, n in one.dropped]
        for rule in rules or [("-", "")]:
            rows.append([*head, *rule])
            head = [""] * 4
    if rows:
        print_table(
            console,
            findings.inputs_finding(summary),
            "rows of|#in|#kept|#bad|#left out|why",
            rows,
        )
    if summary.rejects:
        print_table(
            console,
            "Bad rows, in rejects.parquet",
            "file|what was wrong|#rows|#first",
            [
                (
                    one.file,
                    f"{one.kind}: {findings.REJECT_NAMES[one.reason]}",
                    _count(one.rows),
                    _count(one.first_row),
                )
                for one in summary.rejects
            ],
        )


def _count(value: int | None) -> str:
    return f"{value:,}" if value else "-"
