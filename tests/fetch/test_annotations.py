"""Annotation files: resumed, checked, and readable by `build` in the end."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.fetch.annotation_table import AnnotationFile, annotation_files
from lvis_merge.fetch.lock import STATE_FOLDER
from lvis_merge.progress import Stages
from lvis_merge.sources.files import read_all
from lvis_merge.sources.open_images.folder import find_files
from tests.fetch.fetching_files import fetch, left, packed, stop_half_way
from tests.fetch.server import PAGE, Server

CSV = b"ImageID,Source,LabelName\n" + b"0001,x,/m/1\n" * 300_000
JSON = json.dumps({"images": [], "annotations": [{"id": n} for n in range(50_000)]}).encode()


LVIS = packed({"lvis_v0.5_val.json": JSON, "__MACOSX/._lvis_v0.5_val.json": b"x"})
COCO = packed(
    {
        "annotations/instances_train2017.json": JSON,
        "annotations/captions_train2017.json": b"{}",
        "annotations/instances_val2017.json": b'{"images": []}',
    }
)


@pytest.fixture
def files(server: Server) -> list[AnnotationFile]:
    server.files.update({"d/boxes.csv": CSV, "d/lvis.json.zip": LVIS, "d/coco.zip": COCO})
    at = f"{server.address}/d"
    return [
        AnnotationFile("oi", "boxes.csv", f"{at}/boxes.csv", starts="ImageID,"),
        AnnotationFile("", "lvis.json.zip", f"{at}/lvis.json.zip", len(LVIS), starts="PK"),
        AnnotationFile("", "coco.zip", f"{at}/coco.zip", starts="PK", members=(
            "annotations/instances_train2017.json", "annotations/instances_val2017.json")),
    ]  # fmt: skip


def test_files_are_there_as_build_reads_them(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages
) -> None:
    found = fetch(files, tmp_path, stages)
    expected = [
        "oi/boxes.csv", "lvis.json.zip", "instances_train2017.json", "instances_val2017.json",
    ]  # fmt: skip
    assert found.paths == [tmp_path / name for name in expected]
    assert left(tmp_path) == sorted(expected)
    assert (tmp_path / "oi/boxes.csv").read_bytes() == CSV
    assert read_all(tmp_path / "lvis.json.zip", ".json") == JSON
    assert (tmp_path / "instances_train2017.json").read_bytes() == JSON
    assert found.bytes == len(CSV) + len(LVIS) + len(COCO)
    # nothing is asked for again
    server.asked.clear()
    found = fetch(files, tmp_path, stages)
    assert (found.there, found.bytes, server.asked) == (3, 0, {})


@pytest.mark.parametrize("act", ["cut", "stall", "503", "drop"])
def test_a_cut_download_goes_on_in_its_middle(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages, act: str
) -> None:
    server.plans["d/boxes.csv"] = [act]
    fetch(files[:1], tmp_path, stages)
    assert (tmp_path / "oi/boxes.csv").read_bytes() == CSV
    assert server.asked["d/boxes.csv"] == 2
    # only the rest was asked for, where there was a beginning
    begun = act in ("cut", "stall")
    assert [int(asked.strip("bytes=-")) > 1_000_000 for asked in server.ranged] == [True] * begun


def test_the_next_run_goes_on_too(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages
) -> None:
    half = stop_half_way(files[0], tmp_path, server, stages)
    found = fetch(files[:1], tmp_path, stages)
    assert server.ranged == [f"bytes={half}-"]
    assert found.bytes == len(CSV) - half
    assert (tmp_path / "oi/boxes.csv").read_bytes() == CSV
    assert left(tmp_path) == ["oi/boxes.csv"]


@pytest.mark.parametrize(
    "change", ["no ranges", "other etag", "other length", "shorter", "no note"]
)
def test_where_going_on_would_glue_two_files_it_starts_over(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages, change: str
) -> None:
    stop_half_way(files[0], tmp_path, server, stages)
    new = b"ImageID,Source\n" + b"2,y\n" * 1_000_000
    if change == "no ranges":
        server.ranges, new = False, CSV
    elif change == "other etag":
        server.etag, new = '"two"', CSV.replace(b"/m/1", b"/m/2")
    elif change == "shorter":
        new = new[:1000]
    elif change == "no note":
        [note] = (tmp_path / STATE_FOLDER).glob("*.part.json")
        note.write_text("{")
        new = CSV
    server.files["d/boxes.csv"] = new
    fetch(files[:1], tmp_path, stages)
    assert (tmp_path / "oi/boxes.csv").read_bytes() == new
    assert left(tmp_path) == ["oi/boxes.csv"]


def test_a_file_that_changes_at_every_request_is_given_up(
    tmp_path: Path,
    files: list[AnnotationFile],
    server: Server,
    stages: Stages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # two servers behind one name, each with an ETag of its own, that cut connections too
    etag = property(lambda state: f'"{sum(state.asked.values())}"', lambda state, value: None)
    monkeypatch.setattr(Server, "etag", etag)
    server.plans["d/boxes.csv"] = ["cut", "well"] * 50
    with pytest.raises(InputError, match=r"changed meanwhile|cut"):
        fetch(files[:1], tmp_path, stages)
    assert server.asked["d/boxes.csv"] < 50


def test_a_whole_file_that_was_not_checked_yet_is_not_fetched_again(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages
) -> None:
    half = stop_half_way(files[1], tmp_path, server, stages)
    [part] = (tmp_path / STATE_FOLDER).glob("*.part")
    with part.open("ab") as out:
        out.write(LVIS[half:])
    found = fetch(files[1:2], tmp_path, stages)
    assert found.bytes == 0
    assert (tmp_path / "lvis.json.zip").read_bytes() == LVIS


def locked(archive: bytes) -> bytes:
    """Sets the flag that says that members need a password, at both places of the first."""
    directory = archive.rindex(b"PK\x01\x02")
    changed = bytearray(archive)
    changed[6] |= 1
    changed[directory + 8] |= 1
    return bytes(changed)


LOCKED = locked(LVIS)

# what a file may be that it should not be, and what is said of it
WRONG = {
    "a page": (PAGE, "", "no image|begins with"),
    "a damaged archive": (LVIS[:4000] + b"XXXX" + LVIS[4004:], "", "damaged"),
    "half an archive": (LVIS[: len(LVIS) // 2], "", "damaged"),
    "a locked archive": (LOCKED, "", "damaged.*encrypted"),
    "another file": (LVIS, "0" * 64, "its sha256 is .*, the published one 0000"),
}


@pytest.mark.parametrize(("content", "sha256", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_gets_no_name(
    tmp_path: Path,
    files: list[AnnotationFile],
    server: Server,
    stages: Stages,
    content: bytes,
    sha256: str,
    message: str,
) -> None:
    server.files["d/lvis.json.zip"] = content
    with pytest.raises(InputError, match=message):
        fetch([replace(files[1], sha256=sha256 or None)], tmp_path, stages)
    assert server.asked["d/lvis.json.zip"] == 2
    assert left(tmp_path) == []


def test_a_checksum_that_fits(tmp_path: Path, files: list[AnnotationFile], stages: Stages) -> None:
    sha256 = hashlib.sha256(LVIS).hexdigest()
    fetch([replace(files[1], sha256=sha256)], tmp_path, stages)
    assert (tmp_path / "lvis.json.zip").read_bytes() == LVIS


def test_an_archive_without_its_files(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages
) -> None:
    server.files["d/coco.zip"] = packed({"annotations/instances_train2017.json": b"{}"})
    with pytest.raises(InputError, match=r"instances_val2017\.json cannot be unpacked"):
        fetch(files[2:], tmp_path, stages)


def test_files_that_look_cut_are_fetched_again(
    tmp_path: Path, files: list[AnnotationFile], stages: Stages
) -> None:
    fetch(files, tmp_path, stages)
    for name in ("lvis.json.zip", "instances_train2017.json"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-50])
    found = fetch(files, tmp_path, stages)
    assert found.there == 1
    assert read_all(tmp_path / "lvis.json.zip", ".json") == JSON
    assert (tmp_path / "instances_train2017.json").read_bytes() == JSON


def test_no_room_is_told_first(
    tmp_path: Path, files: list[AnnotationFile], server: Server, stages: Stages
) -> None:
    with pytest.raises(InputError, match=r"GB are free, and 9000000\.0 GB or more are needed"):
        fetch([replace(files[1], bytes=9 * 10**15)], tmp_path, stages)
    assert not server.asked


# the table


@pytest.mark.parametrize("version", ["v5", "v7"])
def test_a_version_of_open_images_is_a_folder_that_build_reads(
    tmp_path: Path, version: str
) -> None:
    files = annotation_files(None, False, version)
    assert {file.folder for file in files} == {f"open_images_{version}"}
    folder = tmp_path / f"open_images_{version}"
    folder.mkdir()
    for file in files:
        (tmp_path / file.targets[0]).write_text("x")
    found = find_files(str(folder))
    used = {found.classes, found.hierarchy}
    for subset in found.subsets:
        used |= {*subset.boxes, *subset.images, *subset.labels}
    assert len(found.subsets) == 3
    assert {Path(str(path)).name for path in used} == {file.name for file in files}


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("v0.5", ["lvis_v0.5_train.json.zip", "lvis_v0.5_val.json.zip",
                  "lvis_v0.5_image_info_test.json.zip"]),
        ("v1", ["lvis_v1_train.json.zip", "lvis_v1_val.json.zip",
                "lvis_v1_image_info_test_dev.json.zip"]),
    ],
)  # fmt: skip
def test_lvis_files(version: str, names: list[str]) -> None:
    assert [file.name for file in annotation_files(version, False, None)] == names


def test_every_row_of_the_table_is_in_order() -> None:
    files = [
        *annotation_files("v0.5", True, "v5"),
        *annotation_files("v1", False, "v7"),
    ]
    assert len({target for file in files for target in file.targets}) == 3 + 2 + 11 + 3 + 11
    for file in files:
        assert file.url.startswith(("https://", "http://images.cocodataset.org/"))
        assert file.url.endswith(f"/{file.name}")
        assert file.starts
        assert file.sha256 is None or (len(file.sha256) == 64 and file.bytes)
