"""What this machine can build: which torch is installed, with or without CUDA."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass

from lvis_merge.errors import InputError

_ASK = """
import json, torch
print(json.dumps({
    "torch": torch.__version__,
    "cuda": torch.version.cuda,
    "devices": sorted({
        "%d.%d" % torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())
    }),
}))
"""


@dataclass(frozen=True)
class Machine:
    """The installed torch and what it sees.

    Attributes:
        torch: its version with the local part, `2.13.0+cpu`.
        cuda: the CUDA it was built for; None for a CPU build.
        devices: compute capabilities of the visible GPUs, `9.0`.
        nvcc: path of the CUDA compiler, if one is found.
    """

    torch: str
    cuda: str | None
    devices: tuple[str, ...]
    nvcc: str | None

    def ops(self, wanted: str) -> str:
        """Which ops to build.

        Args:
            wanted: `auto`, `cpu` or `cuda`. `auto` builds for CUDA where torch is a CUDA build
                and a GPU is visible.

        Returns:
            `cpu` or `cuda`.

        Raises:
            InputError: CUDA ops are wanted and cannot be built here.
        """
        if wanted == "auto":
            wanted = "cuda" if self.cuda and self.devices else "cpu"
        if wanted == "cuda" and not (self.cuda and self.nvcc):
            lacks = "no nvcc is found" if self.cuda else f"torch {self.torch} is a CPU build"
            raise InputError(
                f"CUDA ops cannot be built: {lacks}. Install the CUDA toolkit that torch was built"
                f" for ({self.cuda or 'see pytorch.org'}) and set CUDA_HOME; or install a prebuilt"
                " onedl-mmcv wheel first; or take --ops cpu, which trains on no GPU."
            )
        return wanted

    def key(self, mmcv: str, ops: str) -> str:
        """The name that a wheel of the compiled ops is kept under; other machines, other names."""
        arch = os.environ.get("TORCH_CUDA_ARCH_LIST") or "-".join(self.devices)
        parts = [
            f"mmcv-{mmcv}",
            f"torch-{self.torch}",
            f"{sys.implementation.cache_tag}",
            f"{platform.system().lower()}-{platform.machine()}",
            f"cuda-{arch.replace(' ', '-').replace(';', '-')}" if ops == "cuda" else "cpu",
        ]
        return "_".join(parts)


def this_machine() -> Machine:
    """Asks the installed torch, in a process of its own: it may have been installed just now.

    Raises:
        InputError: torch does not import.
    """
    asked = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True)
    if asked.returncode:
        raise InputError(
            f"torch does not import: {asked.stderr.strip().splitlines()[-1]}. Install it again:"
            f" {sys.executable} -m pip install --force-reinstall torch"
        )
    answer = json.loads(asked.stdout.splitlines()[-1])
    return Machine(answer["torch"], answer["cuda"], tuple(answer["devices"]), _nvcc())


def _nvcc() -> str | None:
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    return shutil.which("nvcc", path=f"{home}/bin" if home else None)
