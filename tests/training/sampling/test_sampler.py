"""The sampler is one endless chain of epochs, whatever the ranks, from any place on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdet.registry import DATA_SAMPLERS
from mmengine.runner import Runner
from torch.utils.data import BatchSampler, Dataset

from lvis_merge.errors import InputError
from lvis_merge.training.data.draw import Draw
from lvis_merge.training.sampling import RepeatFactorSampler, epoch_indices, sampler
from tests.training.sampling.served import Served, served_images

WORLD = Served(
    ["lvis"] * 12 + ["open_images"] * 5,
    [(image, image % 3) for image in range(17)] + [(0, 3), (12, 4)],
    5,
)
OPTIONS = {"repeat_threshold": 0.5, "source_weight": {"open_images": 0.3}, "seed": 5}


def on_rank(
    rank: int, world_size: int, served: Served = WORLD, **options: object
) -> RepeatFactorSampler:
    """The sampler as rank `rank` makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampler, "get_dist_info", lambda: (rank, world_size))
        return RepeatFactorSampler(served, **(OPTIONS | options))  # type: ignore[arg-type]


def chain(draws: Sequence[Draw]) -> list[int]:
    """Image indices of draws whose positions are 0, 1, …"""
    assert [draw.position for draw in draws] == list(range(len(draws)))
    assert all(type(draw.index) is int for draw in draws)
    return [draw.index for draw in draws]


@pytest.mark.parametrize("shuffle", [True, False])
def test_the_chain_is_one_epoch_after_the_other(shuffle: bool) -> None:
    made = on_rank(0, 1, shuffle=shuffle)
    assert made.expected_epoch_length == made.repeat_factors.sum()
    assert (made.repeat_factors > 1).any()
    epochs = [epoch_indices(made.repeat_factors, 5, epoch, shuffle) for epoch in range(6)]
    assert len({len(epoch) for epoch in epochs}) > 1
    wanted = np.concatenate(epochs).tolist()
    assert chain(list(islice(made, len(wanted)))) == wanted


@pytest.mark.parametrize("world_size", [2, 3, 8])
def test_the_ranks_share_the_chain_of_one(world_size: int) -> None:
    alone = chain(list(islice(on_rank(0, 1), 40 * world_size)))
    ranks = [list(islice(on_rank(rank, world_size), 40)) for rank in range(world_size)]
    for rank, draws in enumerate(ranks):
        assert all(draw.position % world_size == rank for draw in draws)
    # batch k of all ranks together is one stretch of the chain
    assert chain([draw for step in zip(*ranks, strict=True) for draw in step]) == alone


@given(
    served=served_images(),
    world_size=st.sampled_from([1, 2, 3, 8]),
    step=st.integers(0, 30),
    threshold=st.sampled_from([0.0, 3.0]),
    seed=st.integers(0, 2**31 - 1),
)
def test_skipping_equals_drawing(
    served: Served, world_size: int, step: int, threshold: float, seed: int
) -> None:
    """Epochs here are often shorter than the number of ranks."""
    options = {"repeat_threshold": threshold, "source_weight": None, "seed": seed}
    alone = chain(list(islice(on_rank(0, 1, served, **options), world_size * (step + 5))))
    for rank in range(world_size):
        made = on_rank(rank, world_size, served, **options)
        made.skip_to(step * world_size)
        draws = list(islice(made, 5))
        wanted = [(step + k) * world_size + rank for k in range(5)]
        assert [draw.position for draw in draws] == wanted
        assert [draw.index for draw in draws] == [alone[position] for position in wanted]


def test_every_iterator_starts_where_skip_to_said() -> None:
    made = on_rank(1, 2)
    made.skip_to(100)
    first = list(islice(made, 9))
    assert first[0].position == 101
    assert list(islice(made, 9)) == first
    # mmengine's own loops skip by what each rank has drawn
    made.skip(50)
    assert list(islice(made, 9)) == first


def test_skipping_draws_no_epoch_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def note(factors: np.ndarray, seed: int, epoch: int, shuffle: bool) -> np.ndarray:
        drawn.append(epoch)
        return epoch_indices(factors, seed, epoch, shuffle)

    monkeypatch.setattr(sampler, "epoch_indices", note)
    made = on_rank(0, 1)
    made.skip_to(2000)
    assert next(iter(made)).position == 2000
    assert len(drawn) == 1
    assert drawn[0] > 50


@pytest.mark.parametrize(
    ("position", "batch_size", "message"),
    [
        (3, None, "3 is not a multiple of 2"),
        (-2, None, "-2 is not a multiple of 2"),
        (12, 4, "12 is not a multiple of 8"),  # inside an iteration
    ],
)
def test_a_place_that_no_iteration_starts_at_is_refused(
    position: int, batch_size: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        on_rank(0, 2, batch_size=batch_size).skip_to(position)
    on_rank(0, 2, batch_size=batch_size).skip_to(16)


@pytest.mark.parametrize(
    ("served", "weight"),
    [
        pytest.param(WORLD, {"lvis": 0, "open_images": 0}, id="weights of 0"),
        pytest.param(WORLD, {"lvis": 1e-9, "open_images": 0}, id="almost never anything"),
        pytest.param(Served([], [], 5), None, id="no images"),
    ],
)
def test_nothing_to_draw_is_an_error(served: Served, weight: dict[str, float] | None) -> None:
    with pytest.raises(InputError, match="nothing to train on"):
        on_rank(0, 1, served, source_weight=weight)


class Indices(Dataset):  # type: ignore[misc]
    """A dataset that gives back what it is asked for."""

    object_image, object_label = WORLD.object_image, WORLD.object_label
    image_source, num_classes = WORLD.image_source, WORLD.num_classes

    def __len__(self) -> int:
        return len(WORLD)

    def __getitem__(self, draw: Draw) -> Draw:
        return draw


def test_mmengine_builds_it_into_a_dataloader() -> None:
    loader = Runner.build_dataloader(
        {
            "dataset": Indices(),
            "batch_size": 4,
            "num_workers": 0,
            "sampler": {"type": "mmdet.RepeatFactorSampler", "repeat_threshold": 0.5},
            "collate_fn": {"type": "pseudo_collate"},
        },
        seed=11,
    )
    made = loader.sampler
    assert isinstance(made, RepeatFactorSampler)
    assert isinstance(loader.batch_sampler, BatchSampler)
    assert made.seed == 11
    assert len(made) == np.ceil(made.expected_epoch_length)
    expected = RepeatFactorSampler(WORLD, repeat_threshold=0.5, seed=11)
    drawn = [draw for batch in islice(loader, 6) for draw in zip(*batch, strict=True)]
    assert drawn == list(islice(expected, 24))


def test_without_a_seed_the_ranks_agree_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "sync_random_seed", lambda: 77)
    made = DATA_SAMPLERS.build(
        {"type": "mmdet.RepeatFactorSampler"}, default_args={"dataset": WORLD, "seed": None}
    )
    assert made.seed == 77
