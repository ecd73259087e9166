"""Inputs that end a build: one message that says what is wrong, where and what to do; no output."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.bad_json import JSON_FIELDS, WHOLE_JSON
from tests.cli.bad_open_images import OPEN_IMAGES
from tests.cli.bad_side_files import SIDE_FILES
from tests.cli.command import Run
from tests.cli.small_inputs import BOXES, TRAIN, Inputs, make_inputs
from tests.cli.spoiling import Bad

BAD_FILES = (*WHOLE_JSON, *JSON_FIELDS, *OPEN_IMAGES, *SIDE_FILES)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_inputs(tmp_path_factory.mktemp("good")).folder


@pytest.fixture
def copied(good: Path, tmp_path: Path) -> Inputs:
    return Inputs(Path(shutil.copytree(good, tmp_path / "inputs")))


def test_the_good_inputs_build(run: Run, inputs: Inputs) -> None:
    """Otherwise a case below could fail for a reason of its own."""
    found = run("build", *inputs.everything(), "--out", str(inputs.path("out")), "--strict")
    assert (found.code, found.error) == (0, "")


@pytest.mark.parametrize("case", BAD_FILES, ids=lambda case: case.id)
def test_a_bad_file_is_told_and_nothing_is_written(case: Bad, run: Run, copied: Inputs) -> None:
    case.spoil(copied)
    before = sorted(copied.folder.rglob("*"))
    found = run("build", *case.options(copied), "--out", str(copied.path("out")))
    assert found.code == 3
    message = found.error.replace(str(copied.folder), "{}")
    assert message.startswith(case.message.replace("{{", "{").replace("}}", "}"))
    assert "\n" not in message
    assert found.stdout == ""
    assert sorted(copied.folder.rglob("*")) == before


def test_ids_of_the_table_are_distinct() -> None:
    ids = [case.id for case in BAD_FILES]
    assert len(set(ids)) == len(ids) > 100


@pytest.mark.parametrize(
    ("spoil", "options", "code", "message"),
    [
        # one of the JSON reader, one of daft's worker threads, one of the option parser
        (lambda i: i.cut(TRAIN), Inputs.lvis, 3, "lvis_train.json: no valid JSON at byte "),
        (
            lambda i: i.replace(BOXES, "XMin", "XLow"),
            Inputs.everything,
            3,
            "lvis-merge: train-annotations-bbox.csv: the header lacks XMin;",
        ),
        (lambda i: None, lambda i: ["--images", "some"], 2, "lvis-merge: --images some: give a"),
        (lambda i: None, lambda i: ["--nope"], 2, "No such option: --nope"),
    ],
)
def test_a_process_ends_with_the_code_and_no_traceback(
    spoil, options, code: int, message: str, inputs: Inputs
) -> None:
    spoil(inputs)
    command = [sys.executable, "-m", "lvis_merge", "build", *options(inputs)]
    found = subprocess.run(
        [*command, "--out", str(inputs.path("out"))], capture_output=True, text=True, check=False
    )
    assert found.returncode == code
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout == ""
    assert not inputs.path("out").exists()
