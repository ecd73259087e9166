"""SENet-154 as a backbone.

Hu et al., Squeeze-and-Excitation Networks (CVPR 2018): the network that won ILSVRC 2017 and the
strongest single backbone of the LVIS Challenge 2019 winner.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.cnn import build_conv_layer, build_norm_layer
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lvis_merge.errors import InputError
from lvis_merge.training.backbones.se_bottleneck import SEBottleneck

_BLOCKS = {154: (3, 8, 36, 3)}
_HEAD = ("last_linear.weight", "last_linear.bias")


@MODELS.register_module()
class SENet(BaseModule):
    """SENet-154: 113 million parameters, four levels at strides 4, 8, 16 and 32.

    State-dict names and shapes are those of `senet154-c7b49a05.pth` (input RGB in [0, 1], mean
    0.485, 0.456, 0.406, std 0.229, 0.224, 0.225) without its 1,000-class head, which is left out
    when the file is loaded. A deformable 3x3 adds `conv_offset` beside the published weight.

    Args:
        depth: 154; SE-ResNet-50, -101 and -152 are other networks.
        out_indices: which of the four stages are returned, from 0.
        frozen_stages: -1: nothing; 0: the stem; n: the stem and the first n stages have no
            gradient and stay in eval mode.
        norm_cfg: norm layers, in mmcv's terms.
        norm_eval: batch norm keeps the statistics it has (its weights still learn, unless
            `norm_cfg` says otherwise). False trains them: for SyncBN.
        dcn: deformable convolution in the 3x3 of the blocks, in mmcv's terms (`type='DCN'` is the
            first version, `DCNv2` the modulated one).
        stage_with_dcn: in which of the four stages.
        with_cp: activation checkpointing: less memory for a second forward pass. Gradients and
            running statistics are the same as without.
        base_channels: channels of the first two convolutions; 64 is SENet-154, less a narrow copy
            for experiments.
        groups: groups of the 3x3 convolutions.
        reduction: reduction of the gates.
        init_cfg: mmengine's; None draws the weights (Kaiming).

    Raises:
        InputError: an option that the network cannot have.
    """

    def __init__(
        self,
        depth: int = 154,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen_stages: int = -1,
        norm_cfg: Mapping[str, Any] | None = None,
        norm_eval: bool = True,
        dcn: Mapping[str, Any] | None = None,
        stage_with_dcn: Sequence[bool] = (False, False, False, False),
        with_cp: bool = False,
        base_channels: int = 64,
        groups: int = 64,
        reduction: int = 16,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                {"type": "Kaiming", "layer": "Conv2d"},
                {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]},
            ]
        super().__init__(init_cfg)
        _check(depth, out_indices, frozen_stages, stage_with_dcn, base_channels, groups)
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        norm = dict(norm_cfg or {"type": "BN", "requires_grad": True})

        self.layer0 = _stem(base_channels, norm)
        channels = 2 * base_channels
        for stage, blocks in enumerate(_BLOCKS[depth]):
            planes = base_channels * 2**stage
            wide = SEBottleneck.expansion * planes
            stride = 1 if stage == 0 else 2
            deformable = dict(dcn) if dcn and stage_with_dcn[stage] else None
            layers = []
            for block in range(blocks):
                first = block == 0
                layers.append(
                    SEBottleneck(
                        channels if first else wide,
                        planes,
                        groups,
                        reduction,
                        stride=stride if first else 1,
                        downsample=_downsample(channels, wide, stride, norm) if first else None,
                        norm_cfg=norm,
                        dcn=deformable,
                        with_cp=with_cp,
                    )
                )
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
            channels = wide
        self._freeze()
        self.register_load_state_dict_pre_hook(_leave_out_classifier)

    def init_weights(self) -> None:
        """Draws or loads the weights; the offsets of fresh deformable convolutions are zero."""
        configs = [self.init_cfg] if isinstance(self.init_cfg, dict) else self.init_cfg or []
        # `conv_offset` is a Conv2d: a rule for Conv2d has drawn it at random. A pretrained file may
        # have learnt offsets.
        drawn = not self.is_init and all(config["type"] != "Pretrained" for config in configs)
        super().init_weights()
        if drawn:
            for name, parameter in self.named_parameters():
                if ".conv_offset." in name:
                    nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Image `[N, 3, H, W]` to the chosen stages' features, shallow first.

        Stage n is `[N, 4 * base_channels * 2**n, H / s, W / s]` with stride s = 4 * 2**n, exact
        where 32 divides H and W.
        """
        x = self.layer0(x)
        outs = []
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
            if stage in self.out_indices:
                outs.append(x)
        return tuple(outs)

    def train(self, mode: bool = True) -> SENet:
        """Train mode, but frozen stages (and with `norm_eval` all batch norm) stay in eval mode."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for layer in self.modules():
                if isinstance(layer, _BatchNorm):
                    layer.eval()
        return self

    def _freeze(self) -> None:
        for stage in range(self.frozen_stages + 1):
            layer = getattr(self, f"layer{stage}")
            layer.eval()
            layer.requires_grad_(False)


def _check(
    depth: int,
    out_indices: Sequence[int],
    frozen_stages: int,
    stage_with_dcn: Sequence[bool],
    base_channels: int,
    groups: int,
) -> None:
    if depth not in _BLOCKS:
        raise InputError(
            f"SENet: depth={depth} is not known; this backbone is SENet-154, depth=154"
        )
    if not out_indices or not set(out_indices) <= {0, 1, 2, 3}:
        raise InputError(f"SENet: out_indices={tuple(out_indices)}; the four stages are 0 to 3")
    if frozen_stages not in range(-1, 5):
        raise InputError(f"SENet: frozen_stages={frozen_stages}; -1 is none, 4 the whole network")
    if len(stage_with_dcn) != 4:
        raise InputError(f"SENet: stage_with_dcn={tuple(stage_with_dcn)}; four values are needed")
    if (2 * base_channels) % groups:
        raise InputError(
            f"SENet: base_channels={base_channels} and groups={groups}: the groups must divide"
            f" the {2 * base_channels} channels of the first 3x3 convolution"
        )


def _stem(base_channels: int, norm_cfg: dict[str, Any]) -> nn.Sequential:
    # three 3x3 convolutions in place of a 7x7
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for number, (width, stride) in enumerate(
        [(base_channels, 2), (base_channels, 1), (2 * base_channels, 1)], start=1
    ):
        layers[f"conv{number}"] = build_conv_layer(
            None, channels, width, 3, stride=stride, padding=1, bias=False
        )
        name, norm = build_norm_layer(norm_cfg, width, postfix=number)
        layers[name] = norm
        layers[f"relu{number}"] = nn.ReLU(inplace=True)
        channels = width
    # no padding, the last window may hang over: the published weights were trained so
    layers["pool"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return nn.Sequential(layers)


def _downsample(channels: int, width: int, stride: int, norm_cfg: dict[str, Any]) -> nn.Sequential:
    kernel = 1 if stride == 1 else 3
    return nn.Sequential(
        build_conv_layer(
            None, channels, width, kernel, stride=stride, padding=kernel // 2, bias=False
        ),
        build_norm_layer(norm_cfg, width)[1],
    )


def _leave_out_classifier(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: object
) -> None:
    for name in _HEAD:
        state_dict.pop(prefix + name, None)
