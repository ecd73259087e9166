"""The parameters of a model, counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

_OPENED = ("roi_head",)
"""Parts whose own parts are counted apart: the box head and the mask head."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of a model or of a part of it.

    Attributes:
        name: backbone, neck, rpn_head, roi_head.bbox_head, …; `model` for all.
        total: all.
        trainable: those that get a gradient; frozen stages do not.
    """

    name: str
    total: int
    trainable: int


def count_parameters(model: nn.Module) -> tuple[Parameters, ...]:
    """Counts parameters, each once however many modules share it.

    Args:
        model: a detector.

    Returns:
        The whole model, then its parts in its order; parts without parameters are left out.
    """
    counted = [_count("model", model), *(_count(name, part) for name, part in _parts(model))]
    return tuple(part for part in counted if part.total)


def _parts(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, part in model.named_children():
        if name in _OPENED:
            yield from ((f"{name}.{inner}", module) for inner, module in part.named_children())
        else:
            yield name, part


def _count(name: str, module: nn.Module) -> Parameters:
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    return Parameters(
        name, sum(size for size, _ in sizes), sum(size for size, learns in sizes if learns)
    )
