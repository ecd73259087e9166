"""The EQLv2 loss trains exactly as mmdet's, and does not break where that does."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.models.losses import EQLV2Loss

from lvis_merge.training.losses import SigmoidEQLv2Loss

STATISTICS = ("pos_grad", "neg_grad", "pos_neg")


def batch(seed: int, rows: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, 6, generator=generator) * 3
    return logits, torch.randint(0, 6, (rows,), generator=generator)


def test_losses_gradients_and_statistics_are_mmdets() -> None:
    ours, theirs = (
        made(num_classes=5, loss_weight=1.5, mu=0.7, alpha=3.0, gamma=10)
        for made in (SigmoidEQLv2Loss, EQLV2Loss)
    )
    for step in range(4):  # the weights follow the gradients of the steps before
        logits, label = batch(step)
        leaves = [logits.clone().requires_grad_() for _ in range(2)]
        values = [
            loss(leaf, label, torch.ones(12), avg_factor=12)
            for loss, leaf in zip((ours, theirs), leaves, strict=True)
        ]
        for value in values:
            value.backward()
        assert torch.equal(*values)
        assert torch.equal(leaves[0].grad, leaves[1].grad)
        for name in STATISTICS:
            assert torch.equal(getattr(ours, name), getattr(theirs, name))
    assert (ours.pos_neg < 100).any()
    assert set(ours.state_dict()) == set(STATISTICS)


def test_rows_left_out_are_as_if_not_sampled() -> None:
    logits, label = batch(0, rows=6)
    label[2] = -1
    weight = torch.tensor([1.0, 0.0, 1.0, 1.0, 2.0, 1.0])
    whole, alone = SigmoidEQLv2Loss(5), SigmoidEQLv2Loss(5)
    kept = [0, 3, 4, 5]
    assert torch.equal(whole(logits, label, weight), alone(logits[kept], label[kept]))
    assert torch.equal(whole.neg_grad, alone.neg_grad)


@pytest.mark.parametrize("rows", [0, 3], ids=["no rows", "all of weight 0"])
def test_no_rows_cost_nothing_and_stay_attached(rows: int) -> None:
    loss = SigmoidEQLv2Loss(5)
    loss(*batch(0))
    before = {name: getattr(loss, name).clone() for name in STATISTICS}
    logits = torch.randn(rows, 6, requires_grad=True)
    value = loss(logits, torch.zeros(rows, dtype=torch.int64), torch.zeros(rows))
    value.backward()
    assert value.item() == 0
    assert logits.grad is not None
    for name in STATISTICS:
        torch.testing.assert_close(getattr(loss, name), before[name])


def test_half_types_are_computed_in_float32() -> None:
    logits, label = batch(1)
    narrow, wide = SigmoidEQLv2Loss(5), SigmoidEQLv2Loss(5)
    value = narrow(logits.half(), label)
    assert value.dtype == torch.float32
    assert torch.equal(value, wide(logits.half().float(), label))
    assert torch.equal(narrow.pos_grad, wide.pos_grad)


def test_the_graph_is_not_kept_until_the_next_batch() -> None:
    loss = SigmoidEQLv2Loss(5)
    logits, label = batch(2)
    loss((logits.requires_grad_() * 2), label)
    copy.deepcopy(loss)  # as an exponential moving average does; mmdet's own fails here
    assert loss.pred_class_logits is None


def test_objectness_can_be_left_out_at_inference() -> None:
    logits, _ = batch(3)
    scores = SigmoidEQLv2Loss(5, test_with_obj=False).get_activation(logits)
    torch.testing.assert_close(scores[:, :-1], logits[:, :-1].sigmoid())
