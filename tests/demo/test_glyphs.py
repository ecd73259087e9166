from itertools import combinations

import numpy as np
import pytest
from pycocotools import mask

from lvis_merge.demo.classes import load_classes, load_hierarchy
from lvis_merge.demo.glyphs import load_glyphs, outline
from lvis_merge.demo.polygons import area, raster

FILLS = {"a", "b", "c", "dark", "light"}


@pytest.mark.parametrize("name", sorted(load_glyphs()))
def test_a_glyph_fills_its_square_with_disjoint_parts(name):
    glyph = load_glyphs()[name]
    points = np.concatenate(glyph.silhouette)
    assert np.abs(points).max() <= 1.05
    assert np.ptp(points, axis=0).max() >= 1.6
    assert {layer.fill for layer in (*glyph.parts, *glyph.details)} <= FILLS
    # Overlapping parts would count their area twice.
    masks = [raster(((part + 1.1) * 60,), 132, 132) for part in glyph.silhouette]
    for one, other in combinations(masks, 2):
        assert (one & other).sum() <= 4


@pytest.mark.parametrize("name", sorted(load_glyphs()))
def test_an_outline_does_not_cross_itself(name):
    # Shoelace area and a filled mask agree only for simple polygons.
    shape = tuple((part + 1.1) * 100 for part in load_glyphs()[name].silhouette)
    polygons = mask.frPyObjects([part.ravel().tolist() for part in shape], 220, 220)
    rim = sum(np.linalg.norm(part - np.roll(part, 1, axis=0), axis=1).sum() for part in shape)
    assert area(shape) == pytest.approx(mask.area(mask.merge(polygons)), abs=0.3 * rim)


def test_an_unknown_outline_is_refused():
    with pytest.raises(ValueError, match="blob"):
        outline({"blob": [0, 0]})


def test_every_class_has_a_glyph_and_ids_follow_the_names():
    classes = load_classes()
    assert {cls.glyph for cls in classes.values()} <= set(load_glyphs())
    lvis = [cls for cls in classes.values() if cls.lvis_id is not None]
    by_name = sorted(lvis, key=lambda cls: cls.name)
    assert [cls.lvis_id for cls in by_name] == list(range(1, len(lvis) + 1))
    assert len({cls.synset for cls in lvis}) == len(lvis)


def test_the_hierarchy_reaches_every_open_images_class():
    hierarchy = load_hierarchy()
    below = hierarchy.descendants(hierarchy.root)
    assert {cls.mid for cls in load_classes().values() if cls.mid} <= below
    # The parts of a thing hang on another relation.
    parts = {child for _, child in hierarchy.part}
    assert set(hierarchy.names) == (below | parts) - {hierarchy.root}


def test_part_edges_pass_nothing_down():
    hierarchy = load_hierarchy()
    mid = {name: mid for mid, name in hierarchy.names.items()}
    assert (mid["Building"], mid["Musical instrument"]) in hierarchy.part
    assert mid["Violin"] in hierarchy.descendants(mid["Musical instrument"])
    assert mid["Violin"] not in hierarchy.descendants(mid["Building"])
