"""Small manifests for the report's tests, in memory."""

import pyarrow as pa

from lvis_merge.manifest import schema
from lvis_merge.manifest.record import HoldOut, KindCounts, ManifestRecord
from lvis_merge.manifest.tables import Tables
from lvis_merge.sources.files import InputRecord

OPEN_IMAGE = 2**52 + 5
"""Manifest id of the one Open Images image."""

SQUARE = [[10.0, 10.0, 50.0, 10.0, 50.0, 50.0, 10.0, 50.0]]
"""One polygon of an object at x, y, w, h = 10, 10, 40, 40."""


def table(spec: schema.TableSpec, rows: list[dict]) -> pa.Table:
    """Rows as a table of the declared schema; absent keys are null."""
    return pa.Table.from_pylist(rows, schema=spec.schema)


def image(image_id: int, source: str = "lvis", split: str = "train", **more) -> dict:
    """A row of `images`, 100 x 80 pixels, without evidence."""
    return {
        "image_id": image_id,
        "source": source,
        "source_image_id": str(image_id),
        "split": split,
        "file_name": f"{source}/{image_id}.jpg",
        "width": 100,
        "height": 80,
        "neg_category_ids": [],
        "not_exhaustive_category_ids": [],
        "pos_category_ids": [],
    } | more


def annotation(image_id: int, category_id: int | None, source: str = "lvis", **more) -> dict:
    """A row of `annotations`: an object with a mask if of LVIS, a box at 10, 10, 40, 40."""
    return {
        "annotation_id": 1,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [10.0, 10.0, 40.0, 40.0],
        "area": 1600.0,
        "segmentation": SQUARE if source == "lvis" else None,
        "role": "ignore" if "ignore_reason" in more else "object",
        "source": source,
        "source_annotation_id": "1",
        "source_label": "?",
    } | more


def category(category_id: int, name: str, frequency: str | None, **more) -> dict:
    """A row of `categories` without any image."""
    return {
        "category_id": category_id,
        "name": name,
        "frequency": frequency,
        "image_count": 0,
        "instance_count": 0,
        "frequency_merged": "r",
        "f": 0.0,
        "repeat_factor": 1.0,
    } | more


def tables(images: list[dict], annotations: list[dict], categories: list[dict]) -> Tables:
    """A manifest's tables; no rejects."""
    return Tables(
        table(schema.IMAGES, images),
        table(schema.ANNOTATIONS, annotations),
        table(schema.CATEGORIES, categories),
        schema.REJECTS.empty(),
    )


def three_sources() -> Tables:
    """Two LVIS train images with COCO regions, one LVIS val image, one Open Images image."""
    made = tables(
        [
            image(1, pos_category_ids=[1, 2], neg_category_ids=[3]),
            image(2, pos_category_ids=[2], not_exhaustive_category_ids=[2]),
            image(3, split="val", pos_category_ids=[3]),
            image(
                OPEN_IMAGE,
                "open_images",
                pos_category_ids=[1, 3],
                neg_category_ids=[2],
                not_exhaustive_category_ids=[3],
                author="Ann <b>",
                license="https://creativecommons.org/licenses/by/2.0/",
            ),
        ],
        [
            annotation(1, 1),
            annotation(1, 2, annotation_id=2),
            annotation(1, 2, "coco", ignore_reason="coco_box", matched_annotation_id=2),
            annotation(1, None, "coco", ignore_reason="crowd"),
            annotation(2, 2),
            annotation(2, 2),
            annotation(3, 3),
            annotation(OPEN_IMAGE, 1, "open_images"),
            annotation(OPEN_IMAGE, 1, "open_images"),
            annotation(OPEN_IMAGE, None, "open_images", ignore_reason="unmapped"),
            annotation(OPEN_IMAGE, 3, "open_images", ignore_reason="group_of"),
        ],
        [
            category(1, "banjo", "r", image_count_lvis=1, instance_count_lvis=1, image_count=2,
                     instance_count=3, is_tail=True),
            category(2, "cat", "c", image_count_lvis=2, instance_count_lvis=3, image_count=2,
                     instance_count=3, is_tail=True),
            category(3, "dog", "f", image_count_lvis=0, instance_count_lvis=0, is_tail=False),
        ],
    )  # fmt: skip
    rejects = [
        {"source": "coco", "file": "c.json", "kind": "annotation", "row": row, "reason": "box",
         "raw": "{}"}
        for row in (9, 4)
    ]  # fmt: skip
    return Tables(made.images, made.annotations, made.categories, table(schema.REJECTS, rejects))


def own_label_space(source: str) -> Tables:
    """One source in its own label space: no published groups, counts or tail."""
    return tables(
        [image(1, source), image(2, source)],
        [annotation(1, 1, source), annotation(2, 2, source), annotation(2, 1, source)],
        [
            category(1, "bird", None, image_count=2, instance_count=2),
            category(2, "fish", None, image_count=1, instance_count=1),
        ],
    )


def record(**changes) -> ManifestRecord:
    """A record of LVIS v0.5 that was checked for leakage."""
    return ManifestRecord(
        **{
            "tool_version": "0.1.0",
            "label_space": "lvis",
            "lvis_version": "v0.5",
            "seed": 0,
            "options": {"images": 20000, "coco_boxes": "all", "strict": False, "extra": []},
            "inputs": (InputRecord("lvis", "lvis_v0.5_train.json", 482_066_612, "ab" * 32),),
            "maps": {"coco_2017.csv": "ef" * 32},
            "counts": {
                "open_images": {"box": KindCounts(20, 4, {"not_selected": 9, "holdout": 7}, 0)},
                "lvis": {
                    "image": KindCounts(3, 3, {}, 0),
                    "annotation": KindCounts(5, 5, {"option": 0}, 0),
                },
                "coco": {"annotation": KindCounts(4, 2, {}, 2)},
            },
            "holdout": HoldOut("cd" * 32, 1, 1, ("lvis_val.json",)),
        }
        | changes
    )
