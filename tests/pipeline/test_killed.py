"""Killed or interrupted at any point, `build` leaves nothing that looks complete and is not."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from lvis_merge.manifest.validate import validate
from tests.pipeline.killing import exit_code
from tests.pipeline.running import build_to, command, contents, environment
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import Options, make_world

pytestmark = pytest.mark.slow

SEED = 20  # 1,300 LVIS images beside Open Images: takes long enough to be hit in every stage
MOMENTS = 20
AT_ONCE = 2

# a shell that starts tests in the background has them ignore SIGINT; a user's does not
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from lvis_merge.sources import apart
apart.LARGE_BYTES = {large_bytes}
from lvis_merge.cli import main
main()
"""
BY_DAFT = "Received Ctrl-C, shutting down execution engine\n"


@dataclass(frozen=True)
class Scene:
    """What the killed builds build, and what they replace.

    Attributes:
        options: of the build.
        new: its files.
        old: an earlier manifest.
        seconds: how long the build takes, in a process of its own.
    """

    options: Options
    new: dict[str, bytes]
    old: Path
    seconds: float


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("scene")
    options = make_world(SEED, folder / "world").options
    new = build_to(build_options(options, folder / "new"), folder / "new")
    assert [finding for finding in validate(folder / "new") if finding.level == "error"] == []
    # other options, so that old and new differ
    build_to(build_options(replace(options, unmapped="drop"), folder / "old"), folder / "old")
    assert contents(folder / "old") != new
    start = time.monotonic()
    arguments = [*options.arguments(), "--out", str(folder / "timed")]
    subprocess.run(command("build", *arguments), env=environment(), check=True, capture_output=True)
    return Scene(options, new, folder / "old", time.monotonic() - start)


@dataclass(frozen=True)
class Trial:
    """One build into a folder of its own.

    Attributes:
        scene: what is built.
        folder: holds the manifest, and what else the build leaves.
        replacing: whether there is an old manifest.
    """

    scene: Scene
    folder: Path
    replacing: bool

    @property
    def out(self) -> Path:
        return self.folder / "out" / "m"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def prepared(self) -> Trial:
        self.out.parent.mkdir(parents=True)
        self.temporary.mkdir()
        if self.replacing:
            shutil.copytree(self.scene.old, self.out)
        return self

    def arguments(self) -> list[str]:
        overwrite = ["--overwrite"] if self.replacing else []
        return [*self.scene.options.arguments(), "--out", str(self.out), *overwrite]

    def check_what_is_left(self) -> str:
        """The manifest is absent, the whole old one or the whole new one."""
        if not self.out.exists():
            return "absent"
        left = contents(self.out)
        if left == self.scene.new:
            return "new"
        assert self.replacing
        assert left == contents(self.scene.old)
        return "old"

    def check_the_next_run(self) -> None:
        """The same command succeeds and tidies up. In this process, which has all imported."""
        options = build_options(self.scene.options, self.out)
        overwrite = self.replacing or self.out.exists()
        assert build_to(replace(options, overwrite=overwrite), self.out) == self.scene.new
        assert [path.name for path in self.out.parent.iterdir()] == [self.out.name]


