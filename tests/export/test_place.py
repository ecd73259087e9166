"""An export is there whole or not at all, and replaces nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lvis_merge import manifest
from lvis_merge.errors import InputError, UsageError
from lvis_merge.export import coco
from lvis_merge.export.options import Format
from lvis_merge.export.place import check_new, new_file, new_folder
from lvis_merge.manifest import Tables, write_manifest
from lvis_merge.manifest.schema import ANNOTATIONS, IMAGES, REJECTS
from tests.export.exporting import contents, export_to
from tests.manifest.small import small
from tests.pipeline.running import command, environment


@pytest.mark.parametrize("make", [new_file, new_folder])
def test_nothing_is_left_after_an_error(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "deep" / "out"

    def fail() -> None:
        with make(out) as partial:
            target = partial if make is new_file else partial / "file"
            target.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(out.parent.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    file, folder, link = tmp_path / "f.json", tmp_path / "d", tmp_path / "l"
    file.write_text("mine")
    folder.mkdir()
    link.symlink_to("nowhere")
    for place in (file, folder, link):
        with pytest.raises(InputError, match="is there already, and is left alone"):
            check_new(place)
    with pytest.raises(InputError, match="cannot write in"):
        check_new(file / "out")
    with pytest.raises(InputError, match="longer than"):
        check_new(tmp_path / ("x" * 250))
    assert file.read_text() == "mine"


def test_what_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.json"

    def late() -> None:
        with new_file(out) as partial:
            partial.write_text("ours")
            out.write_text("theirs")

    with pytest.raises(InputError):
        late()
    assert out.read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_folder_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """An empty one, which a rename would replace."""
    out = tmp_path / "out"

    def late() -> None:
        with new_folder(out) as partial:
            (partial / "file").write_text("ours")
            out.mkdir()

    with pytest.raises(InputError):
        late()
    assert list(out.iterdir()) == []


def test_a_failing_split_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = manifest.open(small().write(tmp_path / "m"))
    written = coco.write_split

    def second_fails(path, name, split, *more):  # type: ignore[no-untyped-def]
        if split.split == "val":
            raise RuntimeError
        return written(path, name, split, *more)

    monkeypatch.setattr(coco, "write_split", second_fails)
    with pytest.raises(RuntimeError):
        export_to(built, tmp_path / "out", Format.coco)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_one_file_for_one_split(tmp_path: Path) -> None:
    built = manifest.open(small().write(tmp_path / "m"))
    with pytest.raises(UsageError, match=r"is one file, and there are splits train, val"):
        export_to(built, tmp_path / "out.json", Format.lvis)
    export_to(built, tmp_path / "out.json", Format.lvis, splits=["val"])
    export_to(built, tmp_path / "out", Format.lvis)
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "out" / "lvis_val.json").read_bytes()


def test_a_split_without_images(tmp_path: Path) -> None:
    built = manifest.open(small().write(tmp_path / "m"))
    with pytest.raises(InputError, match=r"no image of split test\. It has train, val\."):
        export_to(built, tmp_path / "out", Format.lvis, splits=["test"])


def test_a_manifest_without_images(tmp_path: Path) -> None:
    made = small()
    tables = Tables(IMAGES.empty(), ANNOTATIONS.empty(), made.tables.categories, REJECTS.empty())
    write_manifest(tmp_path / "m", tables, made.record, made.maps)
    for form in Format:
        with pytest.raises(InputError, match="has no image, so there is nothing to export"):
            export_to(manifest.open(tmp_path / "m"), tmp_path / "out", form)


def test_a_damaged_table(tmp_path: Path) -> None:
    folder = small().write(tmp_path / "m")
    path = folder / "annotations.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    for form in Format:
        with pytest.raises(InputError, match=r"annotations\.parquet: cannot be read"):
            export_to(manifest.open(folder), tmp_path / "out", form)
    path.unlink()
    with pytest.raises(InputError, match=r"annotations\.parquet: missing"):
        export_to(manifest.open(folder), tmp_path / "out", Format.coco)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", [Format.lvis, Format.coco])
def test_equal_exports_are_equal(form: Format, tmp_path: Path) -> None:
    built = manifest.open(small().write(tmp_path / "m"))
    for name in ("first", "second"):
        export_to(built, tmp_path / name, form)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """Stopped as soon as something is being written, or done by then."""
    folder = small().write(tmp_path / "m")
    out = tmp_path / "out"
    arguments = ("export", str(folder), "--format", "yolo", "--out", str(out))
    process = subprocess.Popen(
        command(*arguments), env=environment(), stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not list(tmp_path.glob(".out.partial-*")):
        time.sleep(0.001)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told
    assert process.returncode in (0, 130)
    assert out.exists() == (process.returncode == 0)
    assert not list(tmp_path.glob(".out.partial-*"))
