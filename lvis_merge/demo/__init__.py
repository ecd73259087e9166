"""Drawn worlds in the official formats: a whole LVIS, COCO and Open Images in a few megabytes.

A world is a recipe (`long_tail`) over shared parts: `classes`, `glyphs`, `polygons` (what there
is), `scene`, `paint`, `pictures` (how it is drawn), `lvis_json`, `coco_json`, `open_images_csv`
(how it is written), `identity` (ids and credits) and `world` (where its files lie).
"""

from lvis_merge.demo.long_tail import draw_world
from lvis_merge.demo.long_tail_plan import WorldSize
from lvis_merge.demo.world import DemoWorld

__all__ = ["DemoWorld", "WorldSize", "draw_world"]
