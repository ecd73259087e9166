from pathlib import Path

import pytest

from lvis_merge.demo import DemoWorld, WorldSize, draw_world
from tests.demo.road_map_truth import road_map, truth

__all__ = ["road_map", "truth"]

SMALL = WorldSize(train=24, val=8, test=1, coco_only=1, open_images=36)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> DemoWorld:
    return draw_world(tmp_path_factory.mktemp("demo") / "world", seed=0, size=SMALL)


@pytest.fixture(scope="session")
def small_size() -> WorldSize:
    return SMALL


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo_again")
