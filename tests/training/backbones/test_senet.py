"""SENet-154: the published network, its names, and what a detector asks of a backbone."""

import logging
from collections.abc import Iterator

import pytest

pytest.importorskip("mmdet")

import torch
from mmcv.ops import DeformConv2dPack, ModulatedDeformConv2dPack
from mmengine.logging import MMLogger
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lvis_merge.errors import InputError
from lvis_merge.training.backbones import SENet
from tests.training.backbones import published_senet154

NARROW = {"base_channels": 8, "groups": 8}
ON_C3_TO_C5 = (False, True, True, True)


def narrow(seed: int = 0, **options) -> SENet:
    """All 154 layers at an eighth of the width, with drawn weights and statistics."""
    torch.manual_seed(seed)
    net = SENet(**NARROW, **options)
    net.init_weights()
    for layer in net.modules():
        if isinstance(layer, _BatchNorm):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
            # else the residual sums of 50 blocks grow without bound
            nn.init.constant_(layer.weight, 0.5)
    return net


@pytest.fixture
def image() -> torch.Tensor:
    # the smallest that a deformable 3x3 takes at stride 32
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1)) - 0.5


@pytest.mark.parametrize("norm", ["BN", "SyncBN"])
def test_names_and_shapes_are_those_of_the_published_file(norm):
    with torch.device("meta"):
        net = SENet(depth=154, norm_cfg={"type": norm, "requires_grad": True})

    found = {name: tuple(value.shape) for name, value in net.state_dict().items()}

    assert found == published_senet154.shapes()


def test_parameters_with_the_published_head():
    with torch.device("meta"):
        net = SENet(depth=154)

    backbone = sum(parameter.numel() for parameter in net.parameters())

    assert backbone == 113_039_984
    assert backbone + 2048 * 1000 + 1000 == 115_088_984


def test_four_levels_at_strides_4_to_32():
    with torch.device("meta"):
        features = SENet(depth=154)(torch.empty(2, 3, 800, 1344))

    assert [tuple(level.shape) for level in features] == [
        (2, 256, 200, 336),
        (2, 512, 100, 168),
        (2, 1024, 50, 84),
        (2, 2048, 25, 42),
    ]


def test_out_indices_choose_levels(image):
    net = narrow(out_indices=(1, 3)).eval()

    assert [level.shape[1] for level in net(image)] == [64, 256]


def test_forward_is_the_published_one(image):
    net = narrow().eval()

    with torch.no_grad():
        found = net(image)
        expected = published_senet154.forward(net.state_dict(), image, groups=8)

    assert found[3].abs().max() > 1e-3
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


# -- deformable convolution


def kinds(net: SENet) -> list[set[str]]:
    """Per stage, the classes of the blocks' 3x3 convolutions."""
    return [
        {type(block.conv2).__name__ for block in getattr(net, f"layer{stage}")}
        for stage in (1, 2, 3, 4)
    ]


def test_deformable_where_the_stages_say():
    net = SENet(**NARROW, dcn={"type": "DCN", "deform_groups": 1}, stage_with_dcn=ON_C3_TO_C5)

    assert kinds(net) == [{"Conv2d"}, *[{"DeformConv2dPack"}] * 3]


def test_fallback_on_stride_keeps_the_first_blocks_plain():
    dcn = {"type": "DCN", "deform_groups": 1, "fallback_on_stride": True}
    net = SENet(**NARROW, dcn=dcn, stage_with_dcn=ON_C3_TO_C5)

    assert isinstance(net.get_submodule("layer2.0.conv2"), nn.Conv2d)
    assert kinds(net)[1:] == [{"Conv2d", "DeformConv2dPack"}] * 3


def test_deformable_with_zero_offsets_is_the_plain_network(image):
    plain = narrow().eval()
    deformable = narrow(
        seed=9, dcn={"type": "DCN", "deform_groups": 1}, stage_with_dcn=ON_C3_TO_C5
    ).eval()

    missing, unexpected = deformable.load_state_dict(plain.state_dict(), strict=False)

    # the published weights fill everything but the offsets
    assert unexpected == []
    assert missing
    assert all(".conv2.conv_offset." in name for name in missing)
    with torch.no_grad():
        for one, other in zip(deformable(image), plain(image), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "layer"), [("DCN", DeformConv2dPack), ("DCNv2", ModulatedDeformConv2dPack)]
)
def test_the_offsets_of_a_fresh_network_are_zero_and_learn(kind, layer, image):
    net = narrow(dcn={"type": kind, "deform_groups": 1}, stage_with_dcn=(False, False, False, True))
    offsets = [module.conv_offset for module in net.modules() if isinstance(module, layer)]

    assert len(offsets) == 3
    assert all(not offset.weight.any() and not offset.bias.any() for offset in offsets)
    net(image)[3].square().sum().backward()
    assert all(offset.weight.grad.abs().sum() > 0 for offset in offsets)


# -- pretrained weights


