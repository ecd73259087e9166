from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.sources import flickr
from lvis_merge.sources.flickr import flickr_photo_id


def simple(url: str | None) -> int | None:
    if url is None:
        return None
    digits, mark, _ = url.rsplit("/", 1)[-1].partition("_")
    return int(digits) if mark and re.fullmatch("[0-9]{1,18}", digits) else None


@pytest.mark.parametrize(
    ("url", "photo"),
    [
        ("https://farm4.staticflickr.com/3455/3298211238_4ee1c8bd1b_o.jpg", 3298211238),
        ("http://farm9.staticflickr.com/6197/1_e_z.jpg", 1),
        ("22_a.jpg", 22),  # no folder at all
        ("http://h/999999999999999999_a.jpg", 999999999999999999),  # 18 digits
        ("http://h/1000000000000000000_a.jpg", None),  # 19 digits
        ("http://h/000000000000000012_a.jpg", 12),
        ("http://h/12.jpg", None),  # no mark
        ("http://h/12_3/45.jpg", None),  # a mark, but not in the last part
        ("http://h/x12_a.jpg", None),
        ("http://h/12x_a.jpg", None),
        ("http://h/_a.jpg", None),
        ("http://h/1:_a.jpg", None),  # the character behind 9
        ("http://h/1/_a.jpg", None),
        ("", None),
        (None, None),
    ],
)
def test_photo_id_of_a_url(url, photo):
    # between neighbours that have one, so that nothing is taken from them
    urls = pa.array(["http://h/5_a.jpg", url, "http://h/6_b.jpg"], pa.string())
    assert flickr_photo_id(urls).to_pylist() == [5, photo, 6]


@given(
    st.lists(st.one_of(st.none(), st.text("0123456789_/ax:é", max_size=30)), max_size=12),
    st.integers(1, 5),
)
@settings(max_examples=200, deadline=None)
def test_agrees_with_plain_python_however_chunked(urls, rows):
    kept = flickr._ROWS
    flickr._ROWS = rows
    try:
        whole = pa.array(urls, pa.string())
        chunked = pa.chunked_array([whole.slice(0, 3), whole.slice(3)])
        expected = [simple(url) for url in urls]
        assert flickr_photo_id(whole).to_pylist() == expected
        assert flickr_photo_id(chunked).to_pylist() == expected
        assert flickr_photo_id(whole.cast(pa.large_string())).to_pylist() == expected
    finally:
        flickr._ROWS = kept
