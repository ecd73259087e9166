"""Installs the training stack into this Python: torch, mmengine, mmcv with compiled ops, mmdet."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable

from lvis_merge.errors import InputError
from lvis_merge.training.stack.machine import this_machine
from lvis_merge.training.stack.mmcv_wheel import mmcv_wheel
from lvis_merge.training.stack.pins import BUILD_TOOLS, LOGS, MMCV, PINNED, TORCH
from lvis_merge.training.stack.pip import pip

SETUP_COMMAND = "lvis-merge setup-training"

_OPS = "import torch, mmcv._ext"
_ALL = "import torch, mmcv._ext, mmengine, mmdet.models, mmdet.datasets, torch.utils.tensorboard"


def install(ops: str, say: Callable[[str], None]) -> None:
    """Installs what is missing and proves that it imports.

    Kept as they are: a torch of any version, and an mmcv of the pinned version whose compiled ops
    import (a prebuilt wheel, say).

    Args:
        ops: `auto`, `cpu` or `cuda`: what mmcv's ops are compiled for; not `auto`: compile them
            even where there are some.
        say: told each step.

    Raises:
        InputError: something cannot be installed, built or imported.
    """
    if ops == "auto" and fault() is None:
        say("installed already")
        return
    torch = installed("torch")
    if torch is None:
        say(f"installing torch {TORCH}")
        pip(["install", f"torch=={TORCH}"])
    elif torch.partition("+")[0] != TORCH:
        say(f"keeping torch {torch}; the tests ran on {TORCH}")
    if ops != "auto" or installed("onedl-mmcv") != MMCV or _cannot(_OPS):
        pip(["install", *BUILD_TOOLS])
        machine = this_machine()
        wheel = mmcv_wheel(machine, machine.ops(ops), say)
        # one without ops has the same version, so pip would leave it
        pip(["install", "--no-deps", "--force-reinstall", str(wheel)])
    say("installing mmengine, mmdetection and what they need")
    pip(["install", *(f"{name}=={version}" for name, version in PINNED.items()), LOGS])
    if found := fault():
        raise InputError(f"The training stack does not import after all: {found}")
    say(f"torch {installed('torch')}, mmcv {MMCV} with compiled ops: ready")


def fault() -> str | None:
    """Why the stack cannot be used; None where it can. Imports it in a process of its own."""
    for name, wanted in PINNED.items():
        has = installed(name)
        if has is None:
            return f"{name} is not installed"
        if has != wanted:
            return f"{name} is {has}, and this version works with {wanted}"
    return _cannot(_ALL)


def installed(name: str) -> str | None:
    """The version of a package; None where it is not installed."""
    importlib.invalidate_caches()
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cannot(statement: str) -> str | None:
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True)
    return (done.stderr.strip().splitlines() or ["it crashed"])[-1] if done.returncode else None
