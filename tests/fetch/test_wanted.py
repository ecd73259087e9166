"""What is wanted, and what is refused before anything is downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.fetch.wanted import check_file_name, read_wanted

IDS = ("000000000000000a", "000000000000000B", "00ff")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # without a subset: train
        ("ImageID\n0a\n0b\n", ["train/0a.jpg", "train/0b.jpg"]),
        # columns by name, others left alone; blank lines are no rows; a byte order mark
        ("\ufeffx,Subset,ImageID\n1,test,0a\n\n2,validation,0B\n",
         ["test/0a.jpg", "validation/0B.jpg"]),
        # the same image twice is one
        ("ImageID,Subset\n0a,train\n0a,train\n", ["train/0a.jpg"]),
        # none at all
        ("ImageID,Subset\n", []),
    ],
)  # fmt: skip
def test_selections(tmp_path: Path, text: str, names: list[str]) -> None:
    found = read_wanted(write(tmp_path / "s.csv", text))
    assert [image.file_name for image in found.images] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ImageID\n../../x\n", r"row 1: '../../x' is no ImageID"),
        ("ImageID\n0a\n/etc/passwd\n", r"row 2: '/etc/passwd' is no ImageID"),
        ("ImageID,Subset\n0a,../..\n", r"row 1: the subset '../..' is none of train, validation"),
        ("ImageID,Subset\n0a,\n", r"row 1: the subset '' is none of"),
        ("ImageID,Subset\n0a,train\n0a,test\n", "image 0a is in two subsets"),
        ("id,Subset\n0a,train\n", "has no column ImageID; its first line reads 'id,Subset'"),
        ("", "has no column ImageID"),
        ("ImageID\n\udcff\n", "does not read as CSV"),
    ],
)
def test_bad_selections(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=message):
        read_wanted(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_wanted(tmp_path / "none")


def test_a_folder_that_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a manifest"):
        read_wanted(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x.jpg", "a/../x.jpg", "a/..", "/x.jpg", "//x.jpg", "a//x.jpg", "a/./x.jpg",
     "a\\..\\x.jpg", "a\0.jpg", "a/", ".lvis-merge-fetch/lock", "train/.x.jpg", "./x.jpg",
     "a/" + "x" * 252 + ".jpg", "a/" * 1_100 + "x.jpg"],
)  # fmt: skip
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(InputError, match="does not name a file below a folder of images"):
        check_file_name(name, "m, image 1")


@pytest.mark.parametrize("name", ["train2017/000000391895.jpg", "x.jpg", "a/b c/ü.jpg", "a..b.jpg"])
def test_names_that_stay(name: str) -> None:
    check_file_name(name, "m, image 1")


@given(st.text(alphabet="ab./\\\0", max_size=12))
def test_a_name_that_passes_stays_below_its_root(name: str) -> None:
    root = Path("/data/images")
    try:
        check_file_name(name, "m")
    except InputError:
        return
    import os.path

    place = Path(os.path.normpath(root / name))
    assert place != root
    assert place.is_relative_to(root)
    assert place == root / name
