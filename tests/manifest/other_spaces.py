"""Small manifests by hand in the label spaces coco and open_images."""

from __future__ import annotations

import hashlib

from lvis_merge.manifest import Tables
from lvis_merge.manifest.record import EvidenceCounts, KindCounts, SplitOrigin
from lvis_merge.manifest.schema import ANNOTATIONS, CATEGORIES, IMAGES, REJECTS
from lvis_merge.manifest.write import row_counts
from lvis_merge.sources.files import InputRecord
from tests.manifest.small import OPEN_IMAGES_MAP, Small, record, table
from tests.manifest.small_rows import (
    BY_2,
    OPEN_A,
    OPEN_A_ID,
    OPEN_B,
    OPEN_B_ID,
    coco_row,
    lvis_image,
    open_image,
    open_row,
)

PERSON, CAT, DOG = 1, 17, 18


def coco_small() -> Small:
    """Two images; the second has no `coco_url` and takes its file name as given."""
    images = [
        lvis_image(
            4,
            "train",
            source="coco",
            neg_category_ids=[DOG],
            not_exhaustive_category_ids=[PERSON],
            pos_category_ids=[PERSON, CAT],
        ),
        lvis_image(
            5,
            "train",
            source="coco",
            url=None,
            file_name="b.jpg",
            source_file_name="b.jpg",
            neg_category_ids=[PERSON, CAT, DOG],
            pos_category_ids=[],
        ),
    ]
    thing = {"image_id": 4, "role": "object", "ignore_reason": None}
    rows = [
        coco_row(2, "cat", [1, 2, 30, 40], category_id=CAT, **thing | {"area": 700.5}),
        coco_row(10, "person", [1, 2, 30, 40], category_id=PERSON, **thing),
        coco_row(11, "person", [5, 5, 9, 9], image_id=4, category_id=PERSON, ignore_reason="crowd"),
    ]
    counts = [(PERSON, "person", 1), (CAT, "cat", 1), (DOG, "dog", 0)]
    categories = [
        {
            "category_id": number,
            "name": name,
            "source_label": name,
            "image_count": count,
            "instance_count": count,
            "frequency_merged": "r",
            "f": float(count),
            "repeat_factor": 1.0,
        }
        for number, name, count in counts
    ]
    tables = Tables(
        table(IMAGES, images),
        table(ANNOTATIONS, [row | {"annotation_id": n} for n, row in enumerate(rows, 1)]),
        table(CATEGORIES, categories),
        REJECTS.empty(),
    )
    written = record().replace(
        rows=row_counts(tables),
        label_space="coco",
        lvis_version=None,
        eql=None,
        holdout=None,
        options={},
        evidence=EvidenceCounts(),
        inputs=(InputRecord("coco", "instances_train2017.json", 1, "0" * 64),),
        counts={"coco": {"image": KindCounts(2, 2, {}, 0), "annotation": KindCounts(3, 3, {}, 0)}},
        splits={"train": SplitOrigin(None, [{"id": 4, "url": BY_2}])},
    )
    return Small(tables, written, {})


def open_images_small(with_map: bool = True) -> Small:
    """Both images of the small manifest, the classes of the map (or without one) as categories."""
    images = [
        open_image(
            OPEN_B_ID,
            OPEN_B,
            "validation",
            split="val",
            neg_category_ids=[],
            not_exhaustive_category_ids=[],
            pos_category_ids=[2],
        ),
        open_image(
            OPEN_A_ID,
            OPEN_A,
            "train",
            neg_category_ids=[],
            not_exhaustive_category_ids=[1],
            pos_category_ids=[1, 2],
        ),
    ]
    first, second = (OPEN_A_ID, OPEN_A), (OPEN_B_ID, OPEN_B)
    spoon = {"category_id": 1, "map_relation": "exact" if with_map else None}
    teddy = {"category_id": 2, "map_relation": "spelling" if with_map else None}
    group = {"ignore_reason": "group_of", "is_group_of": True}
    rows = [
        open_row(second, 1, "/m/0kmg4", [0, 0, 10, 10], **teddy),
        open_row(first, 1, "/m/0cmx8", [0, 0, 10, 10], **spoon, **group),
        open_row(first, 2, "/m/0kmg4", [0, 0, 10, 10], **teddy),
    ]
    counts = [(1, "Spoon", "/m/0cmx8", 0), (2, "Teddy bear", "/m/0kmg4", 1)]
    categories = [
        {
            "category_id": number,
            "name": name,
            "source_label": mid,
            "image_count": count,
            "instance_count": count,
            "frequency_merged": "r",
            "f": float(count),
            "repeat_factor": 1.0,
        }
        for number, name, mid, count in counts
    ]
    tables = Tables(
        table(IMAGES, images),
        table(ANNOTATIONS, [row | {"annotation_id": n} for n, row in enumerate(rows, 1)]),
        table(CATEGORIES, categories),
        REJECTS.empty(),
    )
    maps = {"open_images.csv": OPEN_IMAGES_MAP.encode()} if with_map else {}
    written = record().replace(
        rows=row_counts(tables),
        label_space="open_images",
        lvis_version=None,
        eql=None,
        holdout=None,
        options={},
        maps={name: hashlib.sha256(content).hexdigest() for name, content in maps.items()},
        counts={"open_images": {"box": KindCounts(3, 3, {}, 0)}},
        splits={},
    )
    return Small(tables, written, maps)
