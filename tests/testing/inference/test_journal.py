"""What was found is on disk at once, and what a crash cut off is not read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.evaluation.detections import Detections
from lvis_merge.testing.inference.journal import ImageRecord, Journal, JournalWriter, journal_writer


def detections(image_id: int, count: int) -> Detections:
    draw = np.random.default_rng(image_id)
    return Detections(
        entry=np.arange(1, count + 1),
        image_id=np.full(count, image_id),
        category_id=draw.integers(1, 1231, count),
        score=draw.random(count),
        bbox=draw.random((count, 4)) * 640,
        mask=None,
    )


def record(image_id: int, count: int = 3, masks: int = 2) -> ImageRecord:
    texts = [f"mask{number}".encode() for number in range(masks)]
    return ImageRecord.of(image_id, detections(image_id, count), masks, texts)


def test_what_was_written_is_read_in_the_order_asked_for(tmp_path: Path) -> None:
    for rank, ids in enumerate([(5, 1), (9,)]):
        with journal_writer(tmp_path, rank) as journal:
            for image_id in ids:
                journal.write(record(image_id))
    found = Journal(tmp_path)
    assert found.image_ids == {1, 5, 9}
    for one, image_id in zip(found.records([9, 1, 5]), [9, 1, 5], strict=True):
        expected = detections(image_id, 3)
        whole = one.detections()
        for name in ("image_id", "category_id", "score", "bbox"):
            assert (getattr(whole, name) == getattr(expected, name)).all(), name
        best = one.detections(one.results, masks=True)
        assert len(best) == 2
        assert best.mask is not None
        assert best.mask.to_pylist() == ["mask0", "mask1"]


def test_an_image_without_detections_is_done(tmp_path: Path) -> None:
    with journal_writer(tmp_path, 0) as journal:
        journal.write(record(7, count=0, masks=0))
    found = Journal(tmp_path)
    assert found.image_ids == {7}
    assert len(next(found.records([7])).detections()) == 0


@given(st.data())
def test_a_journal_that_was_cut_off_keeps_what_is_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    ends = []
    with journal_writer(folder, 0) as journal:
        for image_id in range(4):
            journal.write(record(image_id, count=image_id))
            ends.append((folder / "0-0.journal").stat().st_size)
    path = folder / "0-0.journal"
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)), label="bytes left")
    path.write_bytes(whole[:cut])
    assert Journal(folder).image_ids == {i for i, end in enumerate(ends) if end <= cut}


@given(st.data())
def test_a_garbled_record_is_not_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    with journal_writer(folder, 0) as journal:
        journal.write(record(1))
    path = folder / "0-0.journal"
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1), label="byte")
    whole[place] ^= data.draw(st.integers(1, 255), label="changed by")
    path.write_bytes(bytes(whole))
    assert Journal(folder).image_ids == set()


def test_each_start_has_a_journal_of_its_own(tmp_path: Path) -> None:
    """A journal with a torn end is never appended to: what follows it could not be read."""
    for image_id in range(3):
        with journal_writer(tmp_path, 0) as journal:
            journal.write(record(image_id))
    assert len(list(tmp_path.iterdir())) == 3
    assert Journal(tmp_path).image_ids == {0, 1, 2}


def test_a_full_disk_is_told() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(InputError, match=r"cannot be written.*Make room"),
    ):
        JournalWriter(full).write(record(1))
