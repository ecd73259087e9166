"""The rows of the small manifest, and builders of rows that later tests reuse."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

CUP, KAZOO, TEDDY, SPOON = 1, 2, 3, 5
TRAIN_A, TRAIN_B, VAL = 9, 25, 139
OPEN_A, OPEN_B = "000026e7ee790996", "ff0000a661a2f5aa"
OPEN_A_ID, OPEN_B_ID = 2**52 + 0x26E7EE790996, 2**52 + 0x000A661A2F5AA
BY_2, BY_NC = "http://creativecommons.org/licenses/by/2.0/", "http://creativecommons.org/nc/"


def bitmap(width: int, height: int, box: tuple[int, int, int, int]) -> str:
    """COCO compressed counts of a filled rectangle."""
    pixels = np.zeros((height, width), np.uint8, order="F")
    x, y, w, h = box
    pixels[y : y + h, x : x + w] = 1
    return str(coco_mask.encode(pixels)["counts"].decode())


def lvis_image(image_id: int, split: str, **columns: Any) -> dict[str, Any]:
    name = f"{split}2017/{image_id:012d}.jpg"
    return {
        "image_id": image_id,
        "source": "lvis",
        "source_image_id": str(image_id),
        "split": split,
        "file_name": name,
        "source_file_name": f"COCO_{split}2014_{image_id:012d}.jpg",
        "url": f"http://images.cocodataset.org/{name}",
        "original_url": f"http://farm5.staticflickr.com/4026/45{image_id:04d}_8f9b_z.jpg",
        "width": 640,
        "height": 480,
        "flickr_photo_id": 450000 + image_id,
        "license": BY_2,
        "license_id": 4,
        "date_captured": "2013-11-14 11:18:45",
        "neg_category_ids": [],
        "not_exhaustive_category_ids": [],
    } | columns


def open_image(image_id: int, source_id: str, subset: str, **columns: Any) -> dict[str, Any]:
    name = f"{subset}/{source_id}.jpg"
    return {
        "image_id": image_id,
        "source": "open_images",
        "source_image_id": source_id,
        "split": "train",
        "file_name": name,
        "url": f"https://open-images-dataset.s3.amazonaws.com/{name}",
        "original_url": f"https://c1.staticflickr.com/5/4129/{image_id % 1000}_o.jpg",
        "landing_url": "https://www.flickr.com/photos/ana/1",
        "width": 1024,
        "height": 768,
        "flickr_photo_id": image_id % 1000,
        "license": BY_2,
        "author": "Ana",
        "author_url": "https://www.flickr.com/people/ana/",
        "title": "Käse, “cups”",
    } | columns


def images() -> list[dict[str, Any]]:
    return [
        lvis_image(
            TRAIN_A,
            "train",
            neg_category_ids=[KAZOO, TEDDY],
            not_exhaustive_category_ids=[SPOON],
            pos_category_ids=[CUP, SPOON],
        ),
        lvis_image(TRAIN_B, "train", pos_category_ids=[TEDDY], license_id=7, license=BY_NC),
        lvis_image(VAL, "val", neg_category_ids=[SPOON], pos_category_ids=[CUP]),
        open_image(
            OPEN_B_ID,
            OPEN_B,
            "validation",
            neg_category_ids=[CUP],
            not_exhaustive_category_ids=[KAZOO],
            pos_category_ids=[KAZOO, TEDDY],
        ),
        open_image(
            OPEN_A_ID,
            OPEN_A,
            "train",
            neg_category_ids=[KAZOO],
            not_exhaustive_category_ids=[SPOON],
            pos_category_ids=[CUP, SPOON],
        ),
    ]


def lvis_row(image_id: int, number: int, category: int, label: str, **columns: Any) -> Any:
    return {
        "image_id": image_id,
        "category_id": category,
        "role": "object",
        "source": "lvis",
        "source_annotation_id": str(number),
        "source_label": label,
    } | columns


def coco_row(number: int, label: str, bbox: list[float], **columns: Any) -> dict[str, Any]:
    return {
        "image_id": TRAIN_A,
        "bbox": bbox,
        "area": bbox[2] * bbox[3],
        "role": "ignore",
        "ignore_reason": "coco_box",
        "source": "coco",
        "source_annotation_id": str(number),
        "source_label": label,
    } | columns


def open_row(image: tuple[int, str], rank: int, mid: str, bbox: list[float], **columns: Any) -> Any:
    return {
        "image_id": image[0],
        "bbox": bbox,
        "area": bbox[2] * bbox[3],
        "role": "ignore" if "ignore_reason" in columns else "object",
        "source": "open_images",
        "source_annotation_id": f"{image[1]}:{rank}",
        "source_label": mid,
        "annotation_method": "xclick",
        "is_occluded": True,
        "is_truncated": False,
        "is_group_of": False,
        "is_depiction": False,
        "is_inside": None,
    } | columns


def annotations() -> list[dict[str, Any]]:
    box, parts = (
        [10.5, 20.0, 100.0, 50.0],
        [[10.5, 20, 110.5, 20, 60, 70], [1, 1, 2, 1, 2, 2, 1, 2]],
    )
    first, second = (OPEN_A_ID, OPEN_A), (OPEN_B_ID, OPEN_B)
    cup = {"category_id": CUP, "map_relation": "curated"}
    spoon = {"category_id": SPOON, "map_relation": "exact"}
    teddy = {"category_id": TEDDY, "map_relation": "spelling"}
    coco_cup = {"category_id": CUP, "map_relation": "exact"}
    lvis_b = {"bbox": [5.0, 5.0, 20.0, 30.0], "area": 411.0, "segmentation": parts}
    rows = [
        lvis_row(TRAIN_A, 5, CUP, "cup", bbox=box, area=2481.25, segmentation=parts),
        lvis_row(
            TRAIN_A,
            17,
            SPOON,
            "spoon",
            bbox=[300.0, 200.0, 40.0, 30.0],
            area=1200.0,
            mask_rle=bitmap(640, 480, (300, 200, 40, 30)),
        ),
        coco_row(99, "cup", [12.0, 20.0, 100.0, 50.0], matched_annotation_id=1, **coco_cup),
        coco_row(101, "cup", [200.0, 1.0, 300.0, 99.5], ignore_reason="crowd", **coco_cup),
        coco_row(120, "dining table", [0.0, 0.0, 640.0, 480.0]),
        lvis_row(TRAIN_B, 8, TEDDY, "teddy_bear", **lvis_b),
        lvis_row(VAL, 5, CUP, "cup", bbox=[1.0, 2.0, 3.0, 4.0], area=12.0),
        open_row(second, 1, "/m/0kmg4", [0.0, 0.0, 1024.0, 768.0], **teddy),
        open_row(
            second,
            2,
            "/m/0kmg4",
            [512.0, 384.0, 64.0, 32.0],
            mask_rle=bitmap(1024, 768, (520, 390, 20, 10)),
            **teddy | {"area": 200.0},
        ),
        open_row(first, 1, "/m/02p5f1q", [102.4, 76.8, 512.0, 192.0], **cup),
        open_row(
            first,
            2,
            "/m/0cmx8",
            [10.0, 10.0, 100.0, 100.0],
            ignore_reason="group_of",
            is_group_of=True,
            is_depiction=True,
            **spoon,
        ),
        open_row(
            first,
            3,
            "/m/0kmg4",
            [20.0, 30.0, 100.0, 100.0],
            ignore_reason="depiction",
            is_depiction=True,
            **teddy,
        ),
        open_row(
            first,
            4,
            "/m/0kmg4",
            [20.0, 40.0, 100.0, 100.0],
            ignore_reason="inside",
            is_inside=True,
            **teddy,
        ),
        open_row(
            first,
            5,
            "/m/0zzz",
            [1.0, 2.0, 3.0, 4.0],
            ignore_reason="unmapped",
            is_group_of=True,
        ),
    ]
    return [row | {"annotation_id": number} for number, row in enumerate(rows, start=1)]


def category(category_id: int, name: str, synset: str, frequency: str, **columns: Any) -> Any:
    return {
        "category_id": category_id,
        "name": name,
        "synset": synset,
        "synonyms": [name, f"{name}s"],
        "definition": f"a {name}",
        "frequency": frequency,
        "image_count_published": 7,
        "instance_count_published": 9,
        "image_count_lvis": 1,
        "instance_count_lvis": 1,
        "frequency_merged": "r",
        "repeat_factor": 1.0,
        "is_tail": frequency != "f",
    } | columns


def categories() -> list[dict[str, Any]]:
    none = {"image_count_lvis": 0, "instance_count_lvis": 0}
    return [
        category(CUP, "cup", "cup.n.01", "f", image_count=2, instance_count=2, f=0.5),
        category(KAZOO, "kazoo", "kazoo.n.01", "r", image_count=0, instance_count=0, f=0.0, **none),
        category(TEDDY, "teddy_bear", "teddy.n.01", "c", image_count=2, instance_count=3, f=0.5),
        category(SPOON, "spoon", "spoon.n.01", "f", image_count=1, instance_count=1, f=0.25),
    ]


def rejects() -> list[dict[str, Any]]:
    lvis = {"source": "lvis", "file": "lvis_train.json", "row": 2}
    return [
        lvis | {"kind": "image", "reason": "value", "raw": '{"id": "x"}'},
        lvis | {"kind": "annotation", "reason": "box", "raw": "{}"},
        {
            "source": "open_images",
            "file": "train-annotations-bbox.csv",
            "kind": "box",
            "row": 4,
            "reason": "box",
            "raw": "0001,xclick,/m/0kmg4,1,0.5,0.5,0,1,0,0,0,0,0",
        },
    ]
