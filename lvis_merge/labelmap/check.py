"""Lints a label map.

Errors are rows that cannot mean what they say; warnings are for a person to look at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from lvis_merge.errors import InputError
from lvis_merge.labelmap.csv_text import read_bytes
from lvis_merge.labelmap.draft import is_draft
from lvis_merge.labelmap.known import Known, read_known
from lvis_merge.labelmap.name_index import NameIndex
from lvis_merge.labelmap.names import match_names, normalise
from lvis_merge.labelmap.read import parse_map
from lvis_merge.labelmap.relations import RELATIONS
from lvis_merge.labelmap.rows import MapRow, MapStyle
from lvis_merge.labelmap.vocabulary import LvisCategory, read_class_list, read_lvis_vocabulary

_STRENGTH = {relation: place for place, relation in enumerate(RELATIONS)}
_SYNSET = re.compile(r"\S+\.[nvars]\.\d\d")


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        level: `error` or `warning`.
        row: 1-based place in the file, None for the file as a whole.
        code: the lint's name, such as `unknown-synset`.
        message: what is wrong and what to do.
    """

    level: Literal["error", "warning"]
    row: int | None
    code: str
    message: str


def check_map(
    path: Path | str, lvis: Sequence[Path | str] = (), classes: Path | str | None = None
) -> list[Problem]:
    """Lints a map file.

    Args:
        path: the map.
        lvis: LVIS annotation files or category lists; a synset of any of them is known.
        classes: the source's class list. Without it and without `lvis` the packaged maps serve as
            a partial vocabulary: names are compared with them, unknown ids are let pass.

    Returns:
        Findings by row, those of the whole file first.

    Raises:
        InputError: a file does not exist, or one that is checked against is unusable.
    """
    data = read_bytes(path)
    try:
        style, rows, faults = parse_map(data, Path(path).name)
    except InputError as error:
        return [Problem("error", None, "format", str(error))]
    problems = [Problem("error", fault.row, "format", fault.message) for fault in faults]
    names = None
    if classes is not None:
        names = {found.source_id: found.name for found in read_class_list(classes)}
    categories = read_lvis_vocabulary(lvis) if lvis else None
    problems += check_rows(style, rows, read_known(), categories, names)
    return sorted(problems, key=lambda problem: (problem.row or 0, problem.level, problem.code))


