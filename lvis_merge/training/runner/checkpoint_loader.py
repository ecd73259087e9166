"""Where starting weights come from: files and addresses, always loaded as weights only.

mmengine's own loaders fall back to running what a checkpoint holds. The ones here take the place
of all of them, so that `init_cfg=dict(type='Pretrained', checkpoint=…)` in a config, `--init` and
mmengine's `load_checkpoint` never reach it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

import mmengine
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_file import load, weights

_HUB = Path(mmengine.__file__).parent / "hub"
_TORCHVISION = _HUB / "torchvision_0.12.json"
_OPENMMLAB = _HUB / "openmmlab.json"
_LISTS = {
    "torchvision://": _TORCHVISION,
    "modelzoo://": _TORCHVISION,
    "open-mmlab://": _OPENMMLAB,
    "openmmlab://": _OPENMMLAB,
}
_WEB = ("http://", "https://")


def use_safe_loaders() -> None:
    """Replaces every loader of mmengine's by `load_from`, whatever its prefix."""
    known = {"", *_WEB, *_LISTS, *CheckpointLoader._schemes}
    CheckpointLoader.register_scheme(sorted(known), load_from, force=True)


def load_from(filename: str, map_location: Any = None) -> Any:
    """Loads a checkpoint for mmengine's `CheckpointLoader`.

    Args:
        filename: a path; an http(s) address; `torchvision://NAME` or `open-mmlab://NAME` for one
            of the addresses that mmengine lists.
        map_location: ignored: everything is loaded onto the CPU, and copied where it belongs.

    Raises:
        InputError: it cannot be had, or is no checkpoint (`checkpoint_file.load`).
    """
    content = load(checkpoint_path(str(filename)))
    weights(content, str(filename))
    return content


def checkpoint_path(name: str) -> Path:
    """The local file of a checkpoint, downloaded if need be.

    Args:
        name: as for `load_from`.

    Raises:
        InputError: no such name, an address of a kind that is not supported, or no download.
    """
    for prefix, names in _LISTS.items():
        if name.startswith(prefix):
            return _downloaded(_address(name.removeprefix(prefix), name, names))
    if name.startswith(_WEB):
        return _downloaded(name)
    if "://" in name:
        raise InputError(
            f"{name}: checkpoints are read from files, http(s)://, torchvision:// and"
            " open-mmlab:// only. Download it and give the file."
        )
    return Path(name).expanduser()


def _address(model: str, name: str, names: Path) -> str:
    known = mmengine.load(names)
    if model not in known:
        raise InputError(f"{name}: mmengine lists no weights of that name in {names.name}.")
    address: str = known[model]
    return address


def _downloaded(address: str) -> Path:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = folder / Path(urlparse(address).path).name
    if file.is_file():
        return file
    advice = (
        f"Put the file at {file} yourself, or name a local one in the recipe (init_cfg) or with"
        " --set."
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.with_name(f".{file.name}.lock").open("w") as lock:
            # one process of a machine downloads, the others wait for it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.is_file():
                digits = torch.hub.HASH_REGEX.search(file.name)
                first = os.environ.get("RANK", "0") == "0"
                torch.hub.download_url_to_file(
                    address, str(file), digits[1] if digits else None, progress=first
                )
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(f"{address}: cannot be downloaded ({reason}). {advice}") from error
    except RuntimeError as error:  # the hash in its name
        raise InputError(f"{address}: arrived damaged ({error}). {advice}") from error
    return file
