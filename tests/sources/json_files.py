"""Small LVIS and COCO files for the tests of the sources."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

LVIS: dict[str, Any] = {
    "info": {"version": "v0.5"},
    "licenses": [{"id": 3, "name": "BY", "url": "http://licence/3"}],
    "images": [
        {
            "id": 1,
            "width": 640,
            "height": 480,
            "coco_url": "http://images.cocodataset.org/train2017/000000000001.jpg",
            "file_name": "COCO_train2014_000000000001.jpg",
            "flickr_url": "http://farm5.staticflickr.com/4/22_a_z.jpg",
            "date_captured": "2013-11-14",
            "license": 3,
            "neg_category_ids": [4],
            "not_exhaustive_category_ids": [],
        },
        {
            "id": 2,
            "width": 10,
            "height": 20,
            "coco_url": "http://images.cocodataset.org/val2017/000000000002.jpg",
            "neg_category_ids": [],
            "not_exhaustive_category_ids": [7, 4],
        },
    ],
    "annotations": [
        {
            "id": 11,
            "image_id": 1,
            "category_id": 7,
            "bbox": [1.5, 2, 3.25, 4],
            "area": 12.5,
            "segmentation": [[1.5, 2, 4.75, 2.0, 4, 6.25], [0, 0, 1, 0, 1, 1, 0, 1]],
        },
        {
            "id": 12,
            "image_id": 2,
            "category_id": 4,
            "bbox": [0, 0, 2, 2],
            "area": 4,
            "segmentation": [],
        },
    ],
    "categories": [
        {
            "id": 7,
            "name": "cat",
            "synset": "cat.n.01",
            "frequency": "f",
            "synonyms": ["cat", "moggy"],
            "def": "a pet",
            "image_count": 200,
            "instance_count": 300,
        },
        {"id": 4, "name": "dog", "synset": "dog.n.01", "frequency": "r"},
    ],
}

COCO: dict[str, Any] = {
    "images": [
        {"id": 1, "width": 640, "height": 480, "file_name": "000000000001.jpg"},
        {
            "id": 2,
            "width": 10,
            "height": 20,
            "file_name": "000000000002.jpg",
            "coco_url": "http://images.cocodataset.org/val2017/000000000002.jpg",
        },
    ],
    "annotations": [
        {
            "id": 21,
            "image_id": 1,
            "category_id": 18,
            "bbox": [1, 2, 3, 4],
            "area": 5.5,
            "iscrowd": 0,
            "segmentation": [[0, 0, 1, 0, 1, 1]],
        },
        {
            "id": 22,
            "image_id": 2,
            "category_id": 1,
            "bbox": [0, 0, 2, 3],
            "area": 1,
            "iscrowd": 1,
            "segmentation": {"size": [20, 10], "counts": [200]},
        },
        {"id": 23, "image_id": 2, "category_id": 1, "bbox": [0, 0, 4, 5]},
    ],
    "categories": [
        {"id": 18, "name": "dog", "supercategory": "animal"},
        {"id": 1, "name": "person", "supercategory": "person"},
    ],
}


def changed(document: dict[str, Any], array: str, row: int, **fields: Any) -> dict[str, Any]:
    """A copy of a document with some fields of one row set; `...` takes a field out."""
    document = copy.deepcopy(document)
    target = document[array][row]
    for name, value in fields.items():
        if value is ...:
            del target[name]
        else:
            target[name] = value
    return document


def with_row(document: dict[str, Any], array: str, row: Any) -> dict[str, Any]:
    """A copy of a document with one more row."""
    document = copy.deepcopy(document)
    document[array].append(row)
    return document


def written(folder: Path, document: Any, name: str = "a.json", **how: Any) -> Path:
    """Writes a document (or text) as JSON."""
    path = folder / name
    text = document if isinstance(document, str) else json.dumps(document, **how)
    path.write_text(text, encoding="utf-8")
    return path
