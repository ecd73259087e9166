"""Our MongoDB: shared by the commands that run at once, and gone with the last of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lvis_merge.inspect.database import CACHE_VARIABLE, URI_VARIABLE, database
from tests.inspect.conftest import has_fiftyone

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_fiftyone(), reason="FiftyOne is not installed"),
]
HOLD = """
from lvis_merge.inspect.database import database
with database() as uri:
    print(uri, flush=True)
    input()
"""


def held(cache: Path) -> subprocess.Popen[str]:
    """A process that has the database until a line comes."""
    environment = {**os.environ, CACHE_VARIABLE: str(cache)}
    environment.pop(URI_VARIABLE, None)
    return subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answers(uri: str) -> bool:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with MongoClient(uri) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def test_the_last_to_leave_stops_it(tmp_path: Path) -> None:
    first = held(tmp_path)
    assert first.stdout is not None
    uri = first.stdout.readline().strip()
    assert uri.startswith("mongodb://127.0.0.1:")
    second = held(tmp_path)
    assert second.stdout is not None
    assert second.stdout.readline().strip() == uri
    first.communicate("\n")
    assert answers(uri.replace("5000", "500"))
    second.communicate("\n")
    assert (first.returncode, second.returncode) == (0, 0)
    end = time.monotonic() + 20
    while answers(uri.replace("5000", "300")):
        assert time.monotonic() < end


def test_a_killed_process_leaves_one_that_is_used_again(tmp_path: Path) -> None:
    first = held(tmp_path)
    assert first.stdout is not None
    uri = first.stdout.readline().strip()
    first.kill()
    first.wait()
    second = held(tmp_path)
    assert second.stdout is not None
    assert second.stdout.readline().strip() == uri
    second.communicate("\n")
    assert second.returncode == 0


def test_the_users_own_is_honoured_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, "mongodb://example.org:27017")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with database() as uri:
        assert uri == os.environ[URI_VARIABLE] == "mongodb://example.org:27017"
        assert os.environ["FIFTYONE_DO_NOT_TRACK"] == "1"
    assert os.environ[URI_VARIABLE] == "mongodb://example.org:27017"
    assert list(tmp_path.iterdir()) == []
