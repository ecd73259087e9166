"""Tables by image on disk: nothing is lost, and an image is in the same bucket of every table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.sources import buckets as buckets_module
from lvis_merge.sources.buckets import MOST_BUCKETS, Buckets, bucket_number, bucket_of
from lvis_merge.sources.open_images.ids import IMAGE_ID_OFFSET

SCHEMA = pa.schema(
    [("image_id", pa.int64()), ("id", pa.string()), ("counted", pa.list_(pa.int64()))]
)


def table_of(image_ids: list[int]) -> pa.Table:
    """Rows with texts and lists of many lengths, nulls among them."""
    return pa.table(
        {
            "image_id": image_ids,
            "id": [None if i % 5 == 0 else f"{i:x}" * (i % 3) for i in image_ids],
            "counted": [[i] * (i % 4) for i in image_ids],
        },
        schema=SCHEMA,
    )


IDS = st.integers(0, 40) | st.integers(IMAGE_ID_OFFSET, 2 * IMAGE_ID_OFFSET - 1)


@given(st.lists(st.lists(IDS, max_size=12), max_size=6), st.integers(1, 5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_the_bucket_of_its_image(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[int]], number: int, at_once: bool
) -> None:
    """Rule: in = out, however often rows are sorted out; a bucket is known from the id alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets_module, "_UNSORTED_BYTES", 1 if at_once else 1 << 30)
        buckets = Buckets(tmp_path_factory.mktemp("scratch"), SCHEMA, number)
        for part in parts:
            buckets.add(table_of(part))
        found = [buckets.read(place) for place in range(number)]
    rows = Counter(repr(row) for table in found for row in table.to_pylist())
    assert rows == Counter(repr(row) for part in parts for row in table_of(part).to_pylist())
    for place, table in enumerate(found):
        ids = table["image_id"].to_numpy()
        assert (bucket_of(ids, number) == place).all()
        # those of a part keep their order
        wanted = [i for part in parts for i in part if bucket_of(np.array([i]), number) == place]
        assert ids.tolist() == wanted


def test_a_bucket_can_be_written_as_a_whole(tmp_path: Path) -> None:
    """Rule: what is joined goes back to where it came from."""
    buckets = Buckets(tmp_path, SCHEMA.remove(0), 3)
    buckets.put(2, table_of([1, 2]).drop_columns("image_id"))
    buckets.put(2, table_of([3]).drop_columns("image_id").slice(0, 0))
    assert buckets.read(2)["counted"].to_pylist() == [[1], [2, 2]]
    assert [len(buckets.read(place)) for place in range(3)] == [0, 0, 2]


def test_cleared_buckets_begin_anew(tmp_path: Path) -> None:
    """Rule: a table that is cut anew leaves nothing of its first cutting."""
    buckets = Buckets(tmp_path, SCHEMA, 2)
    buckets.add(table_of([1, 2, 3]))
    assert sum(len(buckets.read(place)) for place in range(2)) == 3
    buckets.add(table_of([4]))
    buckets.clear()
    assert list(tmp_path.glob("*/*")) == []
    buckets.add(table_of([5]))
    assert [row for place in range(2) for row in buckets.read(place)["image_id"].to_pylist()] == [5]


def test_buckets_are_of_like_size() -> None:
    """Rule: memory holds a bucket; ids that count up, and those of real length, spread evenly."""
    for ids in (np.arange(100_000), IMAGE_ID_OFFSET + np.arange(100_000) * (1 << 20)):
        sizes = np.bincount(bucket_of(ids, 64), minlength=64)
        assert sizes.min() > 0.8 * 100_000 / 64
        assert sizes.max() < 1.2 * 100_000 / 64


@pytest.mark.parametrize(
    ("size", "number"), [(0, 1), (10**7, 1), (10**8, 2), (10**10, 150), (10**12, MOST_BUCKETS)]
)
def test_the_number_grows_with_the_files(size: int, number: int) -> None:
    """Rule: a bucket holds about as much whatever the size of the whole."""
    assert bucket_number(size) == number


def test_a_folder_that_does_not_take_them_is_told(tmp_path: Path) -> None:
    """Rule: what is wrong, where, what to do."""
    gone = tmp_path / "gone"
    with pytest.raises(InputError, match=r"gone: does not hold .* name a folder .* in TMPDIR"):
        Buckets(gone, SCHEMA, 1).put(0, table_of([1]))
