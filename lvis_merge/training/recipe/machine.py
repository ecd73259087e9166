"""What a recipe becomes on the machine that runs it: device, precision, normalisation, workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lvis_merge.errors import InputError
from lvis_merge.training.recipe.tree import mapped

Say = Callable[[str], None]


def choose_device(wanted: str, *, training: bool, gpus: int) -> str:
    """The device that a recipe runs on.

    Args:
        wanted: `cuda`, `cpu`, or `any`: a GPU where there is one.
        training: False for a dry run, which needs no GPU.
        gpus: GPUs of this machine.

    Returns:
        `cuda` or `cpu`.

    Raises:
        InputError: another value, or a GPU is needed and there is none.
    """
    if wanted not in ("cuda", "cpu", "any"):
        raise InputError(f"device is {wanted!r}; give 'cuda', 'cpu' or 'any'.")
    if wanted == "any":
        return "cuda" if gpus else "cpu"
    if wanted == "cuda" and training and not gpus:
        raise InputError(
            "This recipe is for a GPU, and torch sees none here. `--dry-run` shows what it would do"
            " without one; the recipe `mini` trains on a CPU; --set device=cpu insists."
        )
    return wanted


def for_device(tree: dict[str, Any], device: str, say: Say) -> dict[str, Any]:
    """A recipe with `amp`, `sync_bn` and `device` as they are on a device.

    Args:
        tree: the recipe.
        device: `cuda` or `cpu`.
        say: told what a CPU cannot do.

    Returns:
        A copy; both are off on a CPU. With `amp` the optimizer wrapper is AmpOptimWrapper. Without
        `sync_bn`, SyncBN layers of the model are BN.
    """
    cuda = device == "cuda"
    if tree.get("amp") and not cuda:
        say("amp: off, the CPU computes in float32")
    amp = bool(tree.get("amp")) and cuda
    sync_bn = bool(tree.get("sync_bn")) and cuda
    model = tree["model"] if sync_bn else mapped(tree["model"], _without_sync)
    if model != tree["model"] or (tree.get("sync_bn") and not cuda):
        why = "sync_bn is off" if cuda else "on the CPU"
        say(f"SyncBN: BN instead, {why}; each process has its own statistics")
    wrapper = dict(tree["optim_wrapper"])
    if amp and wrapper.get("type", "OptimWrapper") == "OptimWrapper":
        wrapper["type"] = "AmpOptimWrapper"
    return {
        **tree,
        "device": device,
        "amp": amp,
        "sync_bn": sync_bn,
        "optim_wrapper": wrapper,
        "model": model,
    }


def fit_workers(loader: dict[str, Any]) -> dict[str, Any]:
    """A data loader's config; with no workers, without what torch then refuses."""
    if loader.get("num_workers"):
        return loader
    kept = {key: value for key, value in loader.items() if key != "prefetch_factor"}
    return {**kept, "persistent_workers": False}


def _without_sync(node: Any) -> Any:
    if isinstance(node, dict) and node.get("type") == "SyncBN":
        return {**node, "type": "BN"}
    return node
