"""The Arrow copy: made once, never stale, never half, removed when nobody uses it."""

import multiprocessing
import os
import pickle
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from lvis_merge.errors import InputError
from lvis_merge.training.data import ManifestDataset, copies
from tests.manifest.small_rows import categories
from tests.training.small_manifest import annotations, write_small_manifest

OBJECTS = 11  # on the train images of the small manifest


@pytest.fixture
def world(tmp_path):
    return write_small_manifest(tmp_path / "world")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def kept(cache):
    """Names of the copies in a cache, whole or not."""
    return sorted(path.name for path in (cache / "manifests").iterdir() if path.is_dir())


def forbid_writing(monkeypatch):
    def refuse(manifest, folder):
        raise AssertionError("the copy was made again")

    monkeypatch.setattr(copies, "write_copy", refuse)


def test_the_second_open_reads_the_copy(world, cache, monkeypatch):
    first = ManifestDataset(world.manifest, cache_dir=cache)
    forbid_writing(monkeypatch)
    second = ManifestDataset(world.manifest, split="val", cache_dir=cache)
    assert len(first) == 4
    assert second.image_ids.tolist() == [139]
    assert kept(cache) == [copies.manifest_key(world.manifest)]


def test_columns_are_mapped_not_read(world, cache):
    dataset = ManifestDataset(world.manifest, cache_dir=cache)
    maps = open(f"/proc/{os.getpid()}/maps").read()  # noqa: PTH123, SIM115
    assert str(dataset._copy.folder / "annotations.arrow") in maps
    columns = dataset._columns
    for array in (columns.bbox, columns.polygons.points, columns.label, columns.image_id):
        assert not array.flags.owndata
        assert not array.flags.writeable


