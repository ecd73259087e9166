"""Reading a file in a process of its own gives what reading it here gives."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources import apart
from lvis_merge.sources.apart import read_apart, read_source
from lvis_merge.sources.lvis import read_lvis
from lvis_merge.sources.tables import JsonSource
from tests.worlds import make_world


def assert_same(one: JsonSource, other: JsonSource) -> None:
    for field in fields(JsonSource):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        assert mine.equals(theirs) if hasattr(mine, "schema") else mine == theirs, field.name


@pytest.mark.parametrize("seed", [3, 20])
def test_the_same_tables_come_back(seed: int, tmp_path: Path) -> None:
    """Rule: where a file is read does not change what is read, bad rows and options included."""
    path = make_world(seed, tmp_path / "world").options.lvis
    assert path is not None
    taken = np.array([1, 2, 3])
    here = read_lvis(path, taken=taken)
    assert here.images.num_rows
    assert_same(read_apart(read_lvis, path, tmp_path, taken=taken), here)


def test_an_error_comes_back_whole(tmp_path: Path) -> None:
    """Rule: the user reads the reader's message, with its exit code."""
    path = tmp_path / "cut.json"
    path.write_text(json.dumps({"images": []})[:-1])
    with pytest.raises(InputError) as here:
        read_lvis(path)
    with pytest.raises(InputError) as there:
        read_apart(read_lvis, path, tmp_path)
    assert str(there.value) == str(here.value)
    assert there.value.exit_code == 3


def _crash(path: Path) -> JsonSource:
    raise MemoryError


def test_a_child_that_dies_is_told(tmp_path: Path) -> None:
    """Rule: no half-read file passes for a read one."""
    with pytest.raises(RuntimeError, match="ended with 1"):
        read_apart(_crash, tmp_path / "file.json", tmp_path)


@pytest.mark.parametrize(("size", "started"), [(99, False), (100, True)])
def test_only_large_files_are_read_apart(
    size: int, started: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: starting a process costs more than reading a small file."""
    (tmp_path / "file.json").write_bytes(b" " * size)
    monkeypatch.setattr(apart, "LARGE_BYTES", 100)
    monkeypatch.setattr(apart, "read_apart", lambda *rest: "apart")
    found = read_source(lambda path: "here", tmp_path / "file.json", tmp_path)  # type: ignore[arg-type,return-value]
    assert found == ("apart" if started else "here")
