"""`lvis-merge validate` and `stats`: exit codes, streams, damaged manifests."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lvis_merge import cli
from tests.cli.command import Run
from tests.cli.small_inputs import TRAIN, make_inputs

TABLES = ("images", "annotations", "categories", "rejects")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    inputs = make_inputs(tmp_path_factory.mktemp("built"))
    with pytest.MonkeyPatch.context() as patch:
        options = [*inputs.everything(), "--out", str(inputs.path("out"))]
        patch.setattr("sys.argv", ["lvis-merge", "build", *options])
        assert cli.run() == 0
    return inputs.path("out")


@pytest.fixture
def manifest(built: Path, tmp_path: Path) -> Path:
    """A manifest of one's own, to be damaged."""
    return Path(shutil.copytree(built, tmp_path / "manifest"))


def test_a_sound_manifest_is_valid(run: Run, built: Path) -> None:
    found = run("validate", str(built))
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout == f"{built}: valid (0 warnings)\n"


def test_a_broken_rule_ends_with_1_and_names_the_row(run: Run, manifest: Path) -> None:
    path = manifest / "images.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("width")
    widths = [0, *table["width"].to_pylist()[1:]]
    field = table.schema.field("width")
    table = table.set_column(at, field, pa.array(widths, field.type))
    pq.write_table(table, path)
    found = run("validate", str(manifest))
    assert found.code == 1
    assert "width" in found.stdout
    assert f"{table['image_id'][0]}" in found.stdout
    assert found.error.startswith(f"{manifest}: ")
    assert found.error.endswith("errors. Build it again from its sources.")


def test_with_json_nothing_else_is_on_stdout(run: Run, manifest: Path) -> None:
    found = run("validate", str(manifest), "--json")
    assert json.loads(found.stdout) == {"manifest": str(manifest), "valid": True, "findings": []}
    (manifest / "rejects.parquet").unlink()
    found = run("validate", str(manifest), "--json")
    assert found.code == 1
    printed = json.loads(found.stdout)
    assert printed["valid"] is False
    assert [(found["table"], found["message"]) for found in printed["findings"]] == [
        ("rejects.parquet", "missing. Build the manifest again.")
    ]


@pytest.mark.parametrize("command", ["validate", "stats"])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: place, "{}: no such folder. Give the folder that `lvis-merge build` wrote."),
        (lambda place: place.write_text("x"), "{}: no such folder. Give the folder that"),
        (lambda place: place.mkdir(), "{}: not a manifest (no manifest.json). Give the folder"),
        (
            lambda place: (place.mkdir(), (place / "manifest.json").write_text("{}")),
            "{}/manifest.json: not a manifest's record (schema_version, tool_version, label_space)",
        ),
        (
            lambda place: (
                place.mkdir(),
                (place / "manifest.json").write_text(
                    '{"schema_version": 99, "tool_version": "9.0", "label_space": "lvis"}'
                ),
            ),
            "{}/manifest.json: schema version 99, written by lvis-merge 9.0; this lvis-merge reads",
        ),
    ],
    ids=["nothing", "file", "folder", "other-json", "newer"],
)
def test_no_manifest_ends_with_3(
    make, message: str, command: str, run: Run, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    make(place)
    found = run(command, str(place))
    assert found.code == 3
    assert found.error.startswith(message.replace("{}", str(place)))
    assert found.stdout == ""


def flip(data: bytes) -> bytes:
    return data[:12] + bytes(255 - byte for byte in data[12:60]) + data[60:]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"x" * 50, flip],
    ids=["empty", "cut", "junk", "flipped"],
)
def test_a_damaged_table_ends_with_a_message(damage, table: str, run: Run, manifest: Path) -> None:
    path = manifest / f"{table}.parquet"
    path.write_bytes(damage(path.read_bytes()))
    found = run("validate", str(manifest))
    assert found.code == 1
    assert f"{table}.parquet" in found.stdout
    assert run("stats", str(manifest)).code in (0, 3)


@pytest.mark.parametrize("table", TABLES)
def test_stats_of_a_foreign_table_names_the_missing_columns(
    table: str, run: Run, manifest: Path
) -> None:
    other = "categories" if table != "categories" else "images"
    shutil.copy(manifest / f"{other}.parquet", manifest / f"{table}.parquet")
    found = run("stats", str(manifest))
    assert found.code == 3
    assert found.error.startswith(f"{manifest}/{table}.parquet: has no column ")
    assert found.error.endswith("Build the manifest again.")


def test_stats_prints_json_alone(run: Run, built: Path) -> None:
    found = run("stats", str(built), "--json")
    assert found.code == 0
    assert isinstance(json.loads(found.stdout), dict)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--image-root", "x"), 2, "--image-root is for the pictures of --report DIR; give that"),
        (("--image-root", "/no/where", "--report", "{}/r"), 2, "--image-root /no/where: no such"),
        (("--report", "{}/" + TRAIN), 3, "{}/lvis_train.json: File exists. Check the path, who"),
    ],
)
def test_stats_refuses_options_that_it_cannot_follow(
    options: tuple[str, ...], code: int, message: str, run: Run, built: Path
) -> None:
    folder = str(built.parent)
    found = run("stats", str(built), *(option.replace("{}", folder) for option in options))
    assert found.code == code
    assert found.error.startswith(message.replace("{}", folder))


@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        (">&-", 0),  # no stdout at all
        ("> /dev/full", 3),  # a full disk
        ("| true", 0),  # a reader that has left; the pipe ends with `true`'s code
    ],
)
def test_a_stdout_that_takes_nothing_ends_without_a_traceback(
    redirection: str, code: int, built: Path
) -> None:
    command = f"{shlex.quote(sys.executable)} -m lvis_merge validate {shlex.quote(str(built))}"
    found = subprocess.run(
        f"{command} {redirection}", shell=True, capture_output=True, text=True, check=False
    )
    assert found.returncode == code
    assert "Traceback" not in found.stderr


def test_a_terminal_that_is_not_utf_8_gets_question_marks(built: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "lvis_merge", "stats", str(built)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert "label space lvis ? 3 categories" in found.stdout