# what is done to a manifest of which a copy is kept
CHANGES = {
    "another manifest in its place": lambda world: write_small_manifest(
        world.manifest.parent, annotations=annotations()[:6]
    ),
    "a table changed by hand": lambda world: pq.write_table(
        pq.read_table(world.manifest / "annotations.parquet").slice(0, 6),
        world.manifest / "annotations.parquet",
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_manifest_is_never_served_stale(world, cache, change):
    assert len(ManifestDataset(world.manifest, cache_dir=cache).object_image) == OBJECTS
    change(world)
    assert len(ManifestDataset(world.manifest, cache_dir=cache).object_image) == 3


def test_an_unused_copy_of_a_replaced_manifest_is_removed(world, cache):
    ManifestDataset(world.manifest, cache_dir=cache)
    CHANGES["another manifest in its place"](world)
    ManifestDataset(world.manifest, cache_dir=cache)
    assert kept(cache) == [copies.manifest_key(world.manifest)]


def test_a_copy_in_use_stays_and_workers_still_open_it(world, cache):
    running = ManifestDataset(world.manifest, cache_dir=cache)
    CHANGES["another manifest in its place"](world)
    after = ManifestDataset(world.manifest, cache_dir=cache)
    assert len(kept(cache)) == 2
    worker = pickle.loads(pickle.dumps(running))
    assert len(worker.object_image) == OBJECTS
    assert len(after.object_image) == 3


def test_copies_of_other_manifests_stay_until_those_are_gone(world, cache, tmp_path):
    ManifestDataset(world.manifest, cache_dir=cache)
    other = write_small_manifest(tmp_path / "other", annotations=annotations()[:6])
    ManifestDataset(other.manifest, cache_dir=cache)
    assert len(kept(cache)) == 2
    world.manifest.rename(tmp_path / "aside")
    third = write_small_manifest(tmp_path / "third", annotations=annotations()[:7])
    ManifestDataset(third.manifest, cache_dir=cache)
    assert len(kept(cache)) == 2


def test_a_worker_does_not_take_another_manifest_for_its_own(world, cache):
    data = pickle.dumps(ManifestDataset(world.manifest, cache_dir=cache))
    CHANGES["another manifest in its place"](world)
    ManifestDataset(world.manifest, cache_dir=cache)
    with pytest.raises(InputError, match="was replaced by another manifest"):
        pickle.loads(data)


def _open_at(start, manifest, cache, written, sizes):
    """One of several processes that open a manifest at the same moment."""
    original = copies.write_copy

    def counted(*args):
        with written.open("a") as file:
            file.write(".")
        time.sleep(0.2)  # the others come to the lock meanwhile
        original(*args)

    copies.write_copy = counted
    start.wait()
    sizes.put(len(ManifestDataset(manifest, cache_dir=cache).object_image))


def test_processes_that_open_at_once_make_one_copy(world, cache, tmp_path):
    context = multiprocessing.get_context("fork")
    start, sizes, written = context.Event(), context.Queue(), tmp_path / "written"
    ranks = [
        context.Process(target=_open_at, args=(start, world.manifest, cache, written, sizes))
        for _ in range(4)
    ]
    for rank in ranks:
        rank.start()
    start.set()
    assert [sizes.get(timeout=30) for _ in ranks] == [OBJECTS] * 4
    for rank in ranks:
        rank.join()
    assert written.read_text() == "."
    assert kept(cache) == [copies.manifest_key(world.manifest)]


def _die_while_writing(manifest, cache, step):
    """Stops as kill -9 does, at a step of the writing."""
    setattr(copies, step, lambda *args: os._exit(9))
    ManifestDataset(manifest, cache_dir=cache)


@pytest.mark.parametrize("step", ["write_copy", "_sync"], ids=["no table yet", "all tables"])
def test_killed_while_writing_nothing_looks_complete(world, cache, step):
    context = multiprocessing.get_context("fork")
    rank = context.Process(target=_die_while_writing, args=(world.manifest, cache, step))
    rank.start()
    rank.join()
    assert rank.exitcode == 9
    (left,) = kept(cache)
    assert left != copies.manifest_key(world.manifest)
    assert len(ManifestDataset(world.manifest, cache_dir=cache).object_image) == OBJECTS
    assert kept(cache) == [copies.manifest_key(world.manifest)]


def test_a_folder_that_is_no_copy_gives_way(world, cache):
    (cache / "manifests" / copies.manifest_key(world.manifest)).mkdir(parents=True)
    assert len(ManifestDataset(world.manifest, cache_dir=cache).object_image) == OBJECTS


def test_a_failed_write_leaves_nothing(world, cache, monkeypatch):
    def fail(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "_sync", fail)
    with pytest.raises(InputError, match=r"No space left.*LVIS_MERGE_CACHE"):
        ManifestDataset(world.manifest, cache_dir=cache)
    assert kept(cache) == []


def test_a_cache_that_cannot_be_made_is_an_error(world, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="LVIS_MERGE_CACHE"):
        ManifestDataset(world.manifest, cache_dir=tmp_path / "file")


def test_a_damaged_copy_says_what_to_remove(world, cache):
    ManifestDataset(world.manifest, cache_dir=cache)
    folder = cache / "manifests" / copies.manifest_key(world.manifest)
    (folder / "annotations.arrow").write_bytes(b"ARROW1\0\0")
    with pytest.raises(InputError, match=f"{folder.name}.*Remove that folder"):
        ManifestDataset(world.manifest, cache_dir=cache)


def test_where_copies_are_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("LVIS_MERGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert copies.copies_folder() == tmp_path / "xdg/lvis-merge/manifests"
    monkeypatch.setenv("LVIS_MERGE_CACHE", str(tmp_path / "own"))
    assert copies.copies_folder() == tmp_path / "own/manifests"
    assert copies.copies_folder(tmp_path / "given") == tmp_path / "given/manifests"
    monkeypatch.delenv("LVIS_MERGE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert copies.copies_folder() == tmp_path / ".cache/lvis-merge/manifests"


def rows_with(change):
    rows = annotations()
    change(rows)
    return {"annotations": rows}


# rows that no build writes, and what the message says
DAMAGED = {
    "an object of no category": (
        rows_with(lambda rows: rows[0].update(category_id=77)),
        "an object has no category",
    ),
    "rows out of order": (rows_with(lambda rows: rows.reverse()), "not in the order"),
    "a row of no image": (
        rows_with(lambda rows: rows[-1].update(image_id=2**52 + 2**51)),
        "images.parquet lacks",
    ),
    "an ignore row without a reason": (
        rows_with(lambda rows: rows[3].update(ignore_reason=None)),
        "no known reason",
    ),
}


@pytest.mark.parametrize(("replaced", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_table_is_an_error(tmp_path, cache, replaced, message):
    world = write_small_manifest(tmp_path / "world", **replaced)
    with pytest.raises(InputError, match=rf"annotations.parquet: .*{message}.*validate"):
        ManifestDataset(world.manifest, cache_dir=cache)
    assert kept(cache) == []


def test_a_missing_table_is_an_error(world, cache):
    (world.manifest / "images.parquet").unlink()
    with pytest.raises(InputError, match=r"images\.parquet: missing"):
        ManifestDataset(world.manifest, cache_dir=cache)


def test_a_manifest_without_annotations_opens(tmp_path, cache):
    world = write_small_manifest(tmp_path / "world", annotations=[])
    dataset = ManifestDataset(world.manifest, keep_empty=True, cache_dir=cache)
    assert len(dataset) == 6
    assert len(dataset.get_data_info(0)["rows"].labels) == 0
    with pytest.raises(InputError, match="no train image is left"):
        ManifestDataset(world.manifest, cache_dir=cache)


def test_evidence_of_ids_that_are_no_category_is_left_out(tmp_path, cache):
    """A corrected category list may lack ids that the lists of an image still name."""
    fewer = [row for row in categories() if row["name"] != "teddy_bear"]
    rows = [row for row in annotations() if row.get("category_id") != 3]
    world = write_small_manifest(tmp_path / "world", categories=fewer, annotations=rows)
    info = ManifestDataset(world.manifest, cache_dir=cache).get_data_info(0)
    assert info["neg_labels"].tolist() == [1]  # was teddy and kazoo
    assert info["pos_labels"].tolist() == [0, 2]
    assert info["neg_labels"].dtype == np.int64
