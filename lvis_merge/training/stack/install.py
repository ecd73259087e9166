"""Installs the training stack into this Python: torch, mmengine, mmcv with compiled ops, mmdet."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Callable

from lvis_merge.errors import InputError
from lvis_merge.training.stack.machine import this_machine
from lvis_merge.training.stack.mmcv_wheel import mmcv_wheel
from lvis_merge.training.stack.pins import BUILD_TOOLS, MMCV, REQUIREMENTS, TORCH
from lvis_merge.training.stack.pip import pip

SETUP_COMMAND = "lvis-merge setup-training"

_PROOF = "import mmcv._ext, mmengine, mmdet.models, mmdet.datasets"


def install(ops: str, say: Callable[[str], None]) -> None:
    """Installs what is missing and proves that it imports.

    Args:
        ops: `auto`, `cpu` or `cuda`: what mmcv's ops are compiled for.
        say: told each step.

    Raises:
        InputError: something cannot be installed, built or imported.
    """
    if fault() is None and ops == "auto":
        say("the training stack is installed already")
        return
    if not shutil.which("c++") and not shutil.which("g++"):
        raise InputError("No C++ compiler is found. Install one (apt install g++), and run again.")
    if _installed("torch") is None:
        say(f"torch {TORCH}")
        pip(["install", f"torch=={TORCH}"])
    pip(["install", *BUILD_TOOLS])
    machine = this_machine()
    wheel = mmcv_wheel(machine, machine.ops(ops), say)
    say("mmcv, mmengine, mmdetection")
    # one without ops has the same version, so pip would leave it
    pip(["install", "--no-deps", "--force-reinstall", str(wheel)])
    # whichever torch is there stays; only its release has to fit
    pip(["install", *REQUIREMENTS])
    if found := fault():
        raise InputError(f"The training stack does not import after all: {found}")
    say(f"torch {machine.torch}, mmcv {MMCV} with compiled ops: ready")


def fault() -> str | None:
    """Why the stack cannot be used; None where it can. Imports it in a process of its own."""
    versions = {name: wanted for name, _, wanted in (r.partition("==") for r in REQUIREMENTS)}
    for name, wanted in versions.items():
        has = _installed(name.partition(">")[0])
        if has is None:
            return f"{name.partition('>')[0]} is not installed"
        if wanted and has.partition("+")[0] != wanted:
            return f"{name} is {has}, and {wanted} is what this version was tested with"
    proved = subprocess.run([sys.executable, "-c", _PROOF], capture_output=True, text=True)
    return proved.stderr.strip().splitlines()[-1] if proved.returncode else None


def _installed(name: str) -> str | None:
    importlib.invalidate_caches()
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
