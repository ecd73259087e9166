"""Hostile archives of masks: nothing of them leaves its folder, and none fills the disk."""

from __future__ import annotations

import io
import stat
import struct
import threading
import warnings
import zipfile
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.fetch.annotation_table import AnnotationFile
from lvis_merge.fetch.mask_archive import unpack_masks
from lvis_merge.fetch.trouble import Trouble
from lvis_merge.progress import Stages
from tests.fetch.fetching_files import fetch, left, packed
from tests.fetch.server import Server

GOOD = "0000000000000000_m04yx4_9a041d52.png"


def unpack(folder: Path, archive: bytes) -> Path:
    (folder / "a.zip").write_bytes(archive)
    unpack_masks(folder / "a.zip", folder / "in" / "masks", threading.Event())
    return folder / "in" / "masks"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def written(place: Path) -> list[str]:
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*"))


@pytest.mark.parametrize(
    "name",
    [
        "../out.png", "../../out.png", "/tmp/out.png", "a/b.png", "./a.png", "a/", "masks/", "..",
        "..\\out.png", "C:\\out.png", "C:out.png", ".png", ".hidden.png", "..png", "a.png/",
        "a.txt", "a.PNG", "a.png.exe", "a", "a b.png", "a\n.png", "\u0430.png", f"{'a' * 300}.png",
        "__MACOSX/._a.png",
    ],
)  # fmt: skip
def test_only_plain_names_of_png_files_are_unpacked(place: Path, name: str) -> None:
    """Rule: a name that is no plain one refuses the archive before anything is written."""
    with pytest.raises(Trouble, match="masks are PNG files without folders"):
        unpack(place, packed({GOOD: b"x", name: b"y"}))
    assert written(place) == ["a.zip", "in", "in/masks"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(place: Path, kind: int) -> None:
    """Rule: a member is a plain file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        member = zipfile.ZipInfo(GOOD)
        member.external_attr = (kind | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(Trouble, match="is a link, no file"):
        unpack(place, out.getvalue())
    assert written(place) == ["a.zip", "in", "in/masks"]


def test_two_files_of_one_name_are_refused(place: Path) -> None:
    """Rule: no member overwrites another."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(GOOD, "a")
        archive.writestr(GOOD, "b")
    with pytest.raises(Trouble, match="two files of one name"):
        unpack(place, out.getvalue())


def test_an_archive_of_nothing_is_refused(place: Path) -> None:
    """Rule: an empty folder is no folder of masks."""
    with pytest.raises(Trouble, match="the archive is empty"):
        unpack(place, packed({}))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packings_are_refused(place: Path, method: int) -> None:
    """Rule: only what zip programs write by default is unpacked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(GOOD, b"x" * 1000)
    with pytest.raises(Trouble, match=f"is packed by method {method}"):
        unpack(place, out.getvalue())


def bomb(megabytes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(megabytes):
            archive.writestr(f"{number}.png", bytes(1 << 20))
    return out.getvalue()


def test_bombs_are_refused_before_they_are_unpacked(place: Path) -> None:
    """Rule: an archive unpacks to at most 16 MiB, or 50 times its length."""
    with pytest.raises(Trouble, match=r"unpacks to 17,825,792 bytes, 16,777,216 are the most"):
        unpack(place, bomb(17))
    assert written(place) == ["a.zip", "in", "in/masks"]


def test_what_does_no_harm_is_unpacked(place: Path) -> None:
    """Rule: small archives are not bound by their length."""
    assert len(list(unpack(place, bomb(16)).iterdir())) == 16


def test_a_file_that_is_longer_than_it_says_is_cut_there(place: Path) -> None:
    """Rule: an archive cannot get round the bound by a false length."""
    archive = bytearray(bomb(1))
    directory = archive.rindex(b"PK\x01\x02")
    archive[directory + 24 : directory + 28] = struct.pack("<I", 1000)
    with pytest.raises(Trouble, match="cannot be unpacked"):
        unpack(place, bytes(archive))
    assert sum(path.stat().st_size for path in (place / "in/masks").iterdir()) <= 1000


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (6, b"\xff\xff"),  # the version that is needed
        (8, b"\x01\x00"),  # a password
        (16, b"\x00\x00\x00\x00"),  # the checksum
        (42, b"\xf0\xff\xff\x7f"),  # its place in the archive
    ],
)
def test_a_directory_that_lies_is_damage(place: Path, at: int, value: bytes) -> None:
    """Rule: whatever is wrong in an archive is told as that, not as a fault of this program."""
    archive = bytearray(packed({GOOD: bytes(100)}))
    directory = archive.rindex(b"PK\x01\x02")
    archive[directory + at : directory + at + len(value)] = value
    with pytest.raises(Trouble, match="archive"):
        unpack(place, bytes(archive))


@pytest.mark.parametrize("offset", [1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_a_place_outside_of_the_archive_is_damage(place: Path, offset: int) -> None:
    """Rule: so is a place that no file system could have."""
    archive = packed({GOOD: bytes(100)})
    directory = archive.rindex(b"PK\x01\x02")
    far = struct.pack("<HHQ", 1, 8, offset)
    entry = bytearray(archive[directory : directory + 46 + len(GOOD)])
    entry[30:32] = struct.pack("<H", len(far))
    entry[42:46] = b"\xff" * 4
    entry += far
    end = bytearray(archive[archive.rindex(b"PK\x05\x06") :])
    end[12:16] = struct.pack("<I", len(entry))
    with pytest.raises(Trouble, match="archive"):
        unpack(place, archive[:directory] + bytes(entry) + bytes(end))


def test_a_hostile_archive_leaves_nothing_and_is_told(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    """Rule: the message has the address, what is wrong and what to do."""
    server.files["m.zip"] = packed({GOOD: b"x", "../../../out.png": b"y"})
    url = f"{server.address}/m.zip"
    root = tmp_path / "a/b"
    file = AnnotationFile("oi", "m.zip", url, starts="PK", members=("*.png",))
    with pytest.raises(InputError) as told:
        fetch([file], root, stages)
    assert str(told.value) == (
        f"{url}: damaged or cut short (the archive holds '../../../out.png'; masks are PNG files"
        " without folders). Check the network and a proxy (HTTPS_PROXY). What has arrived is kept:"
        " the same command goes on."
    )
    assert left(root) == []
    assert not list(tmp_path.rglob("*.png"))
