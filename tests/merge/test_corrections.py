"""Corrections files: what is written is read, and what is wrong is told with its row."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lvis_merge.errors import InputError
from lvis_merge.merge.corrections import (
    CORRECTION_COLUMNS,
    CategoryNames,
    Correction,
    corrections_csv,
    read_corrections,
)

HEADER = ",".join(CORRECTION_COLUMNS)
REJECTED = Correction("lvis", "9", "7", "mug", "reject")
RELABELLED = Correction("open_images", "0a", "0a:3", "/m/1", "relabel", 'a "b", c', "mug.n.04")
IMAGE = Correction("coco", "12", "", "", "reject")


def test_what_is_written_is_read_by_key() -> None:
    text = corrections_csv([RELABELLED, REJECTED, IMAGE])
    found = read_corrections(text.encode(), "c.csv")
    assert found.rows == (IMAGE, REJECTED, RELABELLED)
    assert found.numbers == (1, 2, 3)
    assert corrections_csv(found.rows) == text


def test_columns_may_stand_in_any_order_with_others() -> None:
    text = (
        "note,synset,category,action,source_label,source_annotation_id,source_image_id,source\n"
        "why, ,,reject,mug,7,9,lvis\n"
    )
    assert read_corrections(text.encode(), "c.csv").rows == (REJECTED,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c.csv: is empty"),
        ("a,b\n", "c.csv: has no column source, source_image_id"),
        (f"{HEADER}\nlvis,9\n", "c.csv, row 1: has 2 fields, not 7"),
        (f"{HEADER}\nlvis,9,7,mug,remove,,\n", "row 1: action 'remove' is not reject or relabel"),
        (f"{HEADER}\n,9,7,mug,reject,,\n", "row 1: source or source_image_id is empty"),
        (f"{HEADER}\nlvis,9,7,mug,relabel,,\n", "row 1: relabel needs a category"),
        (f"{HEADER}\nlvis,9,,,relabel,cup,\n", "row 1: relabel needs a source_annotation_id"),
        # one box, two wishes
        (
            f"{HEADER}\nlvis,9,7,mug,reject,,\n\nlvis,9,7,mug,relabel,cup,\n",
            "row 2: row 1 corrects the same",
        ),
    ],
)
def test_a_bad_file_is_told(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_corrections(text.encode(), "c.csv")


CATEGORIES = pa.table(
    {
        "category_id": [1, 2, 3],
        "name": ["mug", "cup", "mug"],
        "synset": ["mug.n.04", "cup.n.01", None],
    }
)


@pytest.mark.parametrize(
    ("name", "synset", "found"),
    [
        ("cup", "", 2),
        ("nothing", "mug.n.04", 1),
        # the synset goes first
        ("cup", "mug.n.04", 1),
        # a synset that this release lacks: the name
        ("cup", "gone.n.01", 2),
        # of two of one name the first
        ("mug", "", 1),
        ("plate", "", None),
    ],
)
def test_categories_are_found_by_synset_then_name(
    name: str, synset: str, found: int | None
) -> None:
    assert CategoryNames(CATEGORIES).find(name, synset) == found
