"""Folders that go when their block ends, whatever still writes to them."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lvis_merge.sources.files import temporary_folder
from lvis_merge.unfinished import remove_unfinished


def fill(folder: Path) -> int:
    """Writes small files until that fails, as a scan that nobody waits for does."""
    number = 0
    try:
        while number < 100_000:
            (folder / "below").mkdir(exist_ok=True)
            (folder / "below" / str(number)).write_bytes(b"rows")
            number += 1
    except (FileNotFoundError, FileExistsError):  # `mkdir` looks twice
        return number
    raise AssertionError("nothing ended it")


@pytest.mark.parametrize("at_once", [False, True])
def test_a_thread_that_goes_on_writing_leaves_nothing(
    at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: after an error, and when the process ends at once, no temporary file is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with ThreadPoolExecutor(2) as threads:
        for _ in range(20):
            with temporary_folder() as folder:
                writing = [threads.submit(fill, folder / name) for name in ("", "")]
                while not (folder / "below" / "50").exists():
                    pass
                if at_once:
                    remove_unfinished()
                    assert list(tmp_path.iterdir()) == []
            assert sum(thread.result() for thread in writing) >= 50
            assert list(tmp_path.iterdir()) == []