def test_a_build_killed_at_any_moment_leaves_no_half_manifest(scene: Scene, tmp_path: Path) -> None:
    rng = Random(0)
    moments = [scene.seconds * (place + rng.random()) / MOMENTS for place in range(MOMENTS)]

    def kill(number: int) -> int:
        trial = Trial(scene, tmp_path / str(number), replacing=number % 2 == 1).prepared()
        with subprocess.Popen(
            command("build", *trial.arguments()),
            env=environment(TMPDIR=str(trial.temporary)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(moments[number])
            process.kill()
        trial.check_what_is_left()
        return process.returncode

    with ThreadPoolExecutor(AT_ONCE) as threads:
        codes = list(threads.map(kill, range(MOMENTS)))
    assert set(codes) <= {0, -signal.SIGKILL}
    assert codes.count(-signal.SIGKILL) > MOMENTS / 2
    for number in range(MOMENTS):
        Trial(scene, tmp_path / str(number), replacing=number % 2 == 1).check_the_next_run()


@pytest.mark.parametrize("replacing", [False, True], ids=["new", "overwrite"])
def test_a_build_killed_at_any_step_of_writing_leaves_no_half_manifest(
    scene: Scene, tmp_path: Path, replacing: bool
) -> None:
    """Where moments are too coarse: before each write, rename and removal beside `--out`."""

    def kill(step: int) -> str:
        trial = Trial(scene, tmp_path / str(step), replacing).prepared()
        log = trial.folder / "steps"
        code = exit_code(["build", *trial.arguments()], trial.out.parent, step, log)
        assert code == (-signal.SIGKILL if step else 0)
        return trial.check_what_is_left()

    assert kill(0) == "new"
    steps = (tmp_path / "0" / "steps").read_text().splitlines()
    renames = [place for place, line in enumerate(steps, 1) if line.startswith("os.rename")]
    assert len(renames) == 1 + replacing
    last = renames[-1]
    # every step from shortly before the first rename on, and one in three before
    chosen = [*range(1, renames[0] - 2, 3), *range(renames[0] - 2, len(steps) + 1)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        left = dict(zip(chosen, threads.map(kill, chosen), strict=True))
    for step in chosen:
        if step <= renames[0]:
            assert left[step] == ("old" if replacing else "absent"), steps[step - 1]
        elif step <= last:
            assert left[step] == "absent", steps[step - 1]
        else:
            assert left[step] == "new", steps[step - 1]
        Trial(scene, tmp_path / str(step), replacing).check_the_next_run()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interrupted_build_says_so_and_tidies_up(
    scene: Scene, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    rng = Random(1)
    fractions = [0.0, *(rng.uniform(0, 0.6) for _ in range(5))]

    def interrupt(place: int) -> int:
        trial = Trial(scene, tmp_path / str(place), replacing=place % 2 == 1).prepared()
        # with 0, JSON files are read in a process of their own
        script = INTERRUPTIBLE.format(large_bytes=1 << 30 if place in (0, 1) else 0)
        with subprocess.Popen(
            [sys.executable, "-c", script, "build", *trial.arguments()],
            env=environment(TMPDIR=str(trial.temporary)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process:
            while not any(trial.temporary.iterdir()) and process.poll() is None:
                time.sleep(0.005)  # until the build has begun
            time.sleep(fractions[place] * scene.seconds)
            os.killpg(process.pid, number)  # as a terminal does, and as batch systems do
            printed, errors = process.communicate(timeout=30)
        left = trial.check_what_is_left()
        assert [path.name for path in trial.temporary.glob("lvis-merge-*")] == []
        assert [path.name for path in trial.out.parent.iterdir() if path != trial.out] == []
        if process.returncode != 0:  # it may have been done by then
            assert process.returncode == code, errors
            told = [line for line in errors.splitlines() if line.startswith("lvis-merge:")]
            assert told == ["lvis-merge: stopped; nothing half-done was left. Run it again."]
            assert "Traceback" not in errors
            assert printed in ("", BY_DAFT)
            assert left == ("old" if trial.replacing else "absent")
        return process.returncode

    with ThreadPoolExecutor(AT_ONCE) as threads:
        codes = list(threads.map(interrupt, range(len(fractions))))
    assert codes[0] == code
    Trial(scene, tmp_path / "1", replacing=True).check_the_next_run()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_build_that_waits_for_a_server_can_be_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    """One that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/lvis.json"
        script = INTERRUPTIBLE.format(large_bytes=0)
        with subprocess.Popen(
            [sys.executable, "-c", script, "build", "--lvis", address, "--out", tmp_path / "m"],
            env=environment(TMPDIR=str(tmp_path)),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            connection, _ = server.accept()
            with connection:
                process.send_signal(number)
                _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert errors == "lvis-merge: stopped; nothing half-done was left. Run it again.\n"
    assert list(tmp_path.iterdir()) == []
