"""Drawn worlds in the official formats: a whole LVIS, COCO and Open Images in a few megabytes.

A world is a recipe over shared parts: `classes`, `glyphs`, `polygons` (what there is), `scene`,
`paint`, `pictures` (how it is drawn), `lvis_json`, `coco_json`, `open_images_csv` (how it is
written), `identity` (ids and credits) and `world` (where its files lie).

- `long_tail`: real class names, and a case for every rule of the merge;
- `road_map`: 96 classes of shape, hue and texture, for measuring what each trick does.
"""

from lvis_merge.demo.long_tail import draw_world
from lvis_merge.demo.long_tail_plan import WorldSize
from lvis_merge.demo.road_map import draw_road_map
from lvis_merge.demo.road_map_design import RoadMapDesign
from lvis_merge.demo.road_map_world import RoadMapWorld
from lvis_merge.demo.world import DemoWorld

__all__ = [
    "DemoWorld",
    "RoadMapDesign",
    "RoadMapWorld",
    "WorldSize",
    "draw_road_map",
    "draw_world",
]
