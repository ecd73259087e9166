"""Batches and schedules: a recipe counts optimizer steps and images a step, the runner batches."""

from __future__ import annotations

from typing import Any

from lvis_merge.errors import InputError

_SCHEDULER_COUNTS = ("begin", "end", "milestones", "periods", "step_size", "T_max", "total_steps")
"""Arguments of mmengine's schedulers that count iterations."""

_LOOP_COUNTS = ("max_iters", "val_interval", "val_begin")


def batch_size(total: int, world_size: int, accumulate: int) -> int:
    """Images in one batch of one process.

    Args:
        total: images an optimizer step, over all processes.
        world_size: processes, one per GPU.
        accumulate: batches of each process an optimizer step.

    Returns:
        total / (world_size * accumulate).

    Raises:
        InputError: a count below 1, or one that does not divide.
    """
    for name, value in (("total_batch", total), ("accumulate", accumulate)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} is {value!r}; it is a whole number from 1. Correct it.")
    share, left = divmod(total, world_size * accumulate)
    if left:
        fits = [k for k in range(1, total + 1) if total % (world_size * k) == 0]
        advice = (
            f"--set accumulate={fits[-1] if accumulate > fits[-1] else fits[0]}"
            if fits
            else "another number of GPUs"
        )
        near = max(round(total / (world_size * accumulate)), 1) * world_size * accumulate
        raise InputError(
            f"total_batch {total} cannot be shared by {world_size} GPUs x accumulate {accumulate}."
            f" Give {advice}, or --set total_batch={near} (and scale the learning rate with it)."
        )
    return share


def in_batches(tree: dict[str, Any], accumulate: int) -> dict[str, Any]:
    """A recipe with its counts of optimizer steps as counts of batches.

    Args:
        tree: the recipe; `train_cfg`, `param_scheduler` and the checkpoint hook count steps.
        accumulate: batches an optimizer step.

    Returns:
        A copy with max_iters, validation and checkpoint intervals and every scheduler's counts
        multiplied, and `optim_wrapper.accumulative_counts` set.

    Raises:
        InputError: a scheduler that counts epochs.
    """
    schedulers = tree["param_scheduler"]
    listed = [schedulers] if isinstance(schedulers, dict) else list(schedulers or ())
    for place, scheduler in enumerate(listed):
        # mmengine's default is True, and an endless sampler has no epochs
        if scheduler.get("by_epoch", True):
            raise InputError(
                f"param_scheduler.{place} ({scheduler.get('type')}) counts epochs; schedules here"
                " count optimizer steps. Give it by_epoch=False."
            )
    loop = _times(tree["train_cfg"], _LOOP_COUNTS, accumulate)
    if "dynamic_intervals" in loop:
        pairs = loop["dynamic_intervals"] or ()
        loop["dynamic_intervals"] = [tuple(n * accumulate for n in pair) for pair in pairs]
    changed = {
        **tree,
        "train_cfg": loop,
        "param_scheduler": [_times(one, _SCHEDULER_COUNTS, accumulate) for one in listed],
        "optim_wrapper": {**tree["optim_wrapper"], "accumulative_counts": accumulate},
    }
    hooks = tree.get("default_hooks") or {}
    if isinstance(checkpoint := hooks.get("checkpoint"), dict):
        hooks = {**hooks, "checkpoint": _times(checkpoint, ("interval",), accumulate)}
        changed["default_hooks"] = hooks
    return changed


def _times(fields: dict[str, Any], names: tuple[str, ...], factor: int) -> dict[str, Any]:
    changed = dict(fields)
    for name in names:
        value = fields.get(name)
        if isinstance(value, (list, tuple)):
            changed[name] = type(value)(number * factor for number in value)
        elif isinstance(value, int) and value > 0:
            changed[name] = value * factor
    return changed
