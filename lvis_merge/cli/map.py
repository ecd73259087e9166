"""`lvis-merge map`: lint label maps, and propose rows for new vocabularies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import Json
from lvis_merge.cli.outputs import write_text
from lvis_merge.errors import CheckFailedError, InputError, UsageError

if TYPE_CHECKING:
    from lvis_merge.labelmap.check import Problem
    from lvis_merge.labelmap.suggest import Suggestion
    from lvis_merge.labelmap.vocabulary import SourceClass

map_app = typer.Typer(no_args_is_help=True, help="Check label maps and propose rows for new ones.")

_TO_TELL_AMBIGUOUS = 5
"""Candidates that a draft looks at, whatever `--limit` says."""

_Lvis = Annotated[
    list[Path] | None,
    typer.Option(
        "--lvis",
        metavar="FILE",
        help="LVIS annotation file or list of categories; may be given several times.",
    ),
]


@map_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The label map, a CSV.")],
    lvis: _Lvis = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            "--classes",
            metavar="FILE",
            help="Class list of the map's source, or its annotation file in COCO's format.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Lint a label map: unknown ids, duplicates, ambiguity, name drift.

    Ends with 0 when there are at most warnings, with 1 when there is an error.

    Example: lvis-merge map check my_map.csv --lvis lvis_v1_train.json
    """
    from lvis_merge.labelmap.check import check_map

    problems = check_map(file, lvis or (), classes)
    errors = sum(problem.level == "error" for problem in problems)
    summary = f"{file}: {_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}"
    if as_json:
        _print_json(
            {
                "file": file.name,
                "errors": errors,
                "warnings": len(problems) - errors,
                "problems": [
                    {
                        "level": problem.level,
                        "row": problem.row,
                        "code": problem.code,
                        "message": problem.message,
                    }
                    for problem in problems
                ],
            }
        )
    else:
        _print_problems(file, problems)
    unchecked = [
        f"{what} (give {option})"
        for what, option, given in (
            ("synsets", "--lvis", lvis),
            ("class ids", "--classes", classes),
        )
        if not given
    ]
    if unchecked:
        typer.echo(f"Only partly checked: {' and '.join(unchecked)}.", err=True)
    if errors:
        raise CheckFailedError(f"{summary}. Correct the errors.")
    typer.echo(summary, err=True)


@map_app.command()
def suggest(
    source: Annotated[
        Path,
        typer.Option(
            "--source",
            metavar="FILE",
            help="The new vocabulary: an annotation file in COCO's format, a CSV with columns id"
            " and name, or Open Images' class list.",
        ),
    ],
    lvis: _Lvis = None,
    wordnet: Annotated[
        Path | None,
        typer.Option(
            "--wordnet",
            metavar="DIR",
            help="WordNet's database folder; by default /usr/share/wordnet where it exists.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most candidates per class.")] = 5,
    draft: Annotated[
        bool,
        typer.Option(
            "--draft", help="Write a map for build --extra, one row per class, to go through."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CSV", help="Write here instead of stdout.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Propose LVIS categories for the classes of a new vocabulary, with the evidence.

    A person accepts rows: keep the best, turn the relation 'wordnet' into 'curated', add a note.
    With --draft a class has a category only where the names agree, with one category, and nobody
    rejected the pair; the note of every row begins with 'draft:' until someone judged it.

    Example: lvis-merge map suggest --source classes.csv --lvis lvis_v1_train.json
    """
    if not lvis:
        raise UsageError(
            "map suggest: --lvis is missing. Give an LVIS annotation file or a list of LVIS"
            " categories; proposals are for its categories."
        )
    from lvis_merge.labelmap.known import read_known
    from lvis_merge.labelmap.suggest import suggest_rows
    from lvis_merge.labelmap.vocabulary import read_class_list, read_lvis_vocabulary
    from lvis_merge.labelmap.wordnet import DEFAULT_FOLDER, read_wordnet

    found_classes = read_class_list(source)
    folder = wordnet or (DEFAULT_FOLDER if DEFAULT_FOLDER.is_dir() else None)
    rows = suggest_rows(
        found_classes,
        read_lvis_vocabulary(lvis),
        wordnet=None if folder is None else read_wordnet(folder),
        rejected=read_known().rejected,
        limit=max(limit, _TO_TELL_AMBIGUOUS) if draft else limit,
    )
    if draft:
        _print_draft(found_classes, rows, out, as_json)
    else:
        _print_suggestions(rows, out, as_json)
    if folder is None:
        typer.echo(
            "Without WordNet: only names were compared. Install it (Debian: wordnet-base) or give"
            " --wordnet.",
            err=True,
        )
    if draft:
        return
    with_rows = len({row.source_id for row in rows})
    typer.echo(
        f"{_count(len(rows), 'proposal')} for {with_rows:,} of"
        f" {_count(len(found_classes), 'class', 'classes')}",
        err=True,
    )


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _print_json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, indent=2))


def _print_problems(file: Path, problems: list[Problem]) -> None:
    if not _on_terminal():
        for problem in problems:
            where = f"{file}, row {problem.row}" if problem.row else f"{file}"
            typer.echo(f"{where}: {problem.level}: {problem.code}: {problem.message}")
    elif problems:
        rows = [
            (problem.level, str(problem.row or ""), problem.code, problem.message)
            for problem in problems
        ]
        _print_table(("level", "row", "lint", "message"), rows)


def _write(out: Path, text: str) -> None:
    try:
        write_text(out, text)
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written ({error.strerror}). Give another --out."
        ) from error


def _print_draft(
    classes: list[SourceClass], suggestions: list[Suggestion], out: Path | None, as_json: bool
) -> None:
    from dataclasses import asdict

    from lvis_merge.labelmap.draft import draft_csv, draft_rows

    rows = draft_rows(classes, suggestions)
    if out is not None:
        _write(out, draft_csv(rows))
    if as_json:
        _print_json([asdict(row) for row in rows])
    elif out is None:
        typer.echo(draft_csv(rows), nl=False)
    mapped = sum(row.synset is not None for row in rows)
    typer.echo(
        f"{_count(len(rows), 'class', 'classes')}: {mapped:,} with a category by name,"
        f" {len(rows) - mapped:,} left to decide. Go through all of them before you build.",
        err=True,
    )


def _print_suggestions(rows: list[Suggestion], out: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from lvis_merge.labelmap.suggest import suggestions_csv

    if out is not None:
        _write(out, suggestions_csv(rows))
    if as_json:
        _print_json([asdict(row) for row in rows])
    elif out is None and _on_terminal():
        _print_table(
            ("class", "LVIS", "relation", "score", "evidence"),
            [
                (row.source_name, row.lvis_name, row.relation, f"{row.score:.2f}", row.evidence)
                for row in rows
            ],
        )
    elif out is None:
        typer.echo(suggestions_csv(rows), nl=False)


def _print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
