"""The road map as tables: in a terminal, in Markdown, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from lvis_merge.testing.roadmap.published import COLUMNS, VAL_IMAGES
from lvis_merge.testing.roadmap.runs import Roadmap, RunRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

TITLE_1 = "Road map: mask AP × 100 on val"
TITLE_2 = "Test server: mask AP × 100"


def print_roadmap(roadmap: Roadmap, console: Console) -> None:
    """Prints both tables, legible from 80 columns on.

    Args:
        roadmap: what to print.
        console: where to.
    """
    from rich.text import Text

    first = _table("step")
    for row in roadmap.rows:
        first.add_row(row.step.name, *(_both(row, name) for name in COLUMNS))
    second = _table("")
    for test in roadmap.test:
        second.add_row(Text(test.name), *_cells(test.figures))
    console.print(Text(f"{TITLE_1} (in brackets: published)", style="bold"))
    console.print(first, highlight=False)
    console.print()
    console.print(Text(TITLE_2, style="bold"))
    console.print(second, highlight=False)
    console.print()
    for note in notes(roadmap):
        console.print(Text(note, style="dim"))


def _table(first: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), show_edge=False
    )
    table.add_column(first)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _both(row: RunRow, name: str) -> str:
    """A run's figure, the published one in brackets."""
    run = f"{row.figures[name]:.1f}" if name in row.figures else ""
    if name == COLUMNS[0] and row.missing:
        run = row.missing
    published = f"({row.step.published[name]:.1f})" if name in row.step.published else " " * 6
    return f"{run} {published}"


def markdown(roadmap: Roadmap) -> str:
    """Both tables in Markdown, notes below."""
    published = [f"{name} published" for name in COLUMNS]
    first = [
        [row.step.name, *_cells(row.figures, row.missing), *_cells(row.step.published)]
        for row in roadmap.rows
    ]
    second = [[row.name, *_cells(row.figures)] for row in roadmap.test]
    parts = [
        f"**{TITLE_1}**\n\n{markdown_table(['step', *COLUMNS, *published], first)}",
        f"**{TITLE_2}**\n\n{markdown_table(['', *COLUMNS], second)}",
        *(f"{note}\n" for note in notes(roadmap)),
    ]
    return "\n".join(parts)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown: the first column of words, the others of figures."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (header, ruler, *rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_csv(roadmap: Roadmap) -> str:
    """One line per step, then one per row of the test server."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    published = [f"published_{name}" for name in COLUMNS]
    writer.writerow(["table", "row", *published, *COLUMNS, "missing", "ground_truth", "images"])
    for row in roadmap.rows:
        figures = [*_cells(row.step.published), *_cells(row.figures)]
        scored = [row.missing, row.ground_truth, row.images or ""]
        writer.writerow(["val", row.step.key, *figures, *scored])
    for test in roadmap.test:
        figures = [*_cells({}), *_cells(test.figures)]
        writer.writerow(["test", test.name, *figures, "", "", ""])
    return text.getvalue()


def as_json(roadmap: Roadmap) -> dict[str, Any]:
    """What `--json` prints; figures are times 100."""
    return {
        "val": [
            {
                "step": row.step.key,
                "published": row.step.published,
                "run": row.figures or None,
                "missing": row.missing or None,
                "ground_truth": row.ground_truth or None,
                "images": row.images or None,
            }
            for row in roadmap.rows
        ],
        "test": [{"name": row.name, "figures": row.figures} for row in roadmap.test],
    }


def notes(roadmap: Roadmap) -> list[str]:
    """What a reader has to know, a sentence each."""
    found = ["Published figures are of LVIS v0.5: val (5,000 images) and the test server."]
    truths = sorted({(row.ground_truth, row.images) for row in roadmap.rows if row.ground_truth})
    scored = " and ".join(f"{name} ({images:,} images)" for name, images in truths)
    if len(truths) > 1:
        found.append(f"Runs were scored on {scored}: their figures do not compare.")
    elif any(images != VAL_IMAGES for _, images in truths):
        found.append(f"Runs were scored on {scored}: the published figures do not compare.")
    return found


def _cells(figures: dict[str, float], missing: str = "") -> list[str]:
    """By column; in the first one why there is none."""
    cells = [f"{figures[name]:.1f}" if name in figures else "" for name in COLUMNS]
    return [cells[0] or missing, *cells[1:]]
