"""A whole world small enough to be merged by hand."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reference import build_reference
from tests.worlds.world import Options


def write_small_world(folder: Path) -> Options:
    """One LVIS image with one object, two COCO boxes on it, one Open Images image."""
    lvis_image = {
        "id": 42, "width": 100, "height": 50, "neg_category_ids": [9, 2],
        "not_exhaustive_category_ids": [], "license": 3, "file_name": "COCO_train2014_42.jpg",
        "coco_url": "http://images.cocodataset.org/train2017/000000000042.jpg",
    }  # fmt: skip
    annotation = {
        "id": 10, "image_id": 42, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 77.5,
        "segmentation": [[1, 1, 3, 1, 3, 3.3], [0, 0, 1, 1, 0, 1]],
    }  # fmt: skip
    categories = [
        {"id": 1, "name": "cup", "synset": "cup.n.01", "frequency": "c"},
        {"id": 2, "name": "owl", "synset": "owl.n.01", "frequency": "f"},
    ]
    lvis = {
        "images": [lvis_image], "annotations": [annotation], "categories": categories,
        "licenses": [{"id": 3, "url": "http://l/3"}],
    }  # fmt: skip
    coco = {
        "images": [{"id": 42}],
        "categories": [{"id": 47, "name": "cup"}, {"id": 5, "name": "plane"}],
        "annotations": [
            {"id": 9, "image_id": 42, "category_id": 5, "bbox": [1, 2, 3, 4], "iscrowd": 1},
            {"id": 2, "image_id": 42, "category_id": 47, "bbox": [0, 0, 10, 5]},
        ],
    }
    files = {
        "lvis.json": json.dumps(lvis),
        "coco.json": json.dumps(coco),
        "coco.csv": "coco_id,coco_name,lvis_synset,lvis_name,relation,note\n"
        "47,cup,cup.n.01,cup,exact,\n5,plane,,,,\n",
        "map.csv": "mid,open_images_name,lvis_synset,lvis_name,relation,note\n"
        "/m/owl,Owl,owl.n.01,owl,synonym,\n/m/x,X,no.n.01,no,exact,\n",
        "sizes.csv": "ImageID,Width,Height\n000f,200,100\n",
        "oi/class-descriptions-boxable.csv": "/m/owl,Owl\n/m/x,X\n",
        "oi/train-annotations-bbox.csv": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
        "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
        "000f,xclick,/m/x,1,0,1,0,1,-1,0,0,0,0\n"
        "000f,,/m/owl,1,0.25,0.75,0.5,1,1,0,0,0,\n"
        "000f,xclick,/m/owl,1,0.75,0.25,0.5,1,1,0,0,0,0\n",
    }
    (folder / "oi").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return Options(
        lvis=folder / "lvis.json",
        coco=folder / "coco.json",
        coco_mapping=folder / "coco.csv",
        openimages=folder / "oi",
        mapping=folder / "map.csv",
        openimages_sizes=folder / "sizes.csv",
    )


def test_small_world_by_hand(tmp_path: Path) -> None:
    made = build_reference(write_small_world(tmp_path))
    image, picture = made.images
    assert (image["image_id"], image["file_name"]) == (42, "train2017/000000000042.jpg")
    assert (image["license"], image["license_id"]) == ("http://l/3", 3)
    assert (image["neg_category_ids"], image["pos_category_ids"]) == ([9, 2], [1])
    assert (picture["image_id"], picture["file_name"]) == (2**52 + 15, "train/000f.jpg")
    assert (picture["pos_category_ids"], picture["not_exhaustive_category_ids"]) == ([2], [])

    rounded = 3.299999952316284  # 3.3 as float32
    assert made.annotations[0]["segmentation"] == [[1, 1, 3, 1, 3, rounded], [0, 0, 1, 1, 0, 1]]
    shown: tuple[str, ...] = (
        "annotation_id",
        "source_annotation_id",
        "category_id",
        "bbox",
        "area",
    )
    shown += ("role", "ignore_reason", "map_relation", "matched_annotation_id", "is_occluded")
    owl, other = [50.0, 50.0, 100.0, 50.0], [0.0, 0.0, 200.0, 100.0]
    assert [tuple(row[name] for name in shown) for row in made.annotations] == [
        (1, "10", 1, [0, 0, 10, 10], 77.5, "object", None, None, None, None),
        (2, "2", 1, [0, 0, 10, 5], 50.0, "ignore", "coco_box", "exact", 1, None),
        (3, "9", None, [1, 2, 3, 4], 12.0, "ignore", "crowd", None, None, None),
        (4, "000f:1", 2, owl, 5000.0, "object", None, "synonym", None, True),
        (5, "000f:2", None, other, 20000.0, "ignore", "unmapped", None, None, None),
    ]
    assert [(row["is_tail"], row["image_count"], row["f"]) for row in made.categories] == [
        (True, 1, 0.5),
        (False, 1, 0.5),
    ]
    (reject,) = made.rejects
    assert (reject["file"], reject["row"], reject["reason"]) == (
        "train-annotations-bbox.csv",
        3,
        "box",
    )
    kept = {"in": 1, "kept": 1, "dropped": {}, "rejected": 0}
    assert made.counts == {
        "lvis": {"image": kept, "annotation": kept},
        "coco": {"annotation": {**kept, "in": 2, "kept": 2}},
        "open_images": {"box": {"in": 3, "kept": 2, "dropped": {}, "rejected": 1}},
    }


def test_unmatched_leaves_out_matched_rows_and_drop_leaves_out_unmapped_ones(
    tmp_path: Path,
) -> None:
    options = write_small_world(tmp_path)
    changed = Options(**{**vars(options), "coco_boxes": "unmatched", "unmapped": "drop"})
    made = build_reference(changed)
    numbers = [(row["annotation_id"], row["source_annotation_id"]) for row in made.annotations]
    assert numbers == [(1, "10"), (2, "9"), (3, "000f:1")]
    assert made.counts["coco"]["annotation"]["dropped"] == {"option": 1}
    assert made.counts["open_images"]["box"]["dropped"] == {"option": 1}
