"""Inputs that another program deletes or cuts off while a build reads them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lvis_merge.sources import csv_chunks
from tests.cli.command import Run
from tests.cli.small_inputs import (
    BOXES,
    COCO,
    COCO_MAP,
    EXCLUDE,
    HELD_OUT_CSV,
    HIERARCHY,
    LABELS,
    LIST,
    MAP,
    SIZES,
    TRAIN,
    Inputs,
)


@dataclass
class Watch:
    """Does something to a file just before it is opened for the n-th time.

    Attributes:
        path: of the file.
        number: which opening, from 1.
        spoil: what is done.
        opened: how often it has been opened.
    """

    path: Path
    number: int
    spoil: Callable[[Path], object]
    opened: int = field(default=0, init=False)

    def see(self, opened: object) -> None:
        if isinstance(opened, str | os.PathLike) and os.fspath(opened) == str(self.path):
            self.opened += 1
            if self.opened == self.number:
                self.spoil(self.path)


_watching: list[Watch] = []


def _hook(event: str, details: tuple[object, ...]) -> None:
    if _watching and event == "open":
        _watching[0].see(details[0])


sys.addaudithook(_hook)  # for good: Python has no way to take it off again


@pytest.fixture(autouse=True)
def nobody_watches_afterwards() -> Iterator[None]:
    yield
    _watching.clear()


def delete(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


# cut off at the end of a row, a CSV is a shorter one
CODES = {delete: (3,), cut_off: (0, 3)}
FILES = (TRAIN, COCO, BOXES, LIST, LABELS, HIERARCHY, SIZES, EXCLUDE, HELD_OUT_CSV, MAP, COCO_MAP)


@pytest.mark.parametrize("spoil", [delete, cut_off])
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_goes_between_two_readings_is_told(
    file: str, spoil: Callable[[Path], None], run: Run, inputs: Inputs
) -> None:
    """Before each opening in turn; what was read before may be enough, then the build succeeds."""
    good = inputs.path(file).read_bytes()
    for number in range(1, 20):
        inputs.write(file, good)
        watch = Watch(inputs.path(file), number, spoil)
        _watching[:] = [watch]
        found = run("build", *inputs.everything(), "--out", str(inputs.path(f"out{number}")))
        _watching.clear()
        if watch.opened < number:
            break
        assert found.code in CODES[spoil]
        if found.code:
            assert Path(file).name in found.error
            assert "\n" not in found.error
        assert inputs.path(f"out{number}").exists() == (found.code == 0)
    assert 1 < number < 19


@pytest.mark.parametrize("text", ["plain", 'a "title"\nof two lines'])
def test_a_csv_that_shrinks_while_it_is_read_is_told(
    text: str, run: Run, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut once into ranges, or twice: quoted line ends have it cut anew. A mapped file would end
    the process here."""
    monkeypatch.setitem(csv_chunks.open_csv.__kwdefaults__, "chunk_bytes", 64)
    monkeypatch.setattr(csv_chunks.recut, "__defaults__", (64,))
    quoted = '"' + text.replace('"', '""') + '"'
    inputs.write(LIST, inputs.text(LIST).replace("A title", quoted))
    path, read = inputs.path(LIST), csv_chunks.Chunk.read

    def shrinking(chunk: csv_chunks.Chunk) -> bytes:
        if chunk.path == path:
            os.truncate(path, 200)
        return read(chunk)

    monkeypatch.setattr(csv_chunks.Chunk, "read", shrinking)
    found = run("build", *inputs.everything(), "--out", str(inputs.path("out")))
    assert found.code == 3
    assert found.error.startswith(f"{path}: became shorter while it was read. Nothing may change")
    assert not inputs.path("out").exists()
