"""`lvis-merge fetch`: from a list of chosen images to a manifest, whatever happens on the way."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from PIL import Image
from rich.console import Console

from lvis_merge.cli.stopping import STOPPED
from lvis_merge.fetch import annotation_table, progress
from lvis_merge.fetch.lock import STATE_FOLDER
from tests.cli.command import Outcome, Run
from tests.cli.small_inputs import BOXES, LIST, PICTURES, VALIDATION_PICTURE, Inputs
from tests.fetch.fetching import check_whole, image_id, key, names, rows, stock, write_selection
from tests.fetch.server import Server
from tests.pipeline.running import environment

INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from lvis_merge.cli import main
main()
"""


# the loop that users go through


def picture(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (100 + number, 80)).save(out, "JPEG")
    return out.getvalue()


def test_from_missing_sizes_to_a_manifest(run: Run, inputs: Inputs, server: Server) -> None:
    """With an image that is gone: the next build chooses another in its stead."""
    extra = "000000000000000e"
    inputs.append(BOXES, f"{extra},xclick,/m/star,1,0.1,0.6,0.2,0.7,0,0,0,0,0\n")
    inputs.append(LIST, f"{extra},train,,,,,Jane,A title,0\n")
    for number, name in enumerate((*PICTURES, extra)):
        server.files[f"train/{name}.jpg"] = picture(number)
    server.files[f"validation/{VALIDATION_PICTURE}.jpg"] = picture(9)
    root, selection = inputs.path("images"), inputs.path("openimages_selection.csv")
    sizes, failures = root / "openimages_sizes.csv", root / "openimages_failures.csv"
    options = ["build", *inputs.lvis(), *inputs.open_images()[:4], "--images", "4"]
    options += ["--out", str(inputs.path("m"))]
    fetch = ["fetch", str(selection), "--to", str(root), "--mirror", server.address]

    found = run(*options)
    assert found.code == 4
    # the message gives the very command
    assert f"`lvis-merge fetch {selection} --to ROOT` downloads exactly those" in found.error
    first = [row[0] for row in rows(selection)[1:]]
    gone = next(name for name in first if name in PICTURES)
    del server.files[f"train/{gone}.jpg"]
    found = run(*fetch)
    assert found.code == 3
    assert found.error == (
        f"1 of 4 images could not be had: 1 not there (404). {failures} names them. Run it again to"
        f" try once more, or build without them: --openimages-exclude {failures}."
    )
    lists = ["--openimages-sizes", str(sizes), "--openimages-exclude", str(failures)]
    assert run(*options, *lists).code == 4  # for the size of the substitute
    assert gone not in {row[0] for row in rows(selection)}
    assert run(*fetch).code == 0
    found = run(*options, *lists)
    assert found.code == 0
    assert run("validate", str(inputs.path("m"))).code == 0
    # the folder itself gives the sizes too
    by_files = ["--openimages-images", str(root), "--openimages-exclude", str(failures)]
    assert run(*options, *by_files, "--overwrite").code == 0
    # and a manifest is fetched as a list is: all is there
    found = run("fetch", str(inputs.path("m")), "--to", str(root), "--json")
    plain = json.loads(found.stdout)
    assert (plain["wanted"], plain["already_there"], plain["fetched"]) == (4, 4, 0)
    assert plain["not_asked_for"] == 3


# the command line


def fetch_all(run: Run, folder: Path, server: Server, *more: str) -> Outcome:
    selection = write_selection(folder / "s.csv", range(5))
    more = ("--mirror", server.address, *more)
    return run("fetch", str(selection), "--to", str(folder / "root"), *more)


def test_what_is_told(run: Run, tmp_path: Path, server: Server) -> None:
    stock(server, range(5))
    server.plans[key(1)] = ["503"]
    found = fetch_all(run, tmp_path, server)
    assert found.code == 0
    first, second, third = found.stdout.splitlines()
    assert re.fullmatch(
        r"5 images: 0 were there, 5 were fetched \(0\.0 MB in \d+\.\d s, \d+\.\d MB/s\), 0 failed",
        first,
    )
    assert second == (
        "1 attempts failed and were made again: 1 no answer, or none without an error"
    )
    assert third == f"sizes: {tmp_path / 'root' / 'openimages_sizes.csv'}"


