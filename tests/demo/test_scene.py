from itertools import combinations

import numpy as np
import pytest

from lvis_merge.demo.classes import load_classes
from lvis_merge.demo.paint import paint
from lvis_merge.demo.polygons import raster
from lvis_merge.demo.scene import Item, Scene, ScenePlan, Wish, compose, placement, to_pixels

CLASSES = load_classes()


def composed(*wishes, seed=0, **options):
    return compose(ScenePlan(256, 192, wishes, **options), CLASSES, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(4))
def test_single_objects_do_not_overlap_and_stay_in_the_frame(seed):
    scene = composed(Wish("cat", 3), Wish("cup", 3), Wish("kite", 2), crowd="coin", seed=seed)
    masks = [raster(item.visible, 256, 192) for item in scene.singles]
    assert len(masks) == 8
    for one, other in combinations(masks, 2):
        assert not (one & other).any()
    for item in scene.items:
        x, y, width, height = item.box
        assert min(x, y) >= 0
        assert x + width <= 256
        assert y + height <= 192


@pytest.mark.parametrize("seed", range(3))
def test_unobstructed_members_of_a_crowd_are_covered_by_no_later_one(seed):
    members = composed(crowd="banana", seed=seed).crowd
    whole = [place for place, item in enumerate(members) if item.unobstructed]
    assert len(members) == 10
    assert len(whole) >= 2
    for place in whole:
        mine = raster(members[place].visible, 256, 192)
        for later in members[place + 1 :]:
            assert (mine & raster(later.visible, 256, 192)).sum() <= 0.05 * mine.sum()


def test_the_post_hides_a_strip_of_what_stands_behind_it():
    scenes = [composed(Wish("pumpkin", 5), post=True, seed=seed) for seed in range(6)]
    hidden = [(scene.post, item) for scene in scenes for item in scene.items if item.occluded]
    assert hidden
    for (left, right), item in hidden:
        inside = raster(item.visible, 256, 192)[:, int(left) + 1 : int(right) - 1]
        assert not inside.any()


def test_a_view_from_inside_fills_the_frame():
    scene = composed(Wish("helicopter", style="inside"), Wish("owl"))
    assert scene.items[0].style == "inside"
    assert scene.items[0].box == (0, 0, 256, 192)


def test_objects_are_painted_where_their_outline_says():
    matrix = placement(40, 0.3, False, 120, 90)
    visible = to_pixels(matrix, ((np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.5),))
    item = Item("ladybug", matrix, visible)
    with_it = paint(Scene(256, 192, (item,), None), CLASSES, np.random.default_rng(1))
    without = paint(Scene(256, 192, (), None), CLASSES, np.random.default_rng(1))
    change = np.abs(np.asarray(with_it, int) - np.asarray(without, int)).max(axis=2)
    assert change[raster(visible, 256, 192)].mean() > 40
    # Camera noise (sigma 3) and nothing else far from the object.
    far = np.ones((192, 256), bool)
    far[40:140, 70:170] = False
    assert change[far].max() < 40
    assert change[far].mean() < 6
