"""What the App says of a box: which map row gave its category."""

from __future__ import annotations

from pathlib import Path

import lvis_merge.manifest
from lvis_merge.inspect.label_texts import label_texts
from tests.pipeline.running import build_quietly
from tests.worlds.small_extra import write_small_extra


def test_a_label_of_an_extra_source_is_looked_up_in_its_own_map(tmp_path: Path) -> None:
    """Another source may have a class of the same name."""
    options = write_small_extra(tmp_path)
    build_quietly(options)
    texts = label_texts(lvis_merge.manifest.open(options.out))
    assert texts.map_row("acme", "Van", "curated") == "acme_map.csv row 4: curated"
    assert texts.map_row("coco", "Van", "curated") == "map: curated"
    assert texts.map_row("acme", "Tree", None) is None
