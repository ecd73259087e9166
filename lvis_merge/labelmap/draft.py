"""The first draft of a label map for an extra source, out of suggestions.

A draft is usable at once, and says of every row that nobody has judged it: its note begins with
`draft:`. Who accepts a row removes the word, or writes a note of their own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lvis_merge.errors import InputError
from lvis_merge.labelmap.rows import EXTRA, MapRow
from lvis_merge.labelmap.suggest import Suggestion, is_undisputed
from lvis_merge.labelmap.vocabulary import SourceClass

DRAFT = "draft:"
_NAMED = 3


def draft_rows(classes: Iterable[SourceClass], suggestions: Iterable[Suggestion]) -> list[MapRow]:
    """One row per class, by id.

    A class has a category where the names agree, with one category only, and nobody rejected the
    pair. Everything else (WordNet's links, ambiguous names) is named in the note for a person to
    decide; until then the class counts as unmapped.

    Args:
        classes: the vocabulary; its ids are whole numbers, as in COCO's format.
        suggestions: for these classes, of each the best first.

    Raises:
        InputError: an id that is no whole number.
    """
    of_class: dict[str, list[Suggestion]] = {}
    for row in suggestions:
        of_class.setdefault(row.source_id, []).append(row)
    classes = list(classes)
    for source in classes:
        if not (source.source_id.isascii() and source.source_id.isdecimal()):
            raise InputError(
                f"the class id {source.source_id!r} is no whole number. A draft is for"
                " `build --extra`, whose files have numbers; leave out --draft."
            )
    ordered = sorted(classes, key=lambda source: int(source.source_id))
    return [
        _row(place, source, of_class.get(source.source_id, []))
        for place, source in enumerate(ordered, start=1)
    ]


def _row(place: int, source: SourceClass, found: Sequence[Suggestion]) -> MapRow:
    named = "; ".join(
        f"{row.lvis_name} ({row.lvis_synset}): {row.evidence}" for row in found[:_NAMED]
    )
    note = f"{DRAFT} to decide: {named}" if named else f"{DRAFT} no LVIS category was found"
    undecided = MapRow(place, source.source_id, source.name, None, "", None, note)
    if not found or not is_undisputed(found[0]):
        return undecided
    best = found[0]
    return replace(
        undecided,
        synset=best.lvis_synset,
        lvis_name=best.lvis_name,
        relation=best.relation,
        note=f"{DRAFT} {best.evidence}",
    )


def is_draft(row: MapRow) -> bool:
    """Whether nobody has judged a row yet."""
    return row.note.startswith(DRAFT)


def draft_csv(rows: Iterable[MapRow]) -> str:
    """The rows as the text of a map."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EXTRA.columns)
    writer.writerows(
        (row.source_id, row.source_name, row.synset, row.lvis_name, row.relation, row.note)
        for row in rows
    )
    return text.getvalue()
