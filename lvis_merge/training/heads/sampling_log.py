"""How many proposals an image were sampled and ignored, for the training log."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from torch import Tensor


def sampling_log(
    sampled: Sequence[SamplingResult],
    ignored: Sequence[Tensor | None],
    device: torch.device,
    prefix: str = "",
) -> dict[str, Tensor]:
    """Means over the images of a batch.

    Args:
        sampled: one per image.
        ignored: background proposals that ignore regions took away, per image; None where the
            assigner does not say.
        device: where the figures are wanted.
        prefix: of their names.

    Returns:
        `num_pos` and `num_neg`, and `num_ignored` where it is known; float32 of no dimensions.
        None has "loss" in its name: mmengine logs it and does not add it to the loss.
    """
    images = max(len(sampled), 1)
    figures = {
        "num_pos": torch.tensor(sum(len(result.pos_inds) for result in sampled) / images),
        "num_neg": torch.tensor(sum(len(result.neg_inds) for result in sampled) / images),
    }
    known = [count for count in ignored if count is not None]
    if known and len(known) == len(ignored):
        figures["num_ignored"] = torch.stack(known).float().mean()
    return {f"{prefix}{name}": figure.to(device) for name, figure in figures.items()}


def ignored_background(assigned: AssignResult) -> Tensor | None:
    """What BackgroundIgnoreAssigner counted; None of another assigner."""
    return assigned.get_extra_property("num_ignored")
