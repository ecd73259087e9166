"""SENet-154 as published, written out plainly: names, shapes and forward pass, without the package.

Names and shapes are those of `senet154-c7b49a05.pth`: 64 groups, reduction 16, a stem of three 3x3
convolutions, 3 + 8 + 36 + 3 blocks.
"""

import torch
from torch.nn import functional

BLOCKS = (3, 8, 36, 3)


def shapes(base: int = 64, groups: int = 64, reduction: int = 16) -> dict[str, tuple[int, ...]]:
    """Every entry of the state dict and its shape, without the class head."""
    entries: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            entries[f"{name}.{part}"] = (channels,)
        entries[f"{name}.num_batches_tracked"] = ()

    for number, (into, out) in enumerate([(3, base), (base, base), (base, 2 * base)], start=1):
        entries[f"layer0.conv{number}.weight"] = (out, into, 3, 3)
        norm(f"layer0.bn{number}", out)
    into = 2 * base
    for layer, blocks in enumerate(BLOCKS, start=1):
        planes = base * 2 ** (layer - 1)
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            entries[f"{name}.conv1.weight"] = (2 * planes, into, 1, 1)
            norm(f"{name}.bn1", 2 * planes)
            entries[f"{name}.conv2.weight"] = (4 * planes, 2 * planes // groups, 3, 3)
            norm(f"{name}.bn2", 4 * planes)
            entries[f"{name}.conv3.weight"] = (4 * planes, 4 * planes, 1, 1)
            norm(f"{name}.bn3", 4 * planes)
            entries[f"{name}.se_module.fc1.weight"] = (4 * planes // reduction, 4 * planes, 1, 1)
            entries[f"{name}.se_module.fc1.bias"] = (4 * planes // reduction,)
            entries[f"{name}.se_module.fc2.weight"] = (4 * planes, 4 * planes // reduction, 1, 1)
            entries[f"{name}.se_module.fc2.bias"] = (4 * planes,)
            if block == 0:
                side = 1 if layer == 1 else 3
                entries[f"{name}.downsample.0.weight"] = (4 * planes, into, side, side)
                norm(f"{name}.downsample.1", 4 * planes)
            into = 4 * planes
    return entries


def forward(
    state: dict[str, torch.Tensor], image: torch.Tensor, groups: int = 64
) -> list[torch.Tensor]:
    """The four stages' features in eval mode, from a state dict of those names."""

    def conv(name: str, x: torch.Tensor, stride: int = 1, groups: int = 1) -> torch.Tensor:
        weight = state[f"{name}.weight"]
        bias = state.get(f"{name}.bias")
        return functional.conv2d(
            x, weight, bias, stride=stride, padding=weight.shape[-1] // 2, groups=groups
        )

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        mean, var, weight, bias = (
            state[f"{name}.{part}"].reshape(1, -1, 1, 1)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    x = image
    for number, stride in ((1, 2), (2, 1), (3, 1)):
        x = norm(f"layer0.bn{number}", conv(f"layer0.conv{number}", x, stride)).clamp(min=0)
    x = functional.max_pool2d(x, 3, stride=2, ceil_mode=True)
    features = []
    for layer, blocks in enumerate(BLOCKS, start=1):
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = norm(f"{name}.bn1", conv(f"{name}.conv1", x)).clamp(min=0)
            y = norm(f"{name}.bn2", conv(f"{name}.conv2", y, stride, groups)).clamp(min=0)
            y = norm(f"{name}.bn3", conv(f"{name}.conv3", y))
            gate = conv(f"{name}.se_module.fc1", y.mean((2, 3), keepdim=True)).clamp(min=0)
            y = y * torch.sigmoid(conv(f"{name}.se_module.fc2", gate))
            if block == 0:
                x = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0", x, stride))
            x = (y + x).clamp(min=0)
        features.append(x)
    return features
