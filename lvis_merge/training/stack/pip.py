"""pip of this Python, as a process; its output goes to stderr when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lvis_merge.errors import InputError

_LAST_LINES = 25


def pip(
    arguments: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Runs pip quietly.

    Args:
        arguments: of pip.
        cwd: where to run it.
        env: more environment variables.

    Raises:
        InputError: it failed; with the last lines it said.
    """
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check"]
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True
    )
    if "No module named pip" in done.stderr:
        raise InputError(f"{sys.executable} has no pip. Run: {sys.executable} -m ensurepip")
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
        raise InputError(
            f"pip could not do it (exit {done.returncode}): pip {' '.join(arguments)}\n{said}\n"
            "Check the network, the package index that pip is set to, and the space on the disk."
        )
