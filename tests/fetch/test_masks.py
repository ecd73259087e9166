"""Instance masks of Open Images: an archive becomes a folder, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.fetch import annotations, mask_archive
from lvis_merge.fetch.annotation_table import AnnotationFile, annotation_files
from lvis_merge.fetch.lock import STATE_FOLDER
from lvis_merge.fetch.mask_archive import UnpackingStoppedError, unpack_masks
from lvis_merge.progress import Stages
from tests.fetch.fetching_files import fetch, left, packed, stop_half_way
from tests.fetch.server import Server

MASKS = {f"0{number:015x}_m04yx4_9a041d52.png": bytes([number]) * 4000 for number in range(200)}
ARCHIVE = packed(MASKS)
NAMES = sorted(f"oi/train-masks-0/{name}" for name in MASKS)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[bool]:
    """At each sync of the disk: whether the folder had its name already."""
    found: list[bool] = []
    folder = tmp_path / "oi/train-masks-0"
    monkeypatch.setattr(os, "sync", lambda: found.append(folder.exists()))
    return found


@pytest.fixture
def file(server: Server, synced: list[bool]) -> AnnotationFile:
    name = "train-masks-0.zip"
    server.files[name] = ARCHIVE
    return AnnotationFile("oi", name, f"{server.address}/{name}", starts="PK", members=("*.png",))


def check_unpacked(root: Path) -> None:
    """All masks are there and nothing else: no archive, no leftovers."""
    assert left(root) == NAMES
    assert [path.name for path in (root / STATE_FOLDER).iterdir()] == ["lock"]
    for name, content in MASKS.items():
        assert (root / "oi/train-masks-0" / name).read_bytes() == content


def test_an_archive_becomes_a_folder_and_is_gone(
    tmp_path: Path, file: AnnotationFile, server: Server, stages: Stages
) -> None:
    """Rule: the masks lie where `build` looks for them, and a finished folder is left alone."""
    found = fetch([file], tmp_path, stages)
    assert found.paths == [tmp_path / "oi/train-masks-0"]
    assert (found.there, found.bytes) == (0, len(ARCHIVE))
    check_unpacked(tmp_path)
    server.asked.clear()
    found = fetch([file], tmp_path, stages)
    assert (found.there, found.bytes, server.asked) == (1, 0, {})


def test_masks_are_on_disk_before_their_folder_has_its_name(
    tmp_path: Path, file: AnnotationFile, stages: Stages, synced: list[bool]
) -> None:
    """Rule: after a power failure a folder with its final name is whole."""
    fetch([file], tmp_path, stages)
    assert synced == [False]


def test_a_cut_archive_goes_on_in_its_middle(
    tmp_path: Path, file: AnnotationFile, server: Server, stages: Stages
) -> None:
    """Rule: a run that was ended in a download costs what had not arrived."""
    half = stop_half_way(file, tmp_path, server, stages)
    assert not (tmp_path / "oi").exists()
    found = fetch([file], tmp_path, stages)
    assert server.ranged == [f"bytes={half}-"]
    assert found.bytes == len(ARCHIVE) - half
    check_unpacked(tmp_path)


def test_what_a_killed_run_left_unpacked_is_removed(
    tmp_path: Path, file: AnnotationFile, server: Server, stages: Stages
) -> None:
    """Rule: half an unpacked folder is unpacked anew, from the archive that is there."""
    half = stop_half_way(file, tmp_path, server, stages)
    state = tmp_path / STATE_FOLDER
    with next(state.glob("*.part")).open("ab") as out:
        out.write(ARCHIVE[half:])
    for name in ("unpacking-1/train-masks-0", "unpacking-2-gone/train-masks-0"):
        (state / name).mkdir(parents=True)
        (state / name / "0_half.png").write_bytes(b"x")
    found = fetch([file], tmp_path, stages)
    assert found.bytes == 0
    check_unpacked(tmp_path)


def test_an_archive_of_a_finished_folder_is_removed(
    tmp_path: Path, file: AnnotationFile, stages: Stages
) -> None:
    """Rule: a run that was killed between the rename and the removal leaves no archive for good."""
    fetch([file], tmp_path, stages)
    part = tmp_path / STATE_FOLDER / "oi-train-masks-0.zip.part"
    part.write_bytes(ARCHIVE)
    part.with_name(part.name + ".json").write_text("{}")
    fetch([file], tmp_path, stages)
    check_unpacked(tmp_path)


def test_an_empty_folder_is_not_taken_for_a_finished_one(
    tmp_path: Path, file: AnnotationFile, stages: Stages
) -> None:
    """Rule: only a folder that holds something was fetched."""
    (tmp_path / "oi/train-masks-0").mkdir(parents=True)
    assert fetch([file], tmp_path, stages).there == 0
    check_unpacked(tmp_path)


@pytest.mark.parametrize("act", ["truncated", "html", "flipped"])
def test_a_damaged_archive_is_fetched_again(
    tmp_path: Path, file: AnnotationFile, server: Server, stages: Stages, act: str
) -> None:
    """Rule: damage is noticed by each mask's own checksum, and one more download mends it."""
    if act == "flipped":
        server.files[file.name] = ARCHIVE[:4000] + b"XXXX" + ARCHIVE[4004:]
        with pytest.raises(InputError, match=r"train-masks-0\.zip: damaged.*Bad CRC-32"):
            fetch([file], tmp_path, stages)
        assert server.asked[file.name] == 2
        assert left(tmp_path) == []
        server.files[file.name] = ARCHIVE
    else:
        server.plans[file.name] = [act]
    fetch([file], tmp_path, stages)
    check_unpacked(tmp_path)


