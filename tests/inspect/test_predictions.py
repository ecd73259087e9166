"""Detections are right, wrong or neither by LVIS's federated rules, image by image."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvis_merge.errors import InputError
from lvis_merge.evaluation import read_results, truth_of_manifest
from lvis_merge.evaluation.detections import capped, judged
from lvis_merge.inspect.label_texts import label_texts
from lvis_merge.inspect.predictions import (
    FALSE_POSITIVE,
    NEITHER,
    TRUE_POSITIVE,
    outcomes,
    predictions,
)
from lvis_merge.manifest import Manifest

Row = dict[str, Any]


def val_rows(manifest: Manifest) -> tuple[list[Row], list[Row]]:
    """Val images that have objects and verified absences, and their objects."""
    images = [row for row in manifest.images.to_pylist() if row["split"] == "val"]
    ids = {row["image_id"] for row in images}
    objects = [row for row in manifest.annotations.to_pylist() if row["image_id"] in ids]
    return images, objects


def entry(image: int, category: int, box: list[float], score: float) -> Row:
    return {"image_id": image, "category_id": category, "bbox": box, "score": score}


def written(folder: Path, entries: list[Row]) -> str:
    file = folder / "results.json"
    file.write_text(json.dumps(entries))
    return str(file)


def test_each_kind_of_detection(manifest: Manifest, tmp_path: Path) -> None:
    """Rule: of an object's own place and category right; elsewhere wrong where somebody looked for
    the category, else neither."""
    images, objects = val_rows(manifest)
    one = objects[0]
    image = next(row for row in images if row["image_id"] == one["image_id"])
    looked_for = {row["category_id"] for row in objects if row["image_id"] == one["image_id"]}
    looked_for |= set(image["neg_category_ids"])
    every = manifest.categories["category_id"].to_pylist()
    unknown = next(category for category in every if category not in looked_for)
    elsewhere = [0.0, 0.0, 3.0, 2.0]
    entries = [
        entry(one["image_id"], one["category_id"], one["bbox"], 0.9),
        # the same again: an object is found once
        entry(one["image_id"], one["category_id"], one["bbox"], 0.8),
        entry(one["image_id"], image["neg_category_ids"][0], elsewhere, 0.7),
        entry(one["image_id"], unknown, one["bbox"], 0.6),
        # of no area: it is never compared
        entry(one["image_id"], one["category_id"], [1.0, 1.0, 0.0, 5.0], 0.5),
        # below what is shown, but counted
        entry(one["image_id"], image["neg_category_ids"][0], elsewhere, 0.01),
    ]
    not_exhaustive = one["category_id"] in image["not_exhaustive_category_ids"]
    ids = manifest.images["image_id"].combine_chunks()
    found = predictions(
        written(tmp_path, entries), manifest, label_texts(manifest), ids, least_score=0.05
    )[one["image_id"]]
    second = NEITHER if not_exhaustive else FALSE_POSITIVE
    assert [box["outcome"] for box in found.detections] == [
        TRUE_POSITIVE, second, FALSE_POSITIVE, NEITHER, NEITHER,
    ]  # fmt: skip
    assert [box["confidence"] for box in found.detections] == [0.9, 0.8, 0.7, 0.6, 0.5]
    assert found.true_positives == 1
    assert found.false_positives == 2 + (second == FALSE_POSITIVE)
    on_image = sum(row["image_id"] == one["image_id"] for row in objects)
    assert found.missed == on_image - 1


def test_many_detections_as_a_double_loop_has_them(manifest: Manifest, tmp_path: Path) -> None:
    """Parity with LVIS's greedy matching, written out."""
    rng = np.random.default_rng(3)
    images, objects = val_rows(manifest)
    entries = []
    for row in objects * 3:
        x, y, w, h = row["bbox"]
        shift = rng.normal(0, 0.15, 2) * (w, h)
        category = row["category_id"]
        if rng.random() < 0.3:
            category = int(rng.choice(manifest.categories["category_id"].to_numpy()))
        box = [x + shift[0], y + shift[1], w, h]
        entries.append(entry(row["image_id"], category, box, round(float(rng.random()), 2)))
    truth = truth_of_manifest(manifest, "val")
    detections = capped(read_results(written(tmp_path, entries), truth).detections)
    what, missed = outcomes(detections, truth)
    lists = {row["image_id"]: row for row in images}
    verified = set(judged(detections, truth).entry.tolist())
    expected = {}
    found = Counter()
    for key in {(row["image_id"], row["category_id"]) for row in entries}:
        mine = [
            (n, row)
            for n, row in enumerate(entries, 1)
            if (row["image_id"], row["category_id"]) == key
        ]
        left = [row["bbox"] for row in objects if (row["image_id"], row["category_id"]) == key]
        for number, row in sorted(mine, key=lambda pair: -pair[1]["score"]):
            best = max(left, key=lambda box: iou(box, row["bbox"]), default=None)
            if number not in verified:
                expected[number] = NEITHER
            elif best is not None and iou(best, row["bbox"]) >= 0.5:
                left.remove(best)
                expected[number] = TRUE_POSITIVE
                found[key[0]] += 1
            elif key[1] in lists[key[0]]["not_exhaustive_category_ids"]:
                expected[number] = NEITHER
            else:
                expected[number] = FALSE_POSITIVE
    assert dict(zip(detections.entry.tolist(), what.tolist(), strict=True)) == expected
    assert set(expected.values()) == {TRUE_POSITIVE, FALSE_POSITIVE, NEITHER}
    per_image = Counter(row["image_id"] for row in objects)
    assert missed == {image: number - found[image] for image, number in per_image.items()}


def iou(a: list[float], b: list[float]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(width, 0.0) * max(height, 0.0)
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "has no detections"),
        (
            [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1.0}],
            "image_id 1 is not in",
        ),
    ],
)
def test_results_that_cannot_be_compared_are_told(
    entries: list[Row], message: str, manifest: Manifest, tmp_path: Path
) -> None:
    ids = manifest.images["image_id"].combine_chunks()
    with pytest.raises(InputError, match=message):
        predictions(written(tmp_path, entries), manifest, label_texts(manifest), ids, 0.0)
