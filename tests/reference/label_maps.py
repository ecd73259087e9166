"""Label maps, and which LVIS version a category list is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.reference.reading import csv_dicts

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_MAPPING = ROOT / "mappings" / "open_images_v5_110.csv"
DEFAULT_COCO_MAPPING = ROOT / "mappings" / "coco_2017.csv"
PUBLISHED_LISTS = ROOT.parent / "shared" / "reference"

LAMBDA = {"v0.5": 0.00177, "v1": 0.0011}


def lvis_version(categories: list[dict[str, Any]]) -> str:
    """v0.5 or v1 where the (id, synset) pairs equal the published ones, else custom."""
    pairs = {(category["id"], category["synset"]) for category in categories}
    for version in LAMBDA:
        path = PUBLISHED_LISTS / f"lvis_{version}_categories.json"
        if path.exists():
            published = json.loads(path.read_text(encoding="utf-8"))
            if pairs == {(category["id"], category["synset"]) for category in published}:
                return version
    return "custom"


def coco_map(path: Path | None, synsets: dict[str, int]) -> dict[int, tuple[int, str | None]]:
    """COCO category id -> (LVIS category id, relation); rows that do not resolve are absent."""
    resolved = {}
    for row in csv_dicts(path or DEFAULT_COCO_MAPPING):
        if row["lvis_synset"] in synsets:
            resolved[int(str(row["coco_id"]))] = (synsets[row["lvis_synset"]], row["relation"])
    return resolved


def open_images_map(
    path: str | Path | None, classes: dict[str, str], synsets: dict[str, int]
) -> dict[str, tuple[int, str | None]]:
    """MID -> (LVIS category id, relation); rows that do not resolve are absent."""
    if path == "none":
        return {}
    return {
        row["mid"]: (synsets[row["lvis_synset"]], row["relation"])
        for row in csv_dicts(Path(path or DEFAULT_MAPPING))
        if row["lvis_synset"] in synsets and row["mid"] in classes
    }


def open_images_own_map(
    path: str | Path | None, classes: dict[str, str]
) -> dict[str, tuple[int, str | None]]:
    """Label space open_images: MID -> (1..C in the order of MIDs, relation)."""
    if path == "none":
        relations: dict[str, str | None] = dict.fromkeys(classes)
    else:
        relations = {
            str(row["mid"]): row["relation"]
            for row in csv_dicts(Path(path or DEFAULT_MAPPING))
            if row["mid"] in classes
        }
    return {mid: (place, relations[mid]) for place, mid in enumerate(sorted(relations), start=1)}
