"""Binary cross-entropy over proposals and categories, of which some pairs are left out."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.autograd.function import once_differentiable

from lvis_merge.training.losses.verified import VerifiedLabels

# Elements worked on at a time: on a CPU what stays in its cache, elsewhere what bounds the memory.
_CPU_ELEMENTS, _DEVICE_ELEMENTS = 1 << 17, 1 << 24

# log(1 + exp(x)) = x from here on, to the last bit of a float64.
_LINEAR = 50.0


def masked_bce(
    cls_score: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    tail: Tensor | None = None,
    verified: VerifiedLabels | None = None,
) -> Tensor:
    """Sum of the binary cross-entropies that count, over the number of proposals.

    `(1/N) Σ_i Σ_j k_ij BCE(z_ij, y_ij)`, where y_ij tells whether j is the category of proposal i,
    and k_ij = 1 if it is; else 0 if i is a foreground proposal and j a tail category, or if j is
    not verified on the image of i; else 1. No proposal at all: 0.

    Half types are computed in float32. For the backward pass one N x C matrix is kept, the
    gradient; the logits themselves are not.

    Args:
        cls_score: float [N, C], logits z.
        label: int64 [N], 0..C-1, C for background; -1: the proposal is left out.
        weight: float [N]; proposals of weight 0 are left out, of the sum and of N; the others count
            alike. None: all count.
        tail: bool [C]; None: no category is.
        verified: None: every category is verified on every image.

    Returns:
        A scalar, float32 or float64.

    Raises:
        ValueError: shapes that do not fit each other.
    """
    rows, classes = cls_score.shape
    _check("label", label, (rows,))
    dtype = torch.float64 if cls_score.dtype == torch.float64 else torch.float32
    if not rows:
        return 0 * cls_score.sum(dtype=dtype)
    counts = label >= 0
    if weight is not None:
        _check("weight", weight, (rows,))
        counts = counts & (weight != 0)
    foreground = counts & (label < classes)
    # a label too high would pass for background; checked without waiting for the device
    torch._assert_async((label <= classes).all(), f"a label is above {classes}, background")

    # A proposal's categories are looked up, so that no N x C mask is made. A logit of -inf has no
    # loss and no gradient, exactly.
    left_out = _left_out(classes, tail, verified, cls_score.device)
    shift = torch.zeros(left_out.shape, dtype=dtype, device=cls_score.device)
    shift.masked_fill_(left_out, -torch.inf)
    slot: Tensor | int = 0
    if verified is not None:
        _check("verified.slot", verified.slot, (rows,))
        slot = verified.slot
    row_of = torch.where(counts, 2 * slot + foreground, len(shift) - 1)

    own = label.clamp(0, classes - 1).long()[:, None], foreground[:, None]
    count = counts.sum().clamp(min=1).to(dtype)
    if cls_score.requires_grad and torch.is_grad_enabled():
        return _MaskedBCE.apply(cls_score, shift, row_of, *own, count)
    return _total(cls_score, shift, row_of, *own, None) / count


def _left_out(
    classes: int, tail: Tensor | None, verified: VerifiedLabels | None, device: torch.device
) -> Tensor:
    """bool [2 B + 1, C]: the categories that do not count at a proposal, unless they are its own.

    Row 2b is for background proposals of image b, row 2b + 1 for foreground ones; the last row is
    for proposals that are left out. Without verified labels B is 1.
    """
    if verified is None:
        unverified = torch.zeros((1, classes), dtype=torch.bool, device=device)
    else:
        _check("verified.negatives", verified.negatives, (len(verified.negatives), classes))
        unverified = ~verified.negatives
    at_objects = unverified
    if tail is not None:
        _check("tail", tail, (classes,))
        at_objects = unverified | tail
    pairs = torch.stack([unverified, at_objects], dim=1).flatten(0, 1)
    return F.pad(pairs, (0, 0, 0, 1), value=True)


def _check(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} has shape {list(value.shape)}, expected {list(shape)}")


class _MaskedBCE(torch.autograd.Function):
    """`masked_bce` whose forward pass leaves the gradient behind."""

    @staticmethod
    def forward(
        ctx: Any,
        cls_score: Tensor,
        shift: Tensor,
        row_of: Tensor,
        column: Tensor,
        foreground: Tensor,
        count: Tensor,
    ) -> Tensor:
        gradient = torch.empty(cls_score.shape, dtype=shift.dtype, device=cls_score.device)
        total = _total(cls_score, shift, row_of, column, foreground, gradient)
        ctx.save_for_backward(gradient, count)
        ctx.dtype = cls_score.dtype
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        gradient, count = ctx.saved_tensors
        # Only now, with a gradient scaler's factor in it, may the result become a half type. The
        # matrix kept is not written to: with retain_graph it is needed again.
        result = torch.empty_like(gradient, dtype=ctx.dtype)
        torch.mul(gradient, grad_output / count, out=result)
        return result, None, None, None, None, None


def _total(
    cls_score: Tensor,
    shift: Tensor,
    row_of: Tensor,
    column: Tensor,
    foreground: Tensor,
    gradient: Tensor | None,
) -> Tensor:
    """The sum of the losses.

    Args:
        cls_score: float [N, C].
        shift: float [R, C], 0, or -inf for a pair that is left out unless it is a positive.
        row_of: int64 [N], each proposal's row of `shift`.
        column: int64 [N, 1], the category of a foreground proposal, else any.
        foreground: bool [N, 1].
        gradient: float [N, C], receives the gradient of the sum; None: not wanted.
    """
    rows, classes = cls_score.shape
    at_once = _CPU_ELEMENTS if cls_score.device.type == "cpu" else _DEVICE_ELEMENTS
    step = max(1, at_once // max(classes, 1))
    sums = []
    for start in range(0, rows, step):
        part = slice(start, start + step)
        logits = shift.new_empty(cls_score[part].shape) if gradient is None else gradient[part]
        torch.index_select(shift, 0, row_of[part], out=logits)
        logits.add_(cls_score[part])
        # positives have a term of their own: BCE(z, 1) = log(1 + exp(-z))
        own = torch.where(foreground[part], -torch.inf, logits.gather(1, column[part]))
        logits.scatter_(1, column[part], own)
        sums.append(F.softplus(logits, threshold=_LINEAR).sum())
        if gradient is not None:
            logits.sigmoid_()
    own = cls_score.gather(1, column).to(shift.dtype)
    sums.append(torch.where(foreground, F.softplus(-own, threshold=_LINEAR), 0).sum())
    if gradient is not None:
        rest = gradient.gather(1, column)
        gradient.scatter_(1, column, torch.where(foreground, -torch.sigmoid(-own), rest))
    return torch.stack(sums).sum()
