"""Tags become corrections: names looked up, contradictions told, an earlier file carried on."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from lvis_merge.curate.corrected import curated
from lvis_merge.curate.tags import Tag
from lvis_merge.errors import InputError
from lvis_merge.merge.corrections import Correction

CATEGORIES = pa.table(
    {"category_id": [1, 2], "name": ["mug", "cup"], "synset": ["mug.n.04", "cup.n.01"]}
)
BOX = Tag("lvis", "9", "7", "mug", "reject")
TO_CUP = replace(BOX, action="relabel", name="cup")
IMAGE = Tag("lvis", "9", "", "", "reject")
REJECTED = Correction("lvis", "9", "7", "mug", "reject")
MADE_CUP = Correction("lvis", "9", "7", "mug", "relabel", "cup", "cup.n.01")


@pytest.mark.parametrize(
    ("tags", "rows"),
    [
        ([], ()),
        ([BOX], (REJECTED,)),
        ([TO_CUP], (MADE_CUP,)),
        # by synset too
        ([replace(TO_CUP, name="cup.n.01")], (MADE_CUP,)),
        # in two data sets of one manifest
        ([TO_CUP, TO_CUP], (MADE_CUP,)),
        # both wishes, in either order: it is left out
        ([TO_CUP, BOX], (REJECTED,)),
        ([BOX, TO_CUP], (REJECTED,)),
        # an image and a box on it are two things
        ([IMAGE, BOX], (Correction("lvis", "9", "", "", "reject"), REJECTED)),
        # a box without a category
        ([replace(TO_CUP, has_category=False)], ()),
    ],
)
def test_tags_become_rows(tags: list[Tag], rows: tuple[Correction, ...]) -> None:
    assert curated(tags, CATEGORIES, ()).rows == rows


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (
            [replace(TO_CUP, name="cupp")],
            r"relabel:cupp, and the .* no such category: did you mean",
        ),
        ([replace(TO_CUP, name="")], "is tagged relabel:, and the manifest has no such category"),
        ([TO_CUP, replace(TO_CUP, name="mug")], "is tagged relabel:cup and relabel:mug"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_box(tags: list[Tag], message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        curated(tags, CATEGORIES, ())
    assert str(told.value).startswith("lvis image 9, box 7 (mug): ")


def test_an_earlier_file_is_carried_on() -> None:
    """Its boxes may be gone from the manifest, because it was applied."""
    other = replace(REJECTED, source_annotation_id="8")
    again = replace(REJECTED, source_annotation_id="6")
    tags = [TO_CUP, replace(BOX, box="6"), replace(BOX, box="5")]
    found = curated(tags, CATEGORIES, [other, REJECTED, again])
    assert [row.source_annotation_id for row in found.rows] == ["5", "6", "7", "8"]
    assert found.rows[2] == MADE_CUP
    assert (found.new, found.changed, found.carried) == (1, 1, 2)
