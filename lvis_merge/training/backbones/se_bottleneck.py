"""The block of SENet-154: a grouped bottleneck whose output channels are gated.

Hu et al., Squeeze-and-Excitation Networks (CVPR 2018). Module names are those of the widely
published PyTorch conversion, so that its weights load as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import mmcv.ops  # noqa: F401  registers the deformable convolutions
import torch
from mmcv.cnn import build_conv_layer, build_norm_layer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


class SEModule(nn.Module):
    """Scales each channel by a gate that is computed from the means of all channels.

    Args:
        channels: channels in and out.
        reduction: the two 1x1 convolutions meet at `channels // reduction`.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`[N, channels, H, W]` to the same shape."""
        mean = x.mean((2, 3), keepdim=True)
        return x * self.fc2(self.relu(self.fc1(mean))).sigmoid()


class SEBottleneck(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolutions, the gate, and the residual sum.

    The inner widths are twice and four times `planes`: SENet-154 halves the first of ResNeXt's.

    Args:
        inplanes: channels in.
        planes: a quarter of the channels out.
        groups: groups of the 3x3 convolution.
        reduction: reduction of the gate.
        stride: stride of the 3x3 convolution.
        downsample: what brings the input to the shape of the output; None where they agree.
        norm_cfg: norm layers, in mmcv's terms.
        dcn: deformable convolution for the 3x3, in mmcv's terms; None for a plain one.
            `fallback_on_stride=True` keeps it plain where it has a stride.
        with_cp: keep no activations of the block and compute them again in the backward pass.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        groups: int,
        reduction: int,
        stride: int,
        downsample: nn.Module | None,
        norm_cfg: dict[str, Any],
        dcn: dict[str, Any] | None,
        with_cp: bool,
    ) -> None:
        super().__init__()
        self.with_cp = with_cp
        dcn = dict(dcn) if dcn else None
        if dcn and dcn.pop("fallback_on_stride", False) and stride > 1:
            dcn = None
        narrow, wide = 2 * planes, self.expansion * planes
        self.conv1 = build_conv_layer(None, inplanes, narrow, 1, bias=False)
        self.norm1_name = self._add_norm(norm_cfg, narrow, 1)
        self.conv2 = build_conv_layer(
            dcn, narrow, wide, 3, stride=stride, padding=1, groups=groups, bias=False
        )
        self.norm2_name = self._add_norm(norm_cfg, wide, 2)
        self.conv3 = build_conv_layer(None, wide, wide, 1, bias=False)
        self.norm3_name = self._add_norm(norm_cfg, wide, 3)
        self.relu = nn.ReLU(inplace=True)
        self.se_module = SEModule(wide, reduction)
        self.downsample = downsample

    def _add_norm(self, norm_cfg: dict[str, Any], channels: int, number: int) -> str:
        name, layer = build_norm_layer(norm_cfg, channels, postfix=number)
        self.add_module(name, layer)
        return str(name)

    def forward(self, x: Tensor) -> Tensor:
        """`[N, inplanes, H, W]` to `[N, 4 * planes, H / stride, W / stride]`, rounded up."""
        if not (self.with_cp and torch.is_grad_enabled()):
            return self._block(x)
        return checkpoint(
            self._block,
            x,
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=self._checkpoint_contexts,
        )

    def _block(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(getattr(self, self.norm1_name)(self.conv1(x)))
        out = self.relu(getattr(self, self.norm2_name)(self.conv2(out)))
        out = self.se_module(getattr(self, self.norm3_name)(self.conv3(out)))
        return self.relu(out + identity)

    def _checkpoint_contexts(
        self,
    ) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        norms = [layer for layer in self.modules() if isinstance(layer, _BatchNorm)]
        return nullcontext(), _running_statistics_kept(norms)


@contextmanager
def _running_statistics_kept(norms: list[_BatchNorm]) -> Iterator[None]:
    # The second forward pass sees the same batch: it must not move the running mean and variance
    # again. (`num_batches_tracked` does count it; nothing reads that while momentum is set.)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
