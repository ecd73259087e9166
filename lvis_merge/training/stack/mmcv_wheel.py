"""A wheel of mmcv with its compiled ops, built once and kept.

`pip install onedl-mmcv` builds in isolation, where no torch is: that silently makes a wheel without
ops, which pip keeps and takes again. So the wheel is built here with torch present.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from lvis_merge.cache import cache_folder
from lvis_merge.errors import InputError
from lvis_merge.training.stack.machine import Machine
from lvis_merge.training.stack.pins import MMCV
from lvis_merge.training.stack.pip import pip
from lvis_merge.training.stack.unity import gather

_JOB_BYTES = 2_300_000_000
"""Memory of one compiler process on the largest unit."""


def wheels_dir() -> Path:
    """Where wheels are kept."""
    return cache_folder("wheels")


def mmcv_wheel(machine: Machine, ops: str, say: Callable[[str], None]) -> Path:
    """The wheel for this machine: the kept one, or built now.

    Args:
        machine: the installed torch.
        ops: `cpu` or `cuda`.
        say: told what takes long.

    Returns:
        Path of a wheel; the same name always has the same contents.

    Raises:
        InputError: it does not build.
    """
    folder = wheels_dir() / machine.key(MMCV, ops)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installations at a time build it once
        if kept := sorted(folder.glob("onedl_mmcv-*.whl")):
            say(f"mmcv ops: taking the wheel kept in {folder}")
            return kept[0]
        with tempfile.TemporaryDirectory(dir=folder) as work:
            built = _build(Path(work), ops, say)
            return built.rename(folder / built.name)


def _build(work: Path, ops: str, say: Callable[[str], None]) -> Path:
    if not shutil.which("c++") and not shutil.which("g++"):
        raise InputError("No C++ compiler is found. Install one (apt install g++), and run again.")
    # --no-build-isolation: in isolation there is no torch, and no ops are built.
    # --no-cache-dir: pip may have kept a wheel without ops.
    as_is = ["--no-deps", "--no-build-isolation", "--no-cache-dir"]
    pip(["download", *as_is, "--no-binary=onedl-mmcv", f"--dest={work}", f"onedl-mmcv=={MMCV}"])
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(work, filter="data")
    source = work / archive.name.removesuffix(".tar.gz")
    gathered = ops == "cpu" and gather(source)
    how = "about two minutes" if gathered else "10 to 30 minutes: as shipped, in some 80 files"
    say(f"mmcv ops: compiling for {ops} ({how} on 2 cores)")
    pip(
        ["wheel", *as_is, f"--wheel-dir={work}", str(source)],
        env={
            "MMCV_WITH_OPS": "1",
            "MAX_JOBS": os.environ.get("MAX_JOBS") or str(_jobs()),
            "CFLAGS": os.environ.get("CFLAGS") or "-O2 -g0",
            # a visible GPU would have a CPU build compile CUDA after all
            **({"FORCE_CUDA": "1"} if ops == "cuda" else {"CUDA_VISIBLE_DEVICES": ""}),
        },
    )
    wheels = list(work.glob("onedl_mmcv-*.whl"))
    if not wheels or "none-any" in wheels[0].name:
        raise InputError("mmcv was built without its compiled ops: its set-up saw no torch.")
    return wheels[0]


def _jobs() -> int:
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, memory // _JOB_BYTES))
