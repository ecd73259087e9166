"""`map suggest --draft`: what is written as a category, and what is left to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.labelmap.check import check_map
from lvis_merge.labelmap.draft import draft_csv, draft_rows, is_draft
from lvis_merge.labelmap.read import read_map
from lvis_merge.labelmap.rows import EXTRA
from lvis_merge.labelmap.suggest import Suggestion, suggest_rows
from lvis_merge.labelmap.vocabulary import SourceClass, read_lvis_vocabulary
from lvis_merge.labelmap.wordnet import read_wordnet
from tests.labelmap.mini_wordnet import write_wordnet
from tests.labelmap.vocabularies import lvis_json

CLASSES = (
    (10, "Chopsticks"),
    (9, "Bull"),
    (2, "Mouse"),
    (3, "Flying disc"),
    (4, "Unheard-of"),
    (5, "Sun hat"),
    (6, "Storage tank"),
)


@pytest.fixture
def suggestions(tmp_path: Path) -> list[Suggestion]:
    write_wordnet(tmp_path)
    return suggest_rows(
        [SourceClass(str(number), name) for number, name in CLASSES],
        read_lvis_vocabulary([lvis_json(tmp_path / "lvis.json")]),
        wordnet=read_wordnet(tmp_path),
    )


def test_a_class_has_a_category_where_the_names_agree_with_one(
    suggestions: list[Suggestion],
) -> None:
    rows = draft_rows([SourceClass(str(n), name) for n, name in CLASSES], suggestions)
    assert [(row.source_id, row.synset, row.relation) for row in rows] == [
        ("2", None, None),  # two mice
        ("3", None, None),  # WordNet alone
        ("4", None, None),
        ("5", "sunhat.n.01", "spelling"),
        ("6", "tank.n.02", "synonym"),
        ("9", "bull.n.11", "exact"),
        ("10", "chopstick.n.01", "plural"),
    ]
    assert all(map(is_draft, rows))
    assert rows[0].note.startswith("draft: to decide: mouse_")
    assert "frisbee (frisbee.n.01): WordNet" in rows[1].note
    assert rows[2].note == "draft: no LVIS category was found"
    assert rows[5].note == "draft: same name as LVIS bull"


def test_a_pair_that_people_rejected_is_left_to_people() -> None:
    """A rejected pair has a lower score than its kind of evidence gives."""
    rejected = Suggestion("1", "Tank", "tank.n.02", "tank", "exact", 0.48, "rejected for …", "")
    (row,) = draft_rows([SourceClass("1", "Tank")], [rejected])
    assert row.synset is None
    assert "rejected for" in row.note


def test_a_draft_is_a_map_that_can_be_read_and_checked(
    suggestions: list[Suggestion], tmp_path: Path
) -> None:
    rows = draft_rows([SourceClass(str(n), name) for n, name in CLASSES], suggestions)
    path = tmp_path / "draft.csv"
    path.write_text(draft_csv(rows), encoding="utf-8")
    read = read_map(path)
    assert (read.style, list(read.rows)) == (EXTRA, rows)
    problems = check_map(path, [tmp_path / "lvis.json"])
    assert [(one.level, one.code) for one in problems] == [("warning", "draft")] * len(CLASSES)


def test_ids_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match=r"the class id '/m/b' is no whole number\. A draft is"):
        draft_rows([SourceClass("/m/b", "Bat")], [])
