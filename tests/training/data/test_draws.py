"""The same draw gives the same sample, whoever makes it and after whatever."""

import random

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from lvis_merge.training.data import Draw
from lvis_merge.training.data.seeding import seeded

CHANCE = [
    {"type": "RandomChoiceResize", "scales": [(160, 96), (200, 128), (220, 140)]},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PhotoMetricDistortion"},
]


class Dice(BaseTransform):
    """Asks every generator that a transform may ask."""

    def transform(self, results):
        results["dice"] = (random.random(), np.random.rand(), float(torch.rand(())))
        return results


def same(one, other):
    first, second = one["data_samples"], other["data_samples"]
    assert first.metainfo.keys() == second.metainfo.keys()
    assert (one["inputs"] == other["inputs"]).all()
    assert first.img_id == second.img_id
    assert first.position == second.position
    assert (first.gt_instances.bboxes.tensor == second.gt_instances.bboxes.tensor).all()
    assert first.gt_instances.has_mask.tolist() == second.gt_instances.has_mask.tolist()
    return True


def states():
    name, key, place, *_ = np.random.get_state()
    return random.getstate(), (name, place, key.tolist()), torch.get_rng_state().tolist()


@pytest.mark.parametrize("workers", [1, 3])
def test_samples_do_not_depend_on_the_number_of_workers(open_demo, workers):
    dataset = open_demo(CHANCE, seed=5)
    draws = [Draw((7 * n) % len(dataset), 100 + n) for n in range(12)]
    expected = [dataset[draw] for draw in draws]
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=draws,
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
    places = 0
    for batch in loader:
        for inputs, sample in zip(batch["inputs"], batch["data_samples"], strict=True):
            assert same({"inputs": inputs, "data_samples": sample}, expected[places])
            places += 1
    assert places == len(draws)


def test_a_draw_is_itself_whatever_came_before_and_leaves_no_trace(open_demo):
    dataset = open_demo([Dice()], pipeline=[Dice()])
    first = dataset[Draw(0, 9)]["dice"]
    dataset[Draw(3, 4)]
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    before = states()
    assert dataset[Draw(0, 9)]["dice"] == first
    assert states() == before


def test_neighbouring_draws_seeds_and_generators_have_nothing_in_common(open_demo):
    rolls = [
        roll
        for seed in (0, 1)
        for position in range(20)
        for roll in open_demo(pipeline=[Dice()], seed=seed)[Draw(0, position)]["dice"]
    ]
    assert len({round(roll, 6) for roll in rolls}) == len(rolls) == 120
    assert 0.3 < np.mean(rolls) < 0.7


def test_the_image_itself_does_not_change_the_chance(open_demo):
    """(seed, position) alone decides, so that a change of the images keeps the augmentation."""
    dataset = open_demo(pipeline=[Dice()])
    assert dataset[Draw(0, 9)]["dice"] == dataset[Draw(5, 9)]["dice"]


def test_an_integer_takes_its_chance_from_the_global_generators(open_demo):
    dataset = open_demo(pipeline=[Dice()])
    with seeded(1):
        one, two = dataset[0]["dice"], dataset[0]["dice"]
    with seeded(1):
        again = dataset[0]["dice"]
    assert one == again != two


def test_position_is_in_the_metainfo(open_demo):
    dataset = open_demo()
    assert dataset[Draw(2, 77)]["data_samples"].position == 77
    assert dataset[2]["data_samples"].position == -1


def test_a_normal_number_kept_in_hand_does_not_enter_a_draw(open_demo):
    """numpy makes legacy normal numbers in pairs and keeps the second of them."""
    dataset = open_demo(pipeline=[lambda results: {"roll": np.random.randn()}])
    np.random.seed(0)
    first = dataset[Draw(0, 1)]["roll"]
    np.random.randn()
    assert dataset[Draw(0, 1)]["roll"] == first


def test_states_are_restored_after_an_error():
    before = states()
    with pytest.raises(ZeroDivisionError), seeded(1, 2):
        1 / 0  # noqa: B018
    assert states() == before
