"""Two LVIS images and an extra source of four, by hand: one row of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lvis_merge.pipeline.extra_option import ExtraSource
from lvis_merge.pipeline.options import BuildOptions

ACORN, CAR = 3, 7
MAP = """\
source_id,source_name,lvis_synset,lvis_name,relation,note
10,Acorn,acorn.n.01,acorn,exact,
11,Tree,,,,LVIS has none
12,Sedan,car.n.01,car_(automobile),curated,most of them
13,Van,car.n.01,car_(automobile),curated,
"""
SQUARE = [[1.0, 1.0, 9.0, 1.0, 9.0, 9.0]]


def lvis_document() -> dict[str, Any]:
    """Images 5 and 6, one object each."""
    return {
        "info": {"version": "v9"},
        "images": [
            {
                "id": number,
                "width": 50,
                "height": 40,
                "coco_url": f"http://images.cocodataset.org/train2017/{number:012d}.jpg",
                "neg_category_ids": [],
                "not_exhaustive_category_ids": [],
            }
            for number in (5, 6)
        ],
        "annotations": [
            {
                "id": number,
                "image_id": number,
                "category_id": ACORN,
                "bbox": [1, 1, 8, 8],
                "area": 32,
                "segmentation": SQUARE,
            }
            for number in (5, 6)
        ],
        "categories": [
            {"id": ACORN, "name": "acorn", "synset": "acorn.n.01", "frequency": "r"},
            {"id": CAR, "name": "car_(automobile)", "synset": "car.n.01", "frequency": "f"},
        ],
    }


def extra_document() -> dict[str, Any]:
    """Images 5 (objects, a crowd, an unmapped row), 6 (unmapped only), 7 and 8 (an object each)."""

    def row(number: int, image: int, category: int, **more: Any) -> dict[str, Any]:
        return {
            "id": number, "image_id": image, "category_id": category, "bbox": [1, 1, 8, 8], **more
        }  # fmt: skip

    return {
        "info": {"version": 2},
        "licenses": [{"id": 1, "url": "http://example.org/terms"}],
        "images": [
            {"id": n, "width": 50, "height": 40, "file_name": f"a/{n}.jpg", "license": 1}
            for n in (5, 6, 7, 8)
        ],
        "annotations": [
            row(1, 5, 10, segmentation=SQUARE, area=30.5),
            row(2, 5, 12, segmentation={"size": [40, 50], "counts": [100, 50, 1850]}),
            row(3, 5, 12, iscrowd=1, segmentation={"size": [40, 50], "counts": [2000]}),
            row(4, 5, 11, segmentation=SQUARE, area=30.5),
            row(5, 6, 11),
            row(6, 7, 13),
            row(20, 8, 10),
        ],
        "categories": [
            {"id": 10, "name": "Acorn"},
            {"id": 11, "name": "Tree"},
            {"id": 12, "name": "Sedan"},
            {"id": 13, "name": "Van"},
        ],
    }


def write_small_extra(
    folder: Path,
    extra: dict[str, Any] | None = None,
    mapping: str = MAP,
    *,
    exhaustive: bool = False,
    lvis: dict[str, Any] | None = None,
    **options: Any,
) -> BuildOptions:
    """Writes the files and gives the options to build them with, under the name `acme`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lvis.json").write_text(json.dumps(lvis or lvis_document()))
    (folder / "acme.json").write_text(json.dumps(extra or extra_document()))
    (folder / "acme_map.csv").write_text(mapping)
    source = ExtraSource(
        "acme", str(folder / "acme.json"), str(folder / "acme_map.csv"), exhaustive
    )
    return BuildOptions(
        out=folder / "manifest", lvis=str(folder / "lvis.json"), extra=(source,), **options
    )
