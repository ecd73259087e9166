"""A small road-map world, and all that its pictures show, whether a file says so or not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lvis_merge.demo import RoadMapDesign, RoadMapWorld, draw_road_map
from lvis_merge.demo.road_map import candidates_of, photos_of, shelve
from lvis_merge.demo.road_map_classes import RoadMapClass, deal_classes
from lvis_merge.demo.road_map_lvis import Shelved
from lvis_merge.demo.road_map_open_images import Candidate

# Some 300 train images: the shares are those of the full world, its counts are not.
SMALL = RoadMapDesign(
    most_instances=20, val_images=72, val_instances=3, coco_only_images=8, open_images=150
)


@dataclass(frozen=True)
class Truth:
    """What a world's pictures show."""

    classes: dict[str, RoadMapClass]
    shelves: dict[str, list[Shelved]]
    candidates: list[Candidate]


@pytest.fixture(scope="session")
def road_map(tmp_path_factory: pytest.TempPathFactory) -> RoadMapWorld:
    """The small world, drawn once."""
    return draw_road_map(tmp_path_factory.mktemp("road_map") / "world", 0, SMALL)


@pytest.fixture(scope="session")
def truth() -> Truth:
    """What it shows, planned once more."""
    dealt = deal_classes(0, SMALL)
    photos = photos_of(0, SMALL)
    classes = {cls.name: cls for cls in dealt}
    shelves = shelve(0, SMALL, dealt, photos)
    return Truth(classes, shelves, candidates_of(0, SMALL, dealt, photos))
