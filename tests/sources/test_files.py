"""Input files: plain or packed, local or behind a URL."""

from __future__ import annotations

import gzip
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources.files import (
    InputRecord,
    base_name,
    hash_file,
    is_remote,
    local_files,
    read_all,
    unpacked,
)

CONTENT = b'{"a": 1}\n' * 500


def packed(folder: Path, how: str) -> Path:
    path = folder / f"f.json{how}"
    if how == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside/f.json", CONTENT)
            archive.writestr("__MACOSX/inside/._f.json", b"resource fork")
            archive.writestr("README.txt", b"other")
    else:
        path.write_bytes(gzip.compress(CONTENT) if how == ".gz" else CONTENT)
    return path


@pytest.mark.parametrize("how", ["", ".gz", ".zip"])
def test_a_file_reads_alike_plain_and_packed(tmp_path: Path, how: str) -> None:
    """Rule: .gz and .zip are unpacked on the way; a plain file is used where it is."""
    path = packed(tmp_path, how)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert read_all(path, ".json") == CONTENT
    plain = unpacked(path, ".json", scratch)
    assert plain.read_bytes() == CONTENT
    assert (plain == path) == (how == "")


def test_the_hash_is_that_of_the_file_as_given(tmp_path: Path) -> None:
    """Rule: size and sha256 as given, still packed."""
    path = packed(tmp_path, ".gz")
    data = path.read_bytes()
    assert hash_file(path, "lvis", "f.json.gz") == InputRecord(
        "lvis", "f.json.gz", len(data), hashlib.sha256(data).hexdigest()
    )


def message_of(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_all(path, ".json")
    assert error.value.exit_code == 3
    return str(error.value)


@pytest.mark.parametrize("names", [[], ["a.json", "b/c.json"], ["a.txt"], ["__MACOSX/a.json"]])
def test_a_zip_holds_exactly_one_such_file(tmp_path: Path, names: list[str]) -> None:
    """Rule: which of several is meant is not guessed."""
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    number = 2 if len(names) == 2 else 0
    assert message_of(path) == (
        f"{path}: holds {number} files that end in .json, expected one."
        " Unpack it and give the file."
    )


CUT_OR_DAMAGED = ["cut", "flipped in the middle", "not packed at all", "cut at the end"]


@pytest.mark.parametrize("how", [".gz", ".zip"])
@pytest.mark.parametrize("damage", CUT_OR_DAMAGED)
def test_a_damaged_archive_is_one_message(tmp_path: Path, how: str, damage: str) -> None:
    """Rule: a truncated or damaged download is told, with what to do."""
    path = packed(tmp_path, how)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "cut at the end":
        data = data[:-3]
    elif damage == "not packed at all":
        data = bytearray(CONTENT)
    else:
        place = data.index(b"f.json") + 6 + 8 if how == ".zip" else 20
        data[place] ^= 0xFF
    path.write_bytes(data)
    message = message_of(path)
    assert message.startswith(f"{path}: the archive is damaged or cut short (")
    assert message.endswith("). Download it again.")


def test_a_zip_with_a_password_is_one_message(tmp_path: Path) -> None:
    """Rule: no traceback for an archive that cannot be opened."""
    path = packed(tmp_path, ".zip")
    data = bytearray(path.read_bytes())
    # the flag bit "encrypted" in the local header and in the directory
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    message = message_of(path)
    assert message.startswith(f"{path}: inside/f.json cannot be unpacked (")
    assert message.endswith("). Unpack it and give the file.")


@pytest.mark.parametrize("name", ["f.json", "f.json.gz", "f.json.zip"])
def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path, name: str) -> None:
    """Rule: the operating system's reason is passed on."""
    (tmp_path / name).mkdir()
    path = tmp_path / name
    assert message_of(path) == f"{path}: cannot be read (Is a directory)."
    with pytest.raises(InputError) as error:
        hash_file(path, "lvis", name)
    assert str(error.value) == f"{path}: cannot be read (Is a directory)."


NAMES = [
    ("a/b.json", "b.json", False),
    ("/data/oi/", "oi", False),
    ("what?.csv", "what?.csv", False),  # a local name may hold anything
    ("s3://bucket/x/b.csv.gz", "b.csv.gz", True),
    ("https://host/b.zip", "b.zip", True),
    ("https://host/b.zip?X-Key=secret/1#top", "b.zip", True),  # a key stays out of the manifest
    ("http://host/", "host", True),
]


@pytest.mark.parametrize(("path", "name", "remote"), NAMES)
def test_base_name(path: str, name: str, remote: bool) -> None:
    """Rule: inputs are recorded by base name, without folders and keys."""
    assert base_name(path) == name
    assert is_remote(path) is remote


def test_a_local_path_is_used_in_place(tmp_path: Path) -> None:
    """Rule: nothing is copied that is local."""
    path = packed(tmp_path, "")
    with local_files([str(path)]) as found:
        assert found == {str(path): path}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.json", "no such file. Check the path."),
        ("folder", "is a folder. Give the file in it."),
    ],
)
def test_a_path_that_is_no_file_is_one_message(tmp_path: Path, name: str, message: str) -> None:
    """Rule: a wrong path is exit 3 with the path."""
    (tmp_path / "folder").mkdir()
    path = str(tmp_path / name)
    with pytest.raises(InputError) as error, local_files([path]):
        pass
    assert str(error.value) == f"{path}: {message}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """URL of a folder with one file."""
    (tmp_path / "web").mkdir()
    packed(tmp_path / "web", ".gz")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "web")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_is_fetched_for_as_long_as_it_is_needed(served: str) -> None:
    """Rule: remote files are local meanwhile, under their own names, and gone afterwards."""
    url = f"{served}/f.json.gz"
    with local_files([url]) as found:
        path = found[url]
        assert path.name == "f.json.gz"
        assert read_all(path, ".json") == CONTENT
    assert not path.exists()


def test_a_url_that_cannot_be_fetched_is_one_message(served: str) -> None:
    """Rule: what the server says is passed on in one line."""
    url = f"{served}/absent.json"
    with pytest.raises(InputError) as error, local_files([url]):
        pass
    assert str(error.value).startswith(f"{url}: cannot be fetched (")
    assert str(error.value).endswith("). Check the URL.")
    assert "\n" not in str(error.value)