def published_file(path, net: SENet) -> str:
    """A file as published: with the class head, and without BN's counters, which came later."""
    state = {
        name: value
        for name, value in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    state["last_linear.weight"] = torch.zeros(1000, 256)
    state["last_linear.bias"] = torch.zeros(1000)
    torch.save(state, path / "senet154.pth")
    return str(path / "senet154.pth")


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def test_pretrained_weights_load_and_the_class_head_is_left_out(tmp_path, log):
    source = narrow(seed=3)
    checkpoint = published_file(tmp_path, source)

    net = SENet(**NARROW, init_cfg={"type": "Pretrained", "checkpoint": checkpoint})
    net.init_weights()

    for name, value in source.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=0, atol=0)
    assert any("load model from" in line for line in log)
    assert not [line for line in log if "unexpected" in line or "missing" in line]


def test_learnt_offsets_of_a_pretrained_file_are_kept(tmp_path):
    options = {"dcn": {"type": "DCN", "deform_groups": 1}, "stage_with_dcn": ON_C3_TO_C5}
    source = narrow(**options)
    nn.init.constant_(source.get_parameter("layer2.0.conv2.conv_offset.bias"), 0.25)
    torch.save(source.state_dict(), tmp_path / "net.pth")

    net = SENet(
        **NARROW,
        **options,
        init_cfg={"type": "Pretrained", "checkpoint": str(tmp_path / "net.pth")},
    )
    net.init_weights()

    assert (net.get_parameter("layer2.0.conv2.conv_offset.bias") == 0.25).all()


def test_a_run_that_brings_its_weights_takes_the_pretrained_file_out():
    net = SENet(**NARROW, init_cfg={"type": "Pretrained", "checkpoint": "nowhere.pth"})
    net.init_cfg = None

    net.init_weights()

    assert net.is_init


# -- what training asks for


@pytest.mark.parametrize("frozen", [-1, 0, 1, 4])
def test_frozen_stages_have_no_gradient_and_keep_their_statistics(frozen):
    net = SENet(**NARROW, frozen_stages=frozen, norm_eval=False)
    net.train()

    for stage in range(5):
        layer = net.get_submodule(f"layer{stage}")
        norms = [module for module in layer.modules() if isinstance(module, _BatchNorm)]
        learns = stage > frozen
        assert {parameter.requires_grad for parameter in layer.parameters()} == {learns}
        assert {norm.training for norm in norms} == {learns}


@pytest.mark.parametrize("norm_eval", [True, False])
def test_norm_eval_keeps_the_running_statistics(norm_eval, image):
    net = narrow(norm_eval=norm_eval)
    before = {name: value.clone() for name, value in net.named_buffers()}
    net.train()
    with torch.no_grad():
        net(image)

    moved = [
        name
        for name, value in net.named_buffers()
        if name.endswith("running_mean") and not torch.equal(value, before[name])
    ]

    assert len(moved) == (0 if norm_eval else 3 + 50 * 3 + 4)


@pytest.mark.parametrize("frozen", [-1, 1])
@pytest.mark.parametrize("kind", [None, "DCN"])
def test_checkpointing_changes_neither_gradients_nor_statistics(frozen, kind, image):
    dcn = {"type": kind, "deform_groups": 1} if kind else None
    options = {"frozen_stages": frozen, "norm_eval": False, "dcn": dcn}
    options["stage_with_dcn"] = (False, False, False, True)
    nets = [narrow(with_cp=with_cp, **options) for with_cp in (False, True)]
    passes = []
    for net in nets:
        calls: list[int] = []
        net.get_submodule("layer4.2.conv1").register_forward_hook(lambda *_, c=calls: c.append(1))
        net.train()
        sum(level.square().mean() for level in net(image)).backward()
        passes.append(len(calls))

    assert passes == [1, 2]  # else nothing was checkpointed
    without, with_cp = nets
    for (name, one), other in zip(without.named_parameters(), with_cp.parameters(), strict=True):
        if one.grad is None:
            assert other.grad is None, name
        else:
            torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-6, msg=name)
    for (name, one), other in zip(without.named_buffers(), with_cp.buffers(), strict=True):
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-7, msg=name)
    assert {m.momentum for m in with_cp.modules() if isinstance(m, _BatchNorm)} == {0.1}


def test_group_norm_takes_the_place_of_batch_norm():
    net = SENet(**NARROW, norm_cfg={"type": "GN", "num_groups": 8, "requires_grad": True})

    assert not any(isinstance(module, _BatchNorm) for module in net.modules())
    assert isinstance(net.get_submodule("layer1.0.gn1"), nn.GroupNorm)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"depth": 50}, "depth=154"),  # SE-ResNet-50 is another network
        ({"out_indices": (0, 4)}, "out_indices"),
        ({"out_indices": ()}, "out_indices"),
        ({"frozen_stages": 5}, "frozen_stages=5"),
        ({"stage_with_dcn": (True, True)}, "stage_with_dcn"),
        ({"base_channels": 24}, "groups=64"),  # 48 channels in 64 groups
    ],
)
def test_options_that_cannot_be(options, says):
    with pytest.raises(InputError, match=says):
        SENet(**options)
