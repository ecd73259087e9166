"""What is known of one image of an extra source: the rules one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from lvis_merge.merge import extra_evidence as module
from lvis_merge.merge.extra_evidence import ExtraRows, MappedClasses, Stated, extra_evidence
from lvis_merge.sources.tables import IDS

# classes 10 -> category 1; 20 and 21 -> category 2; 30 -> category 3, which has another class that
# the file lacks; 99 is unmapped
MAPPED = MappedClasses(np.array([10, 20, 21, 30]), np.array([1, 2, 2, 3]), np.array([3]))
OBJECT, CROWD = True, False


@dataclass(frozen=True)
class Case:
    """One image: rows as (class, is it an object), and what else is said."""

    rows: tuple[tuple[int, bool], ...] = ()
    bad: tuple[int, ...] = ()
    absent: list[int] | None = None
    partial: list[int] | None = None
    exhaustive: bool = False


@pytest.mark.parametrize(
    ("case", "pos", "neg", "not_exhaustive"),
    [
        # nothing is said: nothing is assumed
        (Case(((10, OBJECT),)), [1], [], [1]),
        # the file has a list of what is annotated in part: the rest is complete
        (Case(((10, OBJECT),), partial=[]), [1], [], []),
        (Case(((10, OBJECT),), partial=[10]), [1], [], [1]),
        (Case(((20, OBJECT),), partial=[21]), [2], [], [2]),
        # a class listed and not annotated says nothing
        (Case(((10, OBJECT),), partial=[20]), [1], [], []),
        # absent: all classes of a category, and no row of one
        (Case(absent=[10]), [], [1], []),
        (Case(absent=[20]), [], [], []),
        (Case(absent=[20, 21, 20]), [], [2], []),
        (Case(((21, OBJECT),), absent=[20, 21]), [2], [], [2]),
        (Case(bad=(20,), absent=[20, 21]), [], [], []),
        (Case(absent=[99, -1, 12345]), [], [], []),
        # a class that the file lacks could be there
        (Case(absent=[30]), [], [], []),
        (Case(exhaustive=True), [], [1, 2], []),
        (Case(((30, OBJECT),), exhaustive=True), [3], [1, 2], [3]),
        # the user vouches for the set
        (Case(((10, OBJECT),), exhaustive=True), [1], [2], []),
        (Case(((10, OBJECT),), partial=[10], exhaustive=True), [1], [2], [1]),
        (Case(((10, CROWD), (10, OBJECT)), exhaustive=True), [1], [2], [1]),
        (Case(((10, CROWD),)), [1], [], [1]),
        # a bad row is an instance without a row
        (Case(((10, OBJECT),), bad=(10,), exhaustive=True), [1], [2], [1]),
        (Case(((10, OBJECT),), bad=(20,), exhaustive=True), [1], [], []),
        (Case(((10, OBJECT),), bad=(99,), exhaustive=True), [1], [2], []),
        # of a bad row without a class nobody knows what it was
        (Case(((10, OBJECT),), bad=(-1,), exhaustive=True), [1], [], [1]),
        (Case(((10, OBJECT),), bad=(-1,), absent=[20, 21], partial=[]), [1], [], [1]),
    ],
)
def test_what_is_known_of_an_image(
    case: Case, pos: list[int], neg: list[int], not_exhaustive: list[int]
) -> None:
    found = evidence([Case(), case, Case()], case.exhaustive)
    assert [column[1].as_py() for column in found] == [pos, neg, not_exhaustive]


def test_images_are_worked_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [Case(((10, OBJECT),)), Case(bad=(-1,)), Case(((20, OBJECT),)), Case()] * 3
    whole = evidence(cases, exhaustive=True)
    monkeypatch.setattr(module, "_IMAGES_AT_ONCE", 5)
    assert evidence(cases, exhaustive=True) == whole
    assert whole[1].to_pylist() == [[2], [], [1], [1, 2]] * 3


def evidence(cases: list[Case], exhaustive: bool) -> list[pa.Array]:
    """pos, neg, not_exhaustive."""
    rows = [(n, label, kind) for n, case in enumerate(cases) for label, kind in case.rows]
    bad = [(n, label) for n, case in enumerate(cases) for label in case.bad]
    found = extra_evidence(
        ExtraRows(
            np.array([image for image, _, _ in rows], np.int64),
            MAPPED.of(np.array([label for _, label, _ in rows], np.int64)),
            np.array([kind for _, _, kind in rows], bool),
        ),
        Stated(
            pa.array([case.absent for case in cases], IDS),
            pa.array([case.partial for case in cases], IDS),
            np.array([row[:2] for row in rows], np.int64).reshape(-1, 2),
            np.array(bad, np.int64).reshape(-1, 2),
        ),
        MAPPED,
        exhaustive,
    )
    return [found.pos, found.neg, found.not_exhaustive]
