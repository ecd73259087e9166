"""Disks that are full or read-only: one message, nothing half-done, and the next run succeeds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lvis_merge.sources import apart
from tests.cli.command import Outcome, Run
from tests.cli.small_disk import SmallDisk, small_disk
from tests.cli.small_inputs import BOXES, COCO_MAP, TRAIN, VAL, Inputs
from tests.fuzz.fetched import MIRROR, SELECTION
from tests.fuzz.world import MANIFEST, PARAMETERS, POOL, RESULTS, RUNS, make_files

__all__ = ["small_disk"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Good files for every command; read only."""
    return make_files(tmp_path_factory.mktemp("files"))


def build(files: Inputs, disk: Path) -> list[str]:
    return ["build", *files.everything(), "--out", str(disk / "m")]


def export(form: str) -> Callable[[Inputs, Path], list[str]]:
    def command(files: Inputs, disk: Path) -> list[str]:
        return ["export", str(files.path(MANIFEST)), "--format", form, "--out", str(disk / "e")]

    return command


def evaluate(files: Inputs, disk: Path) -> list[str]:
    return [
        "evaluate", str(files.path(RESULTS)), *files.option("--annotations", VAL),
        "--csv", str(disk / "ap.csv"), "--plot", str(disk / "ap.svg"),
    ]  # fmt: skip


def experts(out: str) -> Callable[[Inputs, Path], list[str]]:
    def command(files: Inputs, disk: Path) -> list[str]:
        return [
            "experts", str(files.path(POOL)), *files.option("--map", COCO_MAP), "--lenient",
            *files.option("--annotations", VAL), "--out", str(disk / out),
        ]  # fmt: skip

    return command


def ensemble(files: Inputs, disk: Path) -> list[str]:
    return [
        "ensemble", str(files.path(POOL)), str(files.path("pool.parquet")),
        *files.option("--params", PARAMETERS), "--out", str(disk / "merged.json"),
        "--report", str(disk / "report.json"),
    ]  # fmt: skip


def roadmap(files: Inputs, disk: Path) -> list[str]:
    return ["roadmap", str(files.path(RUNS)), "--plot", str(disk / "r.svg")]


def diff(files: Inputs, disk: Path) -> list[str]:
    return ["diff", *[str(files.path(MANIFEST))] * 2, "--report", str(disk / "d.html")]


def fetch(files: Inputs, disk: Path) -> list[str]:
    return [
        "fetch", str(files.path(SELECTION)), *files.option("--mirror", MIRROR),
        "--to", str(disk / "root"),
    ]  # fmt: skip


COMMANDS = {
    "build": build,
    **{
        f"export-{form}": export(form)
        for form in ("lvis", "coco", "yolo", "fiftyone", "huggingface")
    },
    "evaluate": evaluate,
    "experts": experts("o.parquet"),
    "ensemble": ensemble,
    "roadmap": roadmap,
    "diff": diff,
    "fetch": fetch,
}
GROWING = ("checked.csv", "openimages_sizes.csv")
"""What `fetch` notes of images, so that the next run need not fetch them."""
ROOM = (0, 4, 12, 40)  # kilobytes; some commands need less than the larger ones


def assert_told(found: Outcome, disk: SmallDisk) -> None:
    assert found.code == 3
    assert "No space left on device" in found.error
    assert str(disk.folder) in found.error
    assert "\n" not in found.error


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_full_disk_is_told_and_leaves_whole_files_only(
    command: Callable[[Inputs, Path], list[str]], run: Run, files: Inputs, small_disk: SmallDisk
) -> None:
    """With ever more room; files that were whole by then stay."""
    arguments = command(files, small_disk.folder)
    codes: list[int] = []
    whole: dict[str, bytes] = {}
    for room in ROOM:
        with small_disk.filled(room):
            found = run(*arguments)
        codes.append(found.code)
        if found.code == 0:
            break
        assert_told(found, small_disk)
        assert not [name for name in small_disk.left() if "partial" in name]
        for name in small_disk.left():
            if name.endswith(GROWING) or (small_disk.folder / name).is_dir():
                continue
            whole.setdefault(name, (small_disk.folder / name).read_bytes())
    assert codes[0] == 3
    small_disk.resize(64 << 10)
    if codes[-1]:
        assert run(*arguments).code == 0
    for name, content in whole.items():
        assert (small_disk.folder / name).read_bytes() == content, name


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_read_only_disk_is_told(
    command: Callable[[Inputs, Path], list[str]], run: Run, files: Inputs, small_disk: SmallDisk
) -> None:
    small_disk.resize(64 << 10)
    small_disk.set_read_only(True)
    found = run(*command(files, small_disk.folder))
    assert found.code == 3
    assert str(small_disk.folder) in found.error
    assert "\n" not in found.error
    small_disk.set_read_only(False)
    assert small_disk.left() == []


def test_a_full_disk_keeps_the_old_manifest(run: Run, files: Inputs, small_disk: SmallDisk) -> None:
    small_disk.resize(64 << 10)
    arguments = [*build(files, small_disk.folder), "--overwrite"]
    assert run(*arguments).code == 0
    old = {name: content(small_disk, name) for name in small_disk.left()}
    small_disk.resize(used_kilobytes(small_disk) + 8)
    assert_told(run(*arguments), small_disk)
    assert {name: content(small_disk, name) for name in small_disk.left()} == old
    small_disk.resize(64 << 10)
    assert run(*arguments).code == 0


def content(disk: SmallDisk, name: str) -> bytes | None:
    path = disk.folder / name
    return path.read_bytes() if path.is_file() else None


def used_kilobytes(disk: SmallDisk) -> int:
    pages = [-(-path.stat().st_size // 4096) for path in disk.folder.rglob("*") if path.is_file()]
    return 4 * sum(pages)


@pytest.mark.parametrize(
    ("room", "name"),
    [(12, Path(BOXES).name), (12, Path(TRAIN).name), (8, "while Open Images is read")],
    ids=["unpacking", "reading-apart", "buckets-of-images"],
)
def test_a_full_temporary_folder_is_told_with_the_way_out(
    room: int, name: str, run: Run, inputs: Inputs, small_disk: SmallDisk,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    """Where archives are unpacked, large JSON files kept as tables, and Open Images by image."""
    inputs.append(BOXES, "\n".join(inputs.text(BOXES).splitlines()[1:2] * 500))
    options = inputs.everything()
    if name == Path(BOXES).name:
        inputs.gzip(BOXES)
    elif name == Path(TRAIN).name:
        monkeypatch.setattr(apart, "LARGE_BYTES", 0)
        options = inputs.json_files()
    small_disk.resize(room)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk.folder))
    out = tmp_path / "out"
    found = run("build", *options, "--out", str(out))
    assert found.code == 3
    assert name in found.error
    assert str(small_disk.folder) in found.error
    assert "TMPDIR" in found.error
    assert "\n" not in found.error
    assert not out.exists()
    assert small_disk.left() == []
    small_disk.resize(64 << 10)
    assert run("build", *options, "--out", str(out)).code == 0
