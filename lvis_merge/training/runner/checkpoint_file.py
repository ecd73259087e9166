"""One checkpoint file: written whole or not at all, read without running what is in it."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from lvis_merge.errors import InputError

PARTIAL_SUFFIX = ".partial"

_UNSAFE = re.compile(r"(?:GLOBAL|class|function) ([\w.]+\.[\w.]+)")


def load(path: Path) -> Any:
    """Reads a file of `torch.save`, onto the CPU.

    Only tensors, plain values and numpy's arrays and numbers are made of it
    (`torch.load(weights_only=True)`); there is no fallback.

    Args:
        path: the file.

    Raises:
        InputError: the file is missing, damaged, no checkpoint, or holds anything else.
    """
    try:
        with torch.serialization.safe_globals(_numpy_types()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file.") from error
    except UnpicklingError as error:
        if found := _UNSAFE.search(str(error)):
            raise InputError(
                f"{path}: holds {found[1]}, which loading would run; only tensors and plain values"
                " are read from a checkpoint. Give a file with the weights alone (its state_dict),"
                " from a source that you trust."
            ) from error
        raise _damaged(path, error) from error
    except Exception as error:  # what a damaged pickle or archive raises is anybody's guess
        raise _damaged(path, error) from error


def weights(checkpoint: Any, where: str) -> OrderedDict[str, torch.Tensor]:
    """The weights of a checkpoint, or of a file that is nothing but weights.

    Args:
        checkpoint: what a file held.
        where: what messages call the file.

    Returns:
        Tensors by name; DDP's `module.` is taken off the names. torch's version marks
        (`_metadata`) are kept.

    Raises:
        InputError: there are none.
    """
    found: Any = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else {}
    tensors = isinstance(found, dict) and all(isinstance(w, torch.Tensor) for w in found.values())
    if not found or not tensors:
        raise InputError(f"{where}: holds no weights (a dict of tensors, or one as state_dict).")
    named: OrderedDict[str, torch.Tensor] = OrderedDict(
        (name.removeprefix("module."), value) for name, value in found.items()
    )
    named._metadata = getattr(found, "_metadata", None)  # type: ignore[attr-defined]
    return named


def save(content: Mapping[str, Any], path: Path) -> None:
    """Writes a checkpoint beside its place, then renames it: there is never half of one.

    Args:
        content: tensors and plain values only, so that `load` takes them.
        path: its place; what is there is replaced.

    Raises:
        InputError: it could not be written (a full disk); what was there is as before.
    """
    partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
    try:
        with partial.open("wb") as file:
            torch.save(content, file)
            _to_disk(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    # torch wraps what the disk says in a RuntimeError
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{path}: the checkpoint could not be written ({error}). The ones before it are"
            " untouched: make room, then carry on with --resume."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Writes a small text file, whole or not at all."""
    partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _to_disk(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)


def _numpy_types() -> list[Any]:
    """What numpy's arrays and numbers are pickled as, in other tools' checkpoints."""
    numbers = ("float32", "float64", "int32", "int64", "uint8", "bool")
    core: Any = np._core.multiarray  # type: ignore[attr-defined]
    return [
        core._reconstruct,
        core.scalar,
        np.ndarray,
        np.dtype,
        *(type(np.dtype(name)) for name in numbers),
    ]


def _damaged(path: Path, error: Exception) -> InputError:
    reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
    return InputError(
        f"{path}: is damaged or no checkpoint ({reason}). Give another file; of a download, fetch"
        " it again."
    )


def _to_disk(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
