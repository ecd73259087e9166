"""`lvis-merge fetch annotations --masks`: what `build` finds, whatever happens on the way."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lvis_merge.cli.stopping import STOPPED
from lvis_merge.fetch import annotation_table
from lvis_merge.fetch.lock import STATE_FOLDER
from lvis_merge.sources.open_images.folder import SUBSETS, find_files
from lvis_merge.sources.open_images.masks import find_mask, read_mask
from tests.cli.command import Run
from tests.fetch.fetching_files import left, packed
from tests.fetch.server import Server
from tests.pipeline.killing import FORKS, run_until_step
from tests.pipeline.running import environment

DIGITS = "0123456789abcdef"
FOLDER = "open_images_v5"
ON_TABLE = """
import sys
from pathlib import Path
from lvis_merge.fetch import annotation_table
annotation_table.TABLE = Path(sys.argv.pop(1))
from lvis_merge.cli import main
main()
"""


def mask_path(digit: str) -> str:
    return f"{digit}77c122b0eaa5d16_m04yx4_9a041d52.png"


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels * np.uint8(255)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def published(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The published table, at another host, which has small files."""
    text = annotation_table.TABLE.read_text(encoding="utf-8")
    text = re.sub(r"https?://[a-z.]+/", f"{server.address}/", text)
    text = re.sub(r",\d+,([0-9a-f]{64})?,", ",,,", text)
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    monkeypatch.setattr(annotation_table, "TABLE", table)
    for file in annotation_table.annotation_files(None, False, "v5", masks=True):
        content = f"{file.starts}\n}}".encode()
        if file.holds_masks:
            digit = file.name.removesuffix(".zip")[-1]
            pixels = np.eye(3, 4, DIGITS.index(digit) % 4, dtype=np.uint8)
            content = packed({mask_path(digit): png(pixels)})
        server.files[file.url.removeprefix(f"{server.address}/")] = content
    return table


