"""The rules of extra sources, each broken by one change to a good manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lvis_merge.manifest
from lvis_merge.manifest import Tables
from lvis_merge.manifest.schema import TABLES
from lvis_merge.manifest.validate import content
from tests.manifest.change import changed
from tests.manifest.small import Small
from tests.pipeline.running import build_quietly
from tests.worlds.small_extra import ACORN, CAR, write_small_extra


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Small:
    options = write_small_extra(tmp_path_factory.mktemp("extra"))
    build_quietly(options)
    manifest = lvis_merge.manifest.open(options.out)
    tables = Tables(**{spec.name: getattr(manifest, spec.name) for spec in TABLES})
    maps = {path.name: path.read_bytes() for path in (options.out / "maps").iterdir()}
    return Small(tables, manifest.record, maps)


def rules(small: Small, level: str = "error") -> set[str]:
    found = content(small.tables, small.record, dict(small.maps))
    return {finding.rule for finding in found if finding.level == level}


def row_of(small: Small, number: str) -> int:
    """The row of `annotations` with a published id of the extra source."""
    pairs = zip(
        small.tables.annotations["source"].to_pylist(),
        small.tables.annotations["source_annotation_id"].to_pylist(),
        strict=True,
    )
    return list(pairs).index(("acme", number))


def image_of(small: Small, number: str) -> int:
    pairs = zip(
        small.tables.images["source"].to_pylist(),
        small.tables.images["source_image_id"].to_pylist(),
        strict=True,
    )
    return list(pairs).index(("acme", number))


def test_the_manifest_is_good(good: Small) -> None:
    assert rules(good) == set()


@pytest.mark.parametrize(
    ("number", "cells", "rule"),
    [
        ("1", {"source_annotation_id": "one"}, "source_annotation_id"),
        ("4", {"source_annotation_id": "3"}, "unique"),
        ("1", {"source": "zoo"}, "source"),
        ("1", {"source": "lvis"}, "image_of_source"),
        ("3", {"ignore_reason": "coco_box"}, "role"),
        ("4", {"ignore_reason": "crowd"}, "role"),
        ("3", {"ignore_reason": "unmapped"}, "role"),
        ("4", {"segmentation": [[1.0, 1.0, 2.0, 2.0, 3.0, 1.0]]}, "mask"),
        ("3", {"area": 3.0}, "area"),
        ("1", {"is_occluded": True}, "source_column"),
        ("1", {"annotation_method": "xclick"}, "source_column"),
        ("1", {"map_relation": None}, "map_relation"),
        ("1", {"category_id": CAR}, "evidence"),
        ("2", {"map_relation": "exact"}, "map"),
    ],
)
def test_a_row_that_breaks_a_rule_is_told(
    good: Small, number: str, cells: dict[str, Any], rule: str
) -> None:
    assert rule in rules(changed(good, "annotations", row_of(good, number), **cells))


@pytest.mark.parametrize(
    ("number", "cells", "rule"),
    [
        ("5", {"image_id": 2**51 + 1}, "image_id"),
        ("5", {"split": "val"}, "split"),
        ("5", {"file_name": "b/5.jpg"}, "file_name"),
        ("5", {"license": "http://example.org/others"}, "license"),
        ("5", {"author": "somebody"}, "source_column"),
        ("5", {"pos_category_ids": [ACORN]}, "evidence"),
        ("5", {"neg_category_ids": [ACORN]}, "evidence"),
        ("5", {"not_exhaustive_category_ids": [ACORN]}, "evidence"),  # the crowd is of cars
        ("7", {"not_exhaustive_category_ids": [ACORN, CAR]}, "evidence"),
    ],
)
def test_an_image_that_breaks_a_rule_is_told(
    good: Small, number: str, cells: dict[str, Any], rule: str
) -> None:
    assert rule in rules(changed(good, "images", image_of(good, number), **cells))


def recorded(good: Small, path: str, value: Any) -> Small:
    """The manifest with another record; `path` leads to the value, None removes it."""
    plain = json.loads(good.record.to_json())
    *above, last = path.split("/")
    place = plain
    for name in above:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return Small(good.tables, msgspec.convert(plain, type(good.record)), good.maps)


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("extras/acme", None, "source"),
        ("extras/acme/map", "other.csv", "record"),
        ("extras/No-Name", {"map": "acme_map.csv", "exhaustive": False}, "record"),
        ("extras/coco", {"map": "acme_map.csv", "exhaustive": False}, "record"),
        ("counts/acme/image", None, "record"),
        ("counts/acme/box", {"in": 0, "kept": 0, "dropped": {}, "rejected": 0}, "record"),
        ("counts/acme/annotation/kept", 5, "record"),
        ("inputs", [], "record"),
        ("label_space", "coco", "record"),
    ],
)
def test_a_record_that_breaks_a_rule_is_told(good: Small, path: str, value: Any, rule: str) -> None:
    assert rule in rules(recorded(good, path, value))


def test_a_category_that_the_map_does_not_give_is_told(good: Small, tmp_path: Path) -> None:
    maps = {name: data.replace(b"acorn.n.01", b"other.n.01") for name, data in good.maps.items()}
    small = Small(good.tables, good.record, maps)
    assert "map" in rules(small)