def test_json(run: Run, tmp_path: Path, server: Server) -> None:
    stock(server, range(3))
    found = fetch_all(run, tmp_path, server, "--json")
    assert found.code == 3
    plain = json.loads(found.stdout)
    seconds = plain.pop("seconds")
    assert 0 < seconds < 60
    root = tmp_path / "root"
    assert plain == {
        "wanted": 5, "not_asked_for": 0, "without_address": 0, "already_there": 0,
        "fetched": 3, "failed": 2,
        "failed_by_reason": {"not_found": 2}, "retries": 0, "retries_by_reason": {},
        "bytes": sum(map(len, server.files.values())),
        "openimages_sizes": str(root / "openimages_sizes.csv"),
        "failures": [str(root / "openimages_failures.csv")],
    }  # fmt: skip


def test_options_may_come_first(run: Run, tmp_path: Path, server: Server) -> None:
    stock(server, range(1))
    selection = write_selection(tmp_path / "s.csv", range(1))
    root = str(tmp_path / "root")
    found = run("fetch", "--to", root, "--mirror", server.address, str(selection))
    assert found.code == 0


def test_a_folder_called_annotations_is_reached_by_its_path(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "annotations").mkdir()
    found = run("fetch", "./annotations", "--to", "root")
    assert (found.code, found.error) == (
        3,
        "annotations: not a manifest (no manifest.json). Give the folder that `lvis-merge build`"
        " wrote.",
    )
    found = run("fetch", "annotations", "--to", "root")
    assert (found.code, found.error) == (
        2, "fetch annotations: say which: --lvis v0.5, --coco, --openimages v5.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fetch",), "Usage: "),
        (("fetch", "x.csv"), "Missing option '--to'"),
        (("fetch", "x.csv", "--to", "r", "--workers", "0"), "Invalid value for '--workers'"),
        (("fetch", "x.csv", "--to", "r", "--rate", "0"), "--rate: give more than 0 megabytes"),
        (("fetch", "x.csv", "--to", "r", "--image-root", "no"), "--image-root no: no such folder"),
        (("fetch", "annotations", "--to", "r", "--lvis", "v2"), "'v2' is not one of"),
    ],
)
def test_wrong_usage(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    found = run(*arguments)
    assert found.code == 2
    assert message in found.stdout + found.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_shows_both_commands_with_examples(run: Run) -> None:
    shown = " ".join(run("fetch", "--help").stdout.split())
    assert "lvis-merge fetch [OPTIONS] {DIR|CSV}" in shown
    assert "lvis-merge fetch openimages_selection.csv --to" in shown
    assert "lvis-merge fetch annotations --to data/ --lvis v0.5 --coco --openimages v5" in shown


def test_annotations(
    run: Run, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published table, at another host."""
    text = annotation_table.TABLE.read_text(encoding="utf-8")
    text = re.sub(r"https?://[a-z.]+/", f"{server.address}/", text)
    text = re.sub(r",\d+,([0-9a-f]{64})?,", ",,,", text)
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    monkeypatch.setattr(annotation_table, "TABLE", table)
    for file in annotation_table.annotation_files(None, False, "v7"):
        path = file.url.removeprefix(f"{server.address}/")
        server.files[path] = f"{file.starts}\n}}".encode()
    to = tmp_path / "data"
    found = run("fetch", "annotations", "--to", str(to), "--openimages", "v7", "--json")
    assert found.code == 0
    plain = json.loads(found.stdout)
    assert len(plain["files"]) == 11
    assert plain["files"][0] == str(to / "open_images_v7" / "oidv6-train-annotations-bbox.csv")
    assert all(Path(file).is_file() for file in plain["files"])
    found = run("fetch", "annotations", "--to", str(to), "--openimages", "v7")
    assert found.stdout.splitlines() == plain["files"]


# progress


def test_progress_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
    out = io.StringIO()
    shown = progress.FetchProgress(
        progress.Pulse(2000, progress.IMAGES), Console(file=out, width=200)
    )
    time.sleep(0.01)
    shown.image(250_000)
    shown.image(None)
    first, second = out.getvalue().splitlines()
    assert re.fullmatch(r"fetched 1/2,000 images, \d+\.\d MB/s, ETA \d+:\d\d:\d\d", first)
    assert second.startswith("fetched 2/2,000 images")
    assert second.endswith(", 1 failed")


def test_progress_is_a_bar_on_a_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True)
    shown = progress.FetchProgress(progress.Pulse(3, progress.IMAGES), console)
    with shown.shown():
        shown.image(1_000_000)
        time.sleep(0.2)
    assert "1/3 images" in out.getvalue()


# ended in the middle

NUMBERS = range(150)
MOMENTS = 6


@contextmanager
def process(folder: Path, server: Server) -> Iterator[subprocess.Popen[str]]:
    """A fetch that is under way."""
    arguments = ["fetch", str(folder / "s.csv"), "--to", str(folder / "root")]
    arguments += ["--mirror", server.address, "--workers", "12"]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *arguments],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        yield running


@pytest.mark.slow
def test_killed_at_any_moment_nothing_half_done_has_a_name(
    tmp_path: Path, server: Server, run: Run
) -> None:
    rng = Random(3)
    stock(server, NUMBERS)
    write_selection(tmp_path / "s.csv", NUMBERS)
    for number in NUMBERS:
        acts = rng.choices(["503", "cut", "html", "truncated", "drop", "short"], k=2)
        if rng.random() < 0.15:
            server.plans[key(number)] = acts
    server.delay = 0.03
    kills = 0
    for _ in range(MOMENTS):
        # soon after the first answers, so that enough is left for the others
        goal = sum(server.asked.values()) + rng.randrange(1, 25)
        with process(tmp_path, server) as running:
            while sum(server.asked.values()) < goal and running.poll() is None:
                time.sleep(0.001)
            running.kill()
        kills += running.returncode == -signal.SIGKILL
        for name in check_whole(tmp_path / "root"):
            assert (tmp_path / "root" / name).read_bytes() == server.files[name]
    assert kills >= MOMENTS - 1
    server.delay = 0.0
    there = len(check_whole(tmp_path / "root"))
    asked = sum(server.asked.values())
    found = run(
        "fetch", str(tmp_path / "s.csv"), "--to", str(tmp_path / "root"),
        "--mirror", server.address, "--json",
    )  # fmt: skip
    assert found.code == 0
    plain = json.loads(found.stdout)
    assert (plain["already_there"], plain["fetched"]) == (there, len(NUMBERS) - there)
    assert sum(server.asked.values()) == asked + plain["fetched"] + plain["retries"]
    assert check_whole(tmp_path / "root") == [key(number) for number in NUMBERS]
    assert names(tmp_path / "root")[:2] == ["openimages_failures.csv", "openimages_sizes.csv"]
    assert [path.name for path in (tmp_path / "root" / STATE_FOLDER).iterdir()] in (
        ["checked.csv", "lock"],
        ["lock", "checked.csv"],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_interrupted_it_says_so_and_keeps_what_it_has(
    tmp_path: Path, server: Server, number: signal.Signals, code: int
) -> None:
    stock(server, NUMBERS)
    del server.files[key(0)]
    write_selection(tmp_path / "s.csv", NUMBERS)
    server.delay = 0.1
    with process(tmp_path, server) as running:
        while sum(server.asked.values()) < 60:
            time.sleep(0.005)
        running.send_signal(number)
        printed, errors = running.communicate(timeout=30)
    assert (running.returncode, printed) == (code, "")
    told = [line for line in errors.splitlines() if line.startswith("lvis-merge:")]
    assert told == [f"lvis-merge: {STOPPED}"]
    assert "Traceback" not in errors
    root = tmp_path / "root"
    there = check_whole(root)
    assert 10 <= len(there) < len(NUMBERS)
    # both lists say how far it came
    sizes = [row[0] for row in rows(root / "openimages_sizes.csv")[1:]]
    assert {f"train/{name}.jpg" for name in sizes} <= set(there)
    assert len(sizes) >= len(there) - 12
    assert [row[0] for row in rows(root / "openimages_failures.csv")[1:]] == [image_id(0)]
    assert not (root / STATE_FOLDER / "partial").exists()


@pytest.mark.slow
def test_a_fetch_that_waits_for_a_server_can_be_interrupted(tmp_path: Path, server: Server) -> None:
    stock(server, range(3))
    write_selection(tmp_path / "s.csv", range(3))
    server.always = "stall"
    with process(tmp_path, server) as running:
        while len(server.asked) < 3:
            time.sleep(0.005)
        start = time.monotonic()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert running.returncode == 143
    assert time.monotonic() - start < 5
    assert check_whole(tmp_path / "root") == []
