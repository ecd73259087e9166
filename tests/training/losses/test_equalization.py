"""The equalization loss and its gradient are those of the paper."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from lvis_merge.training.losses import EqualizationLoss, SigmoidBCELoss, VerifiedLabels, masked_bce
from tests.training.losses.cases import Batch, batches, random_batch, with_tail
from tests.training.losses.reference import expected_loss


def loss_and_gradient(batch: Batch, logits: Tensor | None = None) -> tuple[Tensor, Tensor]:
    leaf = (batch.logits if logits is None else logits).detach().requires_grad_()
    loss = with_tail(batch.tail)(leaf, batch.label, batch.weight, verified=batch.verified)
    loss.backward()
    assert leaf.grad is not None
    return loss.detach(), leaf.grad


def assert_as_published(batch: Batch) -> None:
    expected = expected_loss(
        batch.logits.tolist(),
        batch.label.tolist(),
        batch.tail.tolist(),
        None if batch.weight is None else batch.weight.tolist(),
        batch.may_be_negative,
    )
    loss, gradient = loss_and_gradient(batch)
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(expected.loss, rel=1e-12, abs=1e-300)
    wanted = torch.tensor(expected.gradient, dtype=torch.float64).reshape(gradient.shape)
    torch.testing.assert_close(gradient, wanted, rtol=1e-12, atol=1e-300)


@settings(deadline=None, max_examples=150)
@given(batch=batches())
def test_value_and_gradient_are_the_published_formula(batch: Batch) -> None:
    assert_as_published(batch)


@pytest.mark.parametrize("elements", [1, 13, 40], ids=["a row", "a row and a bit", "3 rows"])
def test_it_is_the_same_in_parts(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked_bce, "_CPU_ELEMENTS", elements)
    assert_as_published(random_batch(17, 12, seed=3, weighted=True, images=2))


@pytest.mark.parametrize(
    ("weighted", "images"), [(False, 0), (True, 0), (False, 2), (True, 2)], ids=str
)
def test_gradcheck(weighted: bool, images: int) -> None:
    batch = random_batch(5, 4, seed=1, weighted=weighted, images=images)
    loss = with_tail(batch.tail, loss_weight=1.7)
    leaf = batch.logits.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda z: loss(z, batch.label, batch.weight, verified=batch.verified), (leaf,)
    )


def test_a_tail_category_is_pushed_down_by_background_and_not_by_other_objects() -> None:
    tail = torch.tensor([True, False, True])
    label = torch.tensor([1, 3, 0])  # an object of category 1, background, an object of category 0
    loss = with_tail(tail)
    logits = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    loss(logits, label).backward()
    half = 0.5 / 3
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.0, -half, 0.0], [half, half, half], [-half, half, 0.0]]


@pytest.mark.parametrize("weight", [[1.0, 0.0, 3.0, 0.0], None])
def test_rows_of_weight_0_are_as_if_not_sampled(weight: list[float] | None) -> None:
    batch = random_batch(4, 5, seed=4)
    label = batch.label if weight is not None else torch.tensor([2, -1, 5, -1])
    loss = with_tail(batch.tail)
    given_weight = None if weight is None else torch.tensor(weight)
    whole = loss(batch.logits, label, given_weight, avg_factor=99)
    alone = loss(batch.logits[[0, 2]], label[[0, 2]])
    assert whole.item() == pytest.approx(alone.item(), rel=1e-14)


def test_bce_is_the_loss_without_a_tail() -> None:
    batch = random_batch(9, 5, seed=5, weighted=True, images=2)
    plain = SigmoidBCELoss(loss_weight=2.0)(
        batch.logits, batch.label, batch.weight, verified=batch.verified
    )
    none = with_tail(torch.zeros(5, dtype=torch.bool))
    expected = none(batch.logits, batch.label, batch.weight, verified=batch.verified)
    assert plain.item() == 2 * expected.item()


def test_unverified_categories_get_exactly_no_gradient() -> None:
    # image 0 is of a verified source: 1 is verified absent, 2 present and exhaustively boxed
    negatives = torch.tensor([[False, True, True, False, False], [True] * 5])
    slot = torch.tensor([0, 0, 1])
    label = torch.tensor([3, 5, 5])  # an object of 3; background; background elsewhere
    for loss in (SigmoidBCELoss(), with_tail(torch.zeros(5, dtype=torch.bool))):
        logits = torch.randn(3, 5, requires_grad=True)
        loss(logits, label, verified=VerifiedLabels(slot, negatives)).backward()
        assert logits.grad is not None
        taught = logits.grad != 0
        assert taught.tolist() == [
            [False, True, True, True, False],  # its own category and the verified ones
            [False, True, True, False, False],
            [True] * 5,
        ]


@pytest.mark.parametrize("images", [0, 2])
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
def test_half_types_are_computed_in_float32(half: torch.dtype, images: int) -> None:
    batch = random_batch(40, 30, seed=6, images=images)
    logits = batch.logits.to(half)
    loss, gradient = loss_and_gradient(batch, logits)
    full, full_gradient = loss_and_gradient(batch, logits.float())
    assert (loss.dtype, gradient.dtype) == (torch.float32, half)
    assert loss.item() == full.item()
    assert torch.equal(gradient, full_gradient.to(half))


def test_a_gradient_scaler_saves_small_gradients() -> None:
    # sigmoid(-15) / 64 is below the smallest float16; scaled by 2^16 it is not
    logits = torch.full((64, 3), -15.0, dtype=torch.float16, requires_grad=True)
    loss = SigmoidBCELoss()(logits, torch.full((64,), 3))
    torch.amp.GradScaler("cpu", init_scale=2.0**16).scale(loss).backward()
    assert logits.grad is not None
    wanted = 2.0**16 * torch.sigmoid(torch.tensor(-15.0)) / 64
    torch.testing.assert_close(logits.grad.float(), wanted.expand(64, 3), rtol=2e-3, atol=0)


def test_under_autocast_the_layer_gets_a_full_gradient() -> None:
    batch = random_batch(16, 6, seed=7)
    layer = torch.nn.Linear(8, 6)
    features = torch.randn(16, 8)
    loss = with_tail(batch.tail)
    with torch.autocast("cpu", torch.bfloat16):
        logits = layer(features)
        value = loss(logits, batch.label)
    assert (logits.dtype, value.dtype) == (torch.bfloat16, torch.float32)
    value.backward()
    narrow = layer.weight.grad
    layer.weight.grad = None
    loss(layer(features), batch.label).backward()
    assert narrow is not None
    torch.testing.assert_close(narrow, layer.weight.grad, rtol=0.05, atol=2e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_extreme_logits_are_finite(dtype: torch.dtype) -> None:
    logits = torch.tensor([[1e4, -1e4, 1e4], [-1e4, 1e4, 0.0]], dtype=dtype)
    batch = Batch(logits, torch.tensor([1, 3]), torch.tensor([True, False, False]), None, None)
    loss, gradient = loss_and_gradient(batch)
    # row 0: its own category missed by 1e4, category 2 wrong by 1e4, the tail one left out
    # row 1: background, category 1 wrong by 1e4, category 2 undecided
    assert loss.item() == pytest.approx((1e4 + 1e4 + 1e4 + 0.6931471805599453) / 2, rel=1e-6)
    assert gradient.tolist() == [[0.0, -0.5, 0.5], [0.0, 0.5, 0.25]]


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda z: z.t().contiguous().t(), id="transposed"),
        pytest.param(lambda z: torch.cat([z, z], dim=1)[:, : z.shape[1]], id="columns of a wider"),
        pytest.param(lambda z: z[:1].expand_as(z), id="one row expanded"),
    ],
)
def test_views_are_fine(view: object) -> None:
    batch = random_batch(7, 5, seed=8)
    logits = view(batch.logits)  # type: ignore[operator]
    assert not logits.is_contiguous()
    plain = loss_and_gradient(batch, logits.contiguous())
    leaf = logits.contiguous().requires_grad_()
    seen = view(leaf)  # type: ignore[operator]
    loss = with_tail(batch.tail)(seen, batch.label)
    (gradient,) = torch.autograd.grad(loss, seen)
    assert torch.equal(loss.detach(), plain[0])
    assert torch.equal(gradient, plain[1])


def test_no_rows_cost_nothing_and_stay_attached() -> None:
    layer = torch.nn.Linear(3, 4)
    for dtype in (torch.float32, torch.float16):
        loss = EqualizationLoss(frequencies=[0.1] * 4)(
            layer(torch.zeros(0, 3)).to(dtype), torch.zeros(0, dtype=torch.int64)
        )
        loss.backward()
        assert (loss.item(), loss.dtype) == (0.0, torch.float32)
    assert layer.weight.grad is not None
    assert not layer.weight.grad.any()


def test_all_rows_left_out_cost_nothing_and_stay_attached() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    loss = SigmoidBCELoss()(logits, torch.tensor([1, 4, 0]), torch.zeros(3))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_without_a_gradient_the_value_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = random_batch(9, 5, seed=9, weighted=True, images=2)
    expected, _ = loss_and_gradient(batch)
    monkeypatch.setattr(masked_bce, "_MaskedBCE", None)  # no matrix is made for it
    loss = with_tail(batch.tail)
    plain = loss(batch.logits, batch.label, batch.weight, verified=batch.verified)
    with torch.no_grad():
        leaf = batch.logits.clone().requires_grad_()
        silent = loss(leaf, batch.label, batch.weight, verified=batch.verified)
    for value in (plain, silent):
        assert not value.requires_grad
        assert value.item() == pytest.approx(expected.item(), rel=1e-14)


def test_the_logits_are_not_written_to() -> None:
    batch = random_batch(6, 5, seed=10, images=1)
    before = batch.logits.clone()
    loss_and_gradient(batch)
    assert torch.equal(batch.logits, before)


def test_a_graph_that_is_kept_gives_its_gradient_again() -> None:
    batch = random_batch(6, 5, seed=11)
    leaf = batch.logits.clone().requires_grad_()
    loss = 3 * with_tail(batch.tail)(leaf, batch.label)
    (first,) = torch.autograd.grad(loss, leaf, retain_graph=True)
    (second,) = torch.autograd.grad(loss, leaf)
    assert torch.equal(first, second)


@pytest.mark.parametrize("images", [0, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_one_matrix_is_kept_for_the_backward_pass(dtype: torch.dtype, images: int) -> None:
    batch = random_batch(50, 40, seed=12, weighted=True, images=images)
    leaf = batch.logits.to(dtype).requires_grad_()
    kept: list[int] = []

    def note(saved: Tensor) -> Tensor:
        kept.append(saved.numel())
        return saved

    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        with_tail(batch.tail)(leaf, batch.label, batch.weight, verified=batch.verified)
    assert sorted(kept)[-1] == 50 * 40
    assert sum(kept) < 50 * 40 + 50


def test_second_derivatives_are_refused() -> None:
    leaf = torch.randn(2, 3, requires_grad=True)
    factor = torch.ones((), requires_grad=True)
    loss = factor * SigmoidBCELoss()(leaf, torch.tensor([0, 3]))
    (gradient,) = torch.autograd.grad(loss, leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"label": torch.zeros(3, dtype=torch.int64)}, "label", id="label"),
        pytest.param({"weight": torch.ones(2, 5)}, "weight", id="weight per pair"),
        pytest.param({"cls_score": torch.zeros(2, 6)}, "tail", id="a background channel"),
        pytest.param(
            {"verified": VerifiedLabels(torch.zeros(3, dtype=torch.int64), torch.ones(1, 5) > 0)},
            "slot",
            id="slot",
        ),
        pytest.param(
            {"verified": VerifiedLabels(torch.zeros(2, dtype=torch.int64), torch.ones(1, 4) > 0)},
            "negatives",
            id="negatives",
        ),
        pytest.param({"reduction_override": "sum"}, "sum", id="reduction"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    arguments = {"cls_score": torch.zeros(2, 5), "label": torch.zeros(2, dtype=torch.int64)}
    with pytest.raises(ValueError, match=message):
        EqualizationLoss(frequencies=[0.0] * 5)(**(arguments | change))


def test_a_label_that_is_no_category_is_refused() -> None:
    with pytest.raises(RuntimeError, match="a label is above 5"):
        SigmoidBCELoss()(torch.zeros(2, 5), torch.tensor([0, 6]))