def test_build_finds_every_mask(
    run: Run, tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: what is fetched lies where `build` looks, without a step by hand."""
    monkeypatch.setattr(os, "sync", lambda: None)  # 48 of them, of a disk that others write to
    arguments = ("fetch", "annotations", "--to", str(tmp_path / "data"), "--openimages", "v5")
    found = run(*arguments, "--masks", "--json")
    assert found.code == 0
    plain = json.loads(found.stdout)
    folder = tmp_path / "data" / FOLDER
    assert len(plain["files"]) == 11 + 3 + 48
    assert str(folder / "train-masks-0") in plain["files"]
    files = find_files(str(folder)).subsets
    lists = [folder / f"{subset}-annotations-object-segmentation.csv" for subset in SUBSETS]
    assert [subset.masks for subset in files] == [str(path) for path in lists]
    for subset in SUBSETS:
        for number, digit in enumerate(DIGITS):
            path = find_mask(folder, subset, mask_path(digit))
            assert path == folder / f"{subset}-masks-{digit}" / mask_path(digit)
            assert np.array_equal(read_mask(path), np.eye(3, 4, number % 4, dtype=bool))
    assert not list(tmp_path.rglob("*.zip"))
    found = run(*arguments, "--masks", "--json")
    assert json.loads(found.stdout)["already_there"] == 62


def test_masks_are_fetched_only_if_asked_for(run: Run, tmp_path: Path, published: Path) -> None:
    """Rule: nobody gets millions of files unawares."""
    to = tmp_path / "data"
    assert run("fetch", "annotations", "--to", str(to), "--openimages", "v5").code == 0
    assert [path.name for path in (to / FOLDER).iterdir() if "mask" in path.name] == []
    assert len(list((to / FOLDER).iterdir())) == 11


@pytest.mark.parametrize("others", [(), ("--coco",), ("--lvis", "v1")])
def test_masks_of_nothing_are_refused(run: Run, tmp_path: Path, others: tuple[str, ...]) -> None:
    """Rule: --masks says which option it needs."""
    found = run("fetch", "annotations", "--to", str(tmp_path / "data"), "--masks", *others)
    assert (found.code, found.error) == (
        2,
        "fetch annotations: --masks are those of Open Images; give --openimages v5 or v7 too.",
    )
    assert list(tmp_path.iterdir()) == []


# ended in the middle

ARCHIVE = "train-masks-6.zip"


def only_archive(table: Path, server: Server, masks: int) -> dict[str, bytes]:
    """Leaves one archive in the table; gives its masks."""
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    [row] = [row for row in rows if f",{ARCHIVE}," in row]
    table.write_text(f"{header}\n{row}\n", encoding="utf-8")
    content = {f"6{number:015x}_m.png": b"%d" % number for number in range(masks)}
    server.files[f"openimages/v5/train-masks/{ARCHIVE}"] = packed(content)
    return content


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run_on_table(table: Path, arguments: list[str], place: Path, step: int, log: Path) -> None:
    annotation_table.TABLE = table
    run_until_step(arguments, place, step, log)


@pytest.mark.slow
def test_killed_at_any_step_no_half_folder_has_its_name(
    run: Run, tmp_path: Path, server: Server, published: Path
) -> None:
    """Rule: before each write, rename and removal; and the next run goes on and tidies up."""
    masks = only_archive(published, server, 3)

    def fetch(to: Path) -> list[str]:
        return ["fetch", "annotations", "--to", str(to), "--openimages", "v5", "--masks"]

    def kill(step: int) -> tuple[int | None, Path]:
        to = tmp_path / str(step)
        arguments = (published, fetch(to), to, step, tmp_path / "steps")
        process = FORKS.Process(target=run_on_table, args=arguments)
        process.start()
        process.join(60)
        return process.exitcode, to

    code, to = kill(0)
    assert (code, contents(to / FOLDER / "train-masks-6")) == (0, masks)
    steps = (tmp_path / "steps").read_text().splitlines()
    assert sum(step.startswith("open") for step in steps) >= 3 + 2
    seen = set()
    for number in range(1, len(steps) + 1):
        code, to = kill(number)
        assert code == -signal.SIGKILL
        folder = to / FOLDER / "train-masks-6"
        seen.add(folder.exists())
        if folder.exists():
            assert contents(folder) == masks
        assert run(*fetch(to)).code == 0
        assert contents(folder) == masks
        assert left(to) == sorted(f"{FOLDER}/train-masks-6/{name}" for name in masks)
        assert [path.name for path in (to / STATE_FOLDER).iterdir()] == ["lock"]
    assert seen == {False, True}


@contextmanager
def process(table: Path, to: Path) -> Iterator[subprocess.Popen[str]]:
    arguments = ["fetch", "annotations", "--to", str(to), "--openimages", "v5", "--masks"]
    with subprocess.Popen(
        [sys.executable, "-c", ON_TABLE, str(table), *arguments],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        yield running


@pytest.mark.slow
def test_interrupted_while_it_unpacks_it_leaves_the_archive_alone(
    run: Run, tmp_path: Path, server: Server, published: Path
) -> None:
    """Rule: it tidies up what it has unpacked, keeps the archive, and the next run goes on."""
    masks = only_archive(published, server, 40_000)
    to = tmp_path / "data"
    state = to / STATE_FOLDER
    with process(published, to) as running:
        while not next(state.glob("unpacking-*/train-masks-6/*"), None):
            assert running.poll() is None
            time.sleep(0.005)
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 143
    assert errors == f"lvis-merge: {STOPPED}\n"
    assert not (to / FOLDER / "train-masks-6").exists()
    assert {path.name.rpartition(".")[2] for path in state.iterdir()} == {"lock", "part", "json"}
    found = run("fetch", "annotations", "--to", str(to), "--openimages", "v5", "--masks", "--json")
    assert json.loads(found.stdout)["bytes"] == 0
    assert contents(to / FOLDER / "train-masks-6") == masks
