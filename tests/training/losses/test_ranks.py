"""EQLv2 on two ranks: both weight the categories by the gradients of all proposals."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from lvis_merge.training.losses import SigmoidEQLv2Loss, eqlv2

# rank 1 has no proposal in the second iteration
ROWS = ((6, 4), (5, 0), (3, 7))


class TwoRanks:
    """`all_reduce` between two threads, each in the place of a process.

    A rank that does not call it as often as the other one breaks the barrier, where real ranks
    would wait for ever.
    """

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)
        self.given: dict[int, Tensor] = {}

    def all_reduce(self, value: Tensor) -> None:
        self.given[threading.get_ident()] = value.clone()
        self.barrier.wait()
        total = sum(self.given[thread] for thread in sorted(self.given))
        self.barrier.wait()
        value.copy_(total)


@pytest.fixture
def batches() -> list[list[tuple[Tensor, Tensor]]]:
    """Logits and labels by iteration and rank."""
    generator = torch.Generator().manual_seed(0)
    return [
        [
            (
                torch.randn(rows, 6, generator=generator),
                torch.randint(0, 6, (rows,), generator=generator),
            )
            for rows in of_ranks
        ]
        for of_ranks in ROWS
    ]


def test_two_ranks_as_one(
    batches: list[list[tuple[Tensor, Tensor]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eqlv2, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_reduce", TwoRanks().all_reduce)

    def train(rank: int) -> dict[str, Tensor]:
        loss = SigmoidEQLv2Loss(5)
        for of_ranks in batches:
            loss(*of_ranks[rank])
        return dict(loss.state_dict())

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(train, range(2))
    monkeypatch.undo()
    single = SigmoidEQLv2Loss(5)
    for of_ranks in batches:
        single(*(torch.cat(parts) for parts in zip(*of_ranks, strict=True)))
    for name, value in single.state_dict().items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value)


def test_the_ranks_can_be_kept_apart(
    batches: list[list[tuple[Tensor, Tensor]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eqlv2, "get_world_size", lambda: 2)
    apart, alone = SigmoidEQLv2Loss(5, use_distributed=False), SigmoidEQLv2Loss(5)
    apart(*batches[0][0])  # `all_reduce` would fail: there is no process group
    monkeypatch.undo()
    alone(*batches[0][0])
    assert torch.equal(apart.pos_neg, alone.pos_neg)