def check_rows(
    style: MapStyle,
    rows: Sequence[MapRow],
    known: Known,
    categories: Mapping[str, LvisCategory] | None = None,
    class_names: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Lints rows that are well formed.

    Args:
        style: the map's columns.
        rows: its rows, in file order.
        known: the packaged maps.
        categories: LVIS categories by synset, if given.
        class_names: the source's class names by id, if given.

    Returns:
        Findings, by lint.
    """
    mapped = [(row, row.synset) for row in rows if row.synset is not None]
    return [
        *_class_problems(style, rows, known, class_names),
        *_synset_problems(mapped, known, categories),
        *_relation_problems(mapped, categories),
        *_rejected_problems(mapped, known),
        *_look_alike_problems(mapped, known, categories),
        *_draft_problems(rows),
        *_shared_problems(style, rows),
        *_order_problems(style, rows),
    ]


def _warning(row: MapRow, code: str, message: str) -> Problem:
    return Problem("warning", row.row, code, message)


def _class_problems(
    style: MapStyle, rows: Sequence[MapRow], known: Known, names: Mapping[str, str] | None
) -> Iterator[Problem]:
    expected = known.class_names.get(style.id_column, {}) if names is None else names
    for row in rows:
        if row.source_id not in expected:
            if names is not None:
                message = (
                    f"the class list has no {style.id_column} {row.source_id}."
                    " Correct it or remove the row."
                )
                yield Problem("error", row.row, "unknown-class", message)
        elif row.source_name != expected[row.source_id]:
            yield _warning(
                row,
                "name-drift",
                f"{row.source_id} is called {expected[row.source_id]!r}, here"
                f" {row.source_name!r}. Check that the id is the right one.",
            )


def _synset_problems(
    mapped: Sequence[tuple[MapRow, str]],
    known: Known,
    categories: Mapping[str, LvisCategory] | None,
) -> Iterator[Problem]:
    for row, synset in mapped:
        names = set(known.lvis_names.get(synset, ()))
        if categories is None:
            if not _SYNSET.fullmatch(synset):
                yield _warning(row, "synset-form", f"{synset!r} is not of the form acorn.n.01.")
        elif synset in categories:
            names = set(categories[synset].names)
            if categories[synset].is_shared:
                message = f"two categories of one LVIS file share {synset}; remove the row."
                yield Problem("error", row.row, "shared-category", message)
        elif names:
            yield _warning(
                row, "other-version", f"only another version of LVIS has the synset {synset}."
            )
        else:
            message = f"no LVIS category has the synset {synset}. Correct it or remove the row."
            yield Problem("error", row.row, "unknown-synset", message)
        if names and row.lvis_name not in names:
            yield _warning(
                row,
                "name-drift",
                f"LVIS calls {synset} {' or '.join(sorted(names))}, here {row.lvis_name!r}."
                " Check that the synset is the right one.",
            )


def _relation_problems(
    mapped: Sequence[tuple[MapRow, str]], categories: Mapping[str, LvisCategory] | None
) -> Iterator[Problem]:
    """The relation that a row states against the one its names have."""
    for row, synset in mapped:
        category = None if categories is None else categories.get(synset)
        # versions differ in names (baby, person): the one that the row gives is meant, the others
        # count as synonyms; a name of no given version (name-drift) can only be judged as exact
        drifted = category is not None and row.lvis_name not in category.names
        names = category.names if category is not None and drifted else (row.lvis_name,)
        others = () if category is None else (*category.names, *category.synonyms)
        match = match_names(row.source_name, names, [word for word in others if word not in names])
        found = match.relation if match else "curated"
        if found == row.relation:
            continue
        if row.relation == "exact":
            message = (
                f"relation exact, but {row.source_name!r} and {' or '.join(names)!r} are not the"
                f" same name, or LVIS's has a qualifier; {found} fits."
            )
            yield Problem("error", row.row, "relation", message)
        elif drifted:
            continue
        elif category is not None or _STRENGTH[found] < _STRENGTH[row.relation or "curated"]:
            # without the category's synonyms only a stronger relation can be told for certain
            yield _warning(row, "relation", f"relation {row.relation}, but {found} fits the names.")


def _rejected_problems(mapped: Sequence[tuple[MapRow, str]], known: Known) -> Iterator[Problem]:
    for row, synset in mapped:
        if pair := known.rejected.get((row.source_id, synset)):
            decided = row.relation == "curated" and row.note
            yield Problem(
                "warning" if decided else "error",
                row.row,
                "rejected",
                f"{row.source_name} and {row.lvis_name} are among the rejected pairs:"
                f" {pair.reason}. Remove the row, or make it curated and say why in its note.",
            )


def _look_alike_problems(
    mapped: Sequence[tuple[MapRow, str]],
    known: Known,
    categories: Mapping[str, LvisCategory] | None,
) -> Iterator[Problem]:
    """Other categories that fit a class by name and that nobody has spoken about."""
    if categories is None:
        return
    index = NameIndex(categories)
    judged = {(normalise(pair.open_images_name), pair.synset) for pair in known.rejected.values()}
    for row, synset in mapped:
        others = [
            category.names[0]
            for category, _ in index.matches(row.source_name)
            if category.synset != synset
            and (normalise(row.source_name), category.synset) not in judged
        ]
        if others and not row.note:
            yield _warning(
                row,
                "look-alike",
                f"{row.source_name} agrees by name with {', '.join(others)} too."
                " Say in the note why this one is meant.",
            )


def _draft_problems(rows: Sequence[MapRow]) -> Iterator[Problem]:
    for row in rows:
        if is_draft(row):
            decide = "Accept it or clear the synset" if row.synset else "Give it a synset or not"
            yield _warning(
                row, "draft", f"nobody has judged {row.source_name} yet. {decide}; change the note."
            )


def _shared_problems(style: MapStyle, rows: Sequence[MapRow]) -> Iterator[Problem]:
    by_synset: dict[str, list[MapRow]] = defaultdict(list)
    by_name: dict[str, list[MapRow]] = defaultdict(list)
    for row in rows:
        by_name[normalise(row.source_name)].append(row)
        if row.synset is not None:
            by_synset[row.synset].append(row)
    for synset, same in by_synset.items():
        for row in same[1:]:
            yield _warning(
                row,
                "shared-synset",
                f"{synset} is already in row {same[0].row} ({same[0].source_name})."
                " Check that both classes mean it.",
            )
    for same in by_name.values():
        for row in same[1:]:
            yield _warning(
                row,
                "shared-name",
                f"the name {row.source_name!r} is already in row {same[0].row} under"
                f" {style.id_column} {same[0].source_id}. Check both ids.",
            )


def _order_problems(style: MapStyle, rows: Sequence[MapRow]) -> Iterator[Problem]:
    def key(row: MapRow) -> tuple[int, str]:
        return (int(row.source_id) if style.numeric_ids else 0, row.source_id)

    for before, row in pairwise(rows):
        if key(row) < key(before):
            yield _warning(
                row,
                "order",
                f"{row.source_id} stands after {before.source_id}. Sort the rows by"
                f" {style.id_column}, so that two versions of a map can be compared.",
            )
            return
