"""Runs the command line in process: arguments in, exit code, stdout and stderr out."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from lvis_merge import cli


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The message it ended with, without the program's name; empty if there is none.

        A scan that nobody waits for after an error may still say what it has done.
        """
        lines = self.stderr.partition("lvis-merge: ")[2].splitlines()
        return "\n".join(line for line in lines if not _PROGRESS.search(line))

    @property
    def notes(self) -> list[str]:
        """What else the user was told, stages aside."""
        lines = self.stderr.splitlines()
        return [line.removeprefix("note: ") for line in lines if line.startswith("note: ")]


_PROGRESS = re.compile(r"^note: |: \d+\.\d s$")

Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `lvis-merge ARGUMENTS`."""
    monkeypatch.setenv("COLUMNS", "300")  # messages of the option parser on one line

    def run_command(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["lvis-merge", *arguments])
        capsys.readouterr()
        code = cli.run()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(code, captured.out, captured.err)

    return run_command
