"""A generated federated world as a manifest, and what a model would say about its images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask

from lvis_merge.pipeline.options import BuildOptions
from tests.evaluation.world import World, generate, image, thing
from tests.pipeline.running import build_quietly

Samples = list[dict[str, Any]]


@dataclass(frozen=True)
class ScoredWorld:
    """A manifest with a val split, and data samples of all its images.

    Attributes:
        manifest: its folder.
        samples: as the model's `test_step` hands them to the evaluator, an image each.
        results: the same as LVIS results.
    """

    manifest: Path
    samples: Samples
    results: Path


def scored_world(folder: Path) -> ScoredWorld:
    """A world whose category ids are no labels, since category 1 is missing."""
    world = generate(3, images=9, crowded=330)
    content = {**world.truth, "categories": world.truth["categories"][1:]}
    content["annotations"] = [row for row in content["annotations"] if row["category_id"] != 1]
    for one in content["images"]:
        one["neg_category_ids"] = [c for c in one["neg_category_ids"] if c != 1]
    results = [row for row in world.results if row["category_id"] != 1]
    manifest = _manifest(folder, content)
    label = {row["id"]: place for place, row in enumerate(content["categories"])}
    samples = [_sample(row["id"], results, label) for row in content["images"]]
    file = folder / "results.json"
    ids = list(label)
    file.write_text(json.dumps([row for one in samples for row in as_results(one, ids)]))
    return ScoredWorld(manifest, samples, file)


def as_results(sample: dict[str, Any], category_ids: list[int]) -> Iterator[dict[str, Any]]:
    """LVIS results of one image, detection by detection."""
    found = sample["pred_instances"]
    rows = (found[name].tolist() for name in ("bboxes", "scores", "labels"))
    for (x1, y1, x2, y2), score, label, bitmap in zip(*rows, found["masks"], strict=True):
        run = coco_mask.encode(np.asfortranarray(bitmap.numpy().astype(np.uint8)))
        yield {
            "image_id": sample["img_id"],
            "category_id": category_ids[label],
            "score": score,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "segmentation": {"size": run["size"], "counts": run["counts"].decode()},
        }


def _manifest(folder: Path, val: dict[str, Any]) -> Path:
    train = {"images": [image(9001)], "annotations": [thing(1, 9001, 3, [1, 1, 9, 9])]}
    paths = []
    for name, content in (("train", {**train, "categories": val["categories"]}), ("val", val)):
        (folder / name).mkdir()
        paths.append(World(content, []).write(folder / name)[0])
    build_quietly(BuildOptions(out=folder / "manifest", lvis=paths[0], lvis_val=paths[1]))
    return folder / "manifest"


def _sample(image_id: int, results: list[dict[str, Any]], label: dict[int, int]) -> dict[str, Any]:
    rows = [row for row in results if row["image_id"] == image_id]
    corners = np.array([row["bbox"] for row in rows], np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    bitmaps = coco_mask.decode([row["segmentation"] for row in rows]).transpose(2, 0, 1)
    return {
        "img_id": image_id,
        "pred_instances": {
            "bboxes": torch.from_numpy(corners),
            "scores": torch.tensor([row["score"] for row in rows]),
            "labels": torch.tensor([label[row["category_id"]] for row in rows]),
            "masks": torch.from_numpy(bitmaps).bool(),
        },
    }