def test_a_full_disk_is_told_and_keeps_the_archive(
    tmp_path: Path,
    file: AnnotationFile,
    server: Server,
    stages: Stages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule: once there is room, the same command goes on without another download."""
    copied: list[object] = []

    def copy(source: object, out: object) -> None:
        copied.append(out)
        if len(copied) == 50:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(mask_archive.shutil, "copyfileobj", copy)
        with pytest.raises(OSError, match="No space left") as told:
            fetch([file], tmp_path, stages)
    assert Path(told.value.filename).suffix == ".png"
    assert not (tmp_path / "oi/train-masks-0").exists()
    assert [name.rpartition("/")[2] for name in left(tmp_path)] == [
        "oi-train-masks-0.zip.part",
        "oi-train-masks-0.zip.part.json",
    ]
    assert fetch([file], tmp_path, stages).bytes == 0
    check_unpacked(tmp_path)


def test_room_is_asked_for_what_is_known(
    tmp_path: Path,
    file: AnnotationFile,
    server: Server,
    stages: Stages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule: what has arrived of a file of unknown length does not count as room for another."""
    half = stop_half_way(file, tmp_path, server, stages)
    usage = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    other = replace(file, name="other.zip", bytes=usage.free + half // 2)
    with pytest.raises(InputError, match="GB or more are needed"):
        fetch([file, other], tmp_path, stages)
    assert server.asked == {file.name: 2}


# stopped


def test_unpacking_stops_between_two_masks(tmp_path: Path) -> None:
    """Rule: Ctrl-C does not wait for a hundred thousand files."""
    stop = threading.Event()
    stop.set()
    (tmp_path / "a.zip").write_bytes(ARCHIVE)
    with pytest.raises(UnpackingStoppedError):
        unpack_masks(tmp_path / "a.zip", tmp_path / "masks", stop)
    assert list((tmp_path / "masks").iterdir()) == []


def test_a_thread_that_outlives_its_run_renames_nothing(
    tmp_path: Path, file: AnnotationFile, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: a folder that is being removed never gets the final name, not even half of it."""
    reached, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def sync() -> None:
        reached.set()
        go_on.wait(30)

    def remove(folder: Path, **options: bool) -> None:
        go_on.set()
        assert ended.wait(30)
        rmtree(folder, **options)

    rmtree = shutil.rmtree
    finish = annotations._Run._finish

    def watched(*arguments: object) -> None:
        try:
            finish(*arguments)  # type: ignore[arg-type]
        finally:
            ended.set()

    def interrupted(work: Callable[[], object]) -> None:
        """Leaves the thread behind, as the command line does after a while."""

        def run() -> None:
            with suppress(FileNotFoundError):
                run_stoppable(work)

        threading.Thread(target=run, daemon=True).start()
        assert reached.wait(30)
        raise KeyboardInterrupt

    run_stoppable = annotations.run_stoppable
    monkeypatch.setattr(os, "sync", sync)
    monkeypatch.setattr(shutil, "rmtree", remove)
    monkeypatch.setattr(annotations._Run, "_finish", watched)
    monkeypatch.setattr(annotations, "run_stoppable", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch([file], tmp_path, stages)
    assert ended.is_set()
    assert not (tmp_path / "oi/train-masks-0").exists()


# the table


@pytest.mark.parametrize("version", ["v5", "v7"])
def test_rows_of_masks(version: str) -> None:
    """Rule: 16 archives and a list for each subset, beside the version's other files."""
    plain = annotation_files(None, False, version)
    files = annotation_files(None, False, version, masks=True)
    assert files[: len(plain)] == plain
    masks = files[len(plain) :]
    assert len(masks) == 3 * 17
    folder = f"open_images_{version}"
    expected = set()
    for subset in ("train", "validation", "test"):
        expected.add(f"{folder}/{subset}-annotations-object-segmentation.csv")
        expected |= {f"{folder}/{subset}-masks-{digit:x}" for digit in range(16)}
    assert {target for file in masks for target in file.targets} == expected
    for file in masks:
        subset = file.name.partition("-")[0]
        inner = f"{subset}-masks/" if file.holds_masks else ""
        assert file.url == f"https://storage.googleapis.com/openimages/v5/{inner}{file.name}"
        assert file.holds_masks == file.name.endswith(".zip")
        assert (file.bytes, file.sha256) == (None, None)
