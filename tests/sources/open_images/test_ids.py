"""Image ids: hexadecimal text, and the numbers they become."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.sources.open_images.ids import IdIndex, Runs, hex_keys, manifest_image_ids

REGULAR = st.text("0123456789abcdef", min_size=16, max_size=16)
ODD = st.text("0123456789abcdefABCDEF", min_size=1, max_size=20)
IDS = st.lists(REGULAR | ODD | REGULAR.map(str.upper), max_size=12)


def strings(ids: list[str]) -> pa.Array:
    """The ids, as a slice: offsets into the text do not start at 0."""
    return pa.array(["before", *ids, "behind"], pa.string()).slice(1, len(ids))


NUMBERS = [
    # (ImageID, manifest image id)
    ("000a1249af2bc5f0", 2**52 + 0xA1249AF2BC5F0),  # the first three digits do not count
    ("fffa1249af2bc5f0", 2**52 + 0xA1249AF2BC5F0),
    ("FFFA1249AF2BC5F0", 2**52 + 0xA1249AF2BC5F0),  # upper case: the same number
    ("1f", 2**52 + 0x1F),  # short
    ("abcd000a1249af2bc5f0", 2**52 + 0xA1249AF2BC5F0),  # 20 digits
    ("0000000000000000", 2**52),
    ("ffffffffffffffff", 2**53 - 1),
]


@pytest.mark.parametrize(("image", "number"), NUMBERS)
def test_the_manifest_id_is_2_to_the_52_plus_the_id_mod_2_to_the_52(
    image: str, number: int
) -> None:
    """Rule: ids of Open Images images lie in [2^52, 2^53)."""
    assert manifest_image_ids(pa.array([image])).tolist() == [number]


@given(IDS)
@settings(max_examples=200, deadline=None)
def test_numbers_are_those_of_python_int(ids: list[str]) -> None:
    """Rule: the id read as a hexadecimal number, however long and in whatever case."""
    assert manifest_image_ids(strings(ids)).tolist() == [2**52 + int(i, 16) % 2**52 for i in ids]
    keys, regular = hex_keys(strings(ids))
    is_regular = [len(i) == 16 and i == i.lower() for i in ids]
    assert regular.tolist() == is_regular
    assert keys.tolist() == [int(i, 16) if r else 0 for i, r in zip(ids, is_regular, strict=True)]


@given(IDS, IDS)
@settings(max_examples=200, deadline=None)
def test_an_id_is_found_as_the_text_it_is(known: list[str], asked: list[str]) -> None:
    """Rule: ids are compared as text, case and leading zeros too."""
    known = list(dict.fromkeys(known))
    asked = [*asked, *known]
    index = IdIndex(strings(known), np.arange(len(known)) * 10)
    expected = [known.index(i) * 10 if i in known else -1 for i in asked]
    assert index.find(strings(asked)).tolist() == expected


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=20))
@settings(max_examples=100, deadline=None)
def test_runs_are_neighbouring_rows_of_one_image(ids: list[str]) -> None:
    """Rule: runs, put one after the other, are the rows; neighbours differ."""
    runs = Runs.of(pa.array(ids, pa.string()))
    names = runs.ids.to_pylist()
    assert [n for n, k in zip(names, runs.lengths, strict=True) for _ in range(k)] == ids
    assert all(a != b for a, b in itertools.pairwise(names))
    assert runs.starts.tolist() == [0, *runs.stops.tolist()][: len(names)]
