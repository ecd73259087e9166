"""Class lists of the generated world: the published ones where at hand, else plausible ones.

The published lists are looked for in ``../shared/reference`` beside the repository. Without them
the repository's own label maps give the classes that matter to a merge, and made-up classes with
a long tail fill the lists up to their true length.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from text_columns import repository_file

LVIS_CLASSES = 1230
LVIS_TRAIN_ANNOTATIONS = 693_958
OPEN_IMAGES_CLASSES = 601
OPEN_IMAGES_BOXES = 14_610_229


@dataclass(frozen=True)
class OpenImagesClasses:
    """Classes in the order of their MIDs, how often each is boxed, and the hierarchy."""

    mids: list[str]
    names: list[str]
    weights: NDArray[np.float64]
    hierarchy: dict[str, Any]


@dataclass(frozen=True)
class CocoClass:
    """One of the 80 COCO categories and the synset it is usually given."""

    category_id: int
    name: str
    synset: str


def reference_folder() -> Path | None:
    """The folder with the published lists, if there is one."""
    folder = repository_file("..", "shared", "reference")
    return folder if folder.is_dir() else None


def long_tail(count: int, total: int) -> NDArray[np.int64]:
    """Whole counts of a Zipf-like tail, each at least 1, that add up to ``total``."""
    shape = 1.0 / np.arange(1, count + 1) ** 1.6
    counts: NDArray[np.int64] = np.maximum(1, (shape / shape.sum() * total).astype(np.int64))
    counts[0] += total - counts.sum()
    return counts


def _map_rows(name: str) -> list[dict[str, str]]:
    path = repository_file("mappings", name)
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def lvis_categories() -> list[dict[str, Any]]:
    """Categories as LVIS v0.5 writes them; the counts are those of its train set."""
    folder = reference_folder()
    if folder is not None:
        loaded: list[dict[str, Any]] = json.loads(
            (folder / "lvis_v0.5_categories.json").read_text("utf-8")
        )
        return loaded
    mapped = [(r["lvis_name"], r["lvis_synset"]) for r in _map_rows("open_images_v5_all.csv")]
    mapped += [(r["lvis_name"], r["lvis_synset"]) for r in _map_rows("coco_2017.csv")]
    named = {synset: name for name, synset in mapped if synset}
    for i in range(LVIS_CLASSES):
        if len(named) >= LVIS_CLASSES:
            break
        named[f"made_up_{i}.n.01"] = f"made_up_{i}"
    categories = []
    for i, (synset, name) in enumerate(sorted(named.items())[:LVIS_CLASSES]):
        categories.append({"id": i + 1, "name": name, "synset": synset, "synonyms": [name],
                           "def": f"what people call {name}"})  # fmt: skip
    shuffled = np.random.default_rng(0).permutation(long_tail(LVIS_CLASSES, LVIS_TRAIN_ANNOTATIONS))
    for category, instances in zip(categories, shuffled.tolist(), strict=True):
        images = min(40_000, max(1, int(instances / 1.5)))
        frequency = "r" if images <= 10 else "c" if images <= 100 else "f"
        category |= {"image_count": images, "instance_count": instances, "frequency": frequency}
    return categories


def coco_classes() -> list[CocoClass]:
    """The 80 COCO categories, by id."""
    folder = reference_folder()
    if folder is not None:
        published = json.loads((folder / "coco_to_synset.json").read_text("utf-8"))
        rows = [CocoClass(v["coco_cat_id"], k, v["synset"]) for k, v in published.items()]
    else:
        rows = [
            CocoClass(int(r["coco_id"]), r["coco_name"], r["lvis_synset"])
            for r in _map_rows("coco_2017.csv")
        ]
    return sorted(rows, key=lambda row: row.category_id)


def open_images_classes() -> OpenImagesClasses:
    """The boxable classes of Open Images V5 with the number of boxes of each."""
    folder = reference_folder()
    counts: dict[str, int] = {}
    if folder is not None:
        listed = (folder / "open_images_class-descriptions-boxable.csv").read_text("utf-8")
        names = {row[0]: row[1] for row in csv.reader(listed.splitlines())}
        with (folder / "open_images_challenge2019_train_counts.csv").open(newline="") as file:
            counts = {row["mid"]: int(row["instance_count"]) for row in csv.DictReader(file)}
        hierarchy = json.loads(
            (folder / "open_images_bbox_labels_600_hierarchy.json").read_text("utf-8")
        )
    else:
        mapped = _map_rows("open_images_v5_all.csv")
        names = {row["mid"]: row["open_images_name"] for row in mapped}
        for i in range(OPEN_IMAGES_CLASSES - len(names)):
            names[f"/m/0made{i}"] = f"Made up {i}"
        leaves = [{"LabelName": mid} for mid in sorted(names)]
        hierarchy = {"LabelName": "/m/0bl9f", "Subcategory": leaves}
    mids = sorted(names)
    # Classes that are not in the challenge's list share the boxes it leaves, long-tailed too.
    rest = [mid for mid in mids if mid not in counts]
    tail = long_tail(len(rest), max(OPEN_IMAGES_BOXES - sum(counts.values()), 10 * len(rest)))
    counts |= dict(zip(rest, tail.tolist(), strict=True))
    weights = np.array([counts[mid] for mid in mids], np.float64)
    return OpenImagesClasses(mids, [names[mid] for mid in mids], weights / weights.sum(), hierarchy)
