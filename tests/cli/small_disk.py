"""A disk of a few kilobytes: a file system in memory, mounted for one test."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SmallDisk:
    """A mounted file system.

    Attributes:
        folder: where it is mounted.
    """

    folder: Path

    def resize(self, kilobytes: int) -> None:
        self._remount(f"size={kilobytes}k")

    @contextmanager
    def filled(self, left: int) -> Iterator[None]:
        """Takes all room but so many kilobytes."""
        filler = self.folder / "filler"
        size = 64
        self.resize(size)
        filler.write_bytes(bytes((size - left) << 10))
        yield
        filler.unlink()

    def set_read_only(self, read_only: bool) -> None:
        """Even root cannot write to it then; permissions alone would not stop root."""
        self._remount("ro" if read_only else "rw")

    def left(self) -> list[str]:
        """What lies on it, hidden files too."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*"))

    def _remount(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 4 kB; skips where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("a small disk needs the program mount")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    found = subprocess.run(mount, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"a small disk needs the right to mount: {found.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
