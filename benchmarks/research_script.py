"""The merge as a researcher would script it: json.load, pandas, one file.

It is the other side of the comparison in ``full_scale.py``, written in good faith: only needed
columns are read, filters and joins are vectorised, nothing is held longer than the code reads
naturally. It does less than ``lvis-merge build``: no input checks, no rejects, no balanced
selection, no matching of COCO boxes to LVIS objects, no hashes of its inputs, no report.

    python benchmarks/research_script.py --lvis L.json --lvis-val V.json --coco C.json \
        --openimages DIR --openimages-sizes S.csv --images 20000 --out DIR
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MAPPINGS = Path(__file__).resolve().parent.parent / "mappings"
FLAGS = ["IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"]
IMAGE_COLUMNS = {
    "OriginalURL": "original_url", "OriginalLandingURL": "landing_url", "License": "license",
    "AuthorProfileURL": "author_url", "Author": "author", "Title": "title",
}  # fmt: skip


def flickr_id(urls: pd.Series) -> pd.Series:
    """Photo id: the digits before the first underscore of the file name."""
    return urls.str.extract(r"/(\d{1,18})_[^/]*$", expand=False).astype("Int64")


def xywh(boxes: pd.DataFrame) -> list[np.ndarray]:
    """One float32 array of x, y, w, h per row."""
    return list(boxes[["x", "y", "w", "h"]].to_numpy(np.float32))


def load_lvis(train: Path, val: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Images, objects and categories of LVIS train and val, without leaking train images."""
    images, objects = [], []
    for split, path in (("train", train), ("val", val)):
        with path.open("rb") as file:
            data = json.load(file)
        images.append(pd.DataFrame(data["images"]).assign(split=split))
        objects.append(pd.DataFrame(data["annotations"]).assign(split=split))
        if split == "train":
            categories = pd.DataFrame(data["categories"])
        del data
    both = pd.concat(images, ignore_index=True)
    both["flickr_photo_id"] = flickr_id(both["flickr_url"])
    held = both[both["split"] == "val"]
    leak = both["id"].isin(held["id"]) | both["flickr_photo_id"].isin(
        held["flickr_photo_id"].dropna()
    )
    both = both[(both["split"] == "val") | ~leak]
    both["source_file_name"] = both["file_name"]
    both["file_name"] = both["coco_url"].str.split("/").str[-2:].str.join("/")
    both = both.rename(columns={
        "id": "image_id", "coco_url": "url", "flickr_url": "original_url", "license": "license_id",
    })  # fmt: skip
    rows = pd.concat(objects, ignore_index=True).drop(columns="split")
    rows = rows[rows["image_id"].isin(both["image_id"])].rename(
        columns={"id": "source_annotation_id"}
    )
    rows["role"] = "object"
    rows["source_label"] = rows["category_id"].map(categories.set_index("id")["name"])
    pos = rows.groupby("image_id")["category_id"].agg(lambda ids: sorted(set(ids)))
    both["pos_category_ids"] = both["image_id"].map(pos)
    both["source_image_id"] = both["image_id"].astype(str)
    return both.assign(source="lvis"), rows.assign(source="lvis"), categories


def load_coco(
    path: Path, map_file: Path, train_ids: pd.Series, categories: pd.DataFrame
) -> pd.DataFrame:
    """COCO boxes on LVIS train images, as ignore regions."""
    with path.open("rb") as file:
        data = json.load(file)
    names = {c["id"]: c["name"] for c in data["categories"]}
    rows = pd.DataFrame(data["annotations"]).drop(columns=["segmentation", "area"])
    del data
    rows = rows[rows["image_id"].isin(train_ids)].rename(columns={"id": "source_annotation_id"})
    rows["source_label"] = rows["category_id"].map(names)
    mapping = pd.read_csv(map_file).set_index("coco_id")
    rows["map_relation"] = rows["category_id"].map(mapping["relation"])
    of_synset = categories.set_index("synset")["id"]
    rows["category_id"] = rows["category_id"].map(mapping["lvis_synset"].map(of_synset))
    rows["ignore_reason"] = np.where(rows["iscrowd"] == 1, "crowd", "coco_box")
    boxes = np.array(rows["bbox"].to_list())
    rows["area"] = boxes[:, 2] * boxes[:, 3]
    return rows.drop(columns="iscrowd").assign(source="coco", role="ignore")


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of the class hierarchy, along Subcategory edges."""
    yield tree
    for child in tree.get("Subcategory", []):
        yield from nodes(child)


def load_open_images(
    folder: Path,
    sizes: Path,
    map_file: Path,
    held_photos: pd.Series,
    categories: pd.DataFrame,
    wanted: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose ``wanted`` images with mapped boxes; return their image and annotation rows."""
    mapping = pd.read_csv(map_file)
    mapping["category_id"] = mapping["lvis_synset"].map(categories.set_index("synset")["id"])
    mapping = mapping.dropna(subset="category_id").set_index("mid")
    boxes = pd.read_csv(folder / "train-annotations-bbox.csv",
                        usecols=["ImageID", "Source", "LabelName", "XMin", "XMax", "YMin", "YMax",
                                 *FLAGS])  # fmt: skip
    images = pd.read_csv(folder / "train-images-boxable-with-rotation.csv",
                         usecols=["ImageID", "Rotation", *IMAGE_COLUMNS])  # fmt: skip
    images["flickr_photo_id"] = flickr_id(images["OriginalURL"])
    upright = ~images["Rotation"].isin([90, 180, 270])
    images = images[upright & ~images["flickr_photo_id"].isin(held_photos)]
    flagged = (boxes[["IsGroupOf", "IsDepiction", "IsInside"]] == 1).any(axis=1)
    has_object = boxes["ImageID"][boxes["LabelName"].isin(mapping.index) & ~flagged].unique()
    images = images[images["ImageID"].isin(has_object)]
    images = images.sample(min(wanted, len(images)), random_state=0)
    images = images.merge(pd.read_csv(sizes), on="ImageID")
    boxes = boxes[boxes["ImageID"].isin(images["ImageID"])].merge(
        images[["ImageID", "Width", "Height"]], on="ImageID"
    )
    boxes["category_id"] = boxes["LabelName"].map(mapping["category_id"])
    boxes["map_relation"] = boxes["LabelName"].map(mapping["relation"])
    reason = np.select(
        [boxes["category_id"].isna(), boxes["IsGroupOf"] == 1, boxes["IsDepiction"] == 1,
         boxes["IsInside"] == 1],
        ["unmapped", "group_of", "depiction", "inside"], default="",
    )  # fmt: skip
    boxes["role"] = np.where(reason == "", "object", "ignore")
    boxes["ignore_reason"] = pd.Series(reason, index=boxes.index).where(reason != "")
    boxes["x"], boxes["y"] = boxes["XMin"] * boxes["Width"], boxes["YMin"] * boxes["Height"]
    boxes["w"] = (boxes["XMax"] - boxes["XMin"]) * boxes["Width"]
    boxes["h"] = (boxes["YMax"] - boxes["YMin"]) * boxes["Height"]
    boxes["area"] = boxes["w"] * boxes["h"]
    boxes["bbox"] = pd.Series(xywh(boxes), index=boxes.index)
    evidence = verified(folder, images["ImageID"], boxes, mapping["category_id"])
    images = images.merge(evidence, left_on="ImageID", right_index=True)
    images["image_id"] = [2**52 + int(i, 16) % 2**52 for i in images["ImageID"]]
    boxes["image_id"] = boxes["ImageID"].map(images.set_index("ImageID")["image_id"])
    boxes = boxes.sort_values(["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"])
    rank = (boxes.groupby("ImageID").cumcount() + 1).astype(str)
    boxes["source_annotation_id"] = boxes["ImageID"] + ":" + rank
    for flag in FLAGS:
        name = "is_" + flag[2:].lower().replace("groupof", "group_of")
        boxes[name] = boxes[flag].map({0: False, 1: True}).astype("boolean")
    boxes = boxes.rename(columns={"LabelName": "source_label", "Source": "annotation_method"})
    boxes = boxes.drop(columns=["ImageID", "Width", "Height", "XMin", "XMax", "YMin", "YMax",
                                "x", "y", "w", "h", *FLAGS])  # fmt: skip
    images["file_name"] = "train/" + images["ImageID"] + ".jpg"
    images["url"] = "https://open-images-dataset.s3.amazonaws.com/" + images["file_name"]
    images = images.drop(columns="Rotation").rename(columns={
        **IMAGE_COLUMNS, "ImageID": "source_image_id", "Width": "width", "Height": "height",
    })  # fmt: skip
    tag = {"source": "open_images"}
    return images.assign(split="train", **tag), boxes.assign(**tag)


def verified(
    folder: Path, chosen: pd.Series, boxes: pd.DataFrame, category: pd.Series
) -> pd.DataFrame:
    """Lists of present, absent and not exhaustively boxed categories per image."""
    labels = pd.read_csv(folder / "train-annotations-human-imagelabels-boxable.csv",
                         usecols=["ImageID", "LabelName", "Confidence"])  # fmt: skip
    labels = labels[labels["ImageID"].isin(chosen)]
    labels = labels.drop_duplicates()
    labels = labels.drop_duplicates(["ImageID", "LabelName"], keep=False)
    tree = json.loads((folder / "bbox_labels_600_hierarchy.json").read_text("utf-8"))
    below: dict[str, set[int]] = {mid: set() for mid in labels["LabelName"].unique()}
    for node in nodes(tree):
        found = {category[n["LabelName"]] for n in nodes(node) if n["LabelName"] in category.index}
        below.setdefault(node["LabelName"], set()).update(found)
    for mid in category.index:
        below.setdefault(mid, set()).add(category[mid])
    present = labels[(labels["Confidence"] == 1) & labels["LabelName"].isin(category.index)]
    absent = labels[labels["Confidence"] == 0].groupby("ImageID")["LabelName"].agg(list).to_dict()
    said = present["LabelName"].map(category).groupby(present["ImageID"]).agg(set).to_dict()
    mapped = boxes.dropna(subset="category_id")
    by_image = {}
    for name, rows in (
        ("object", mapped[mapped["role"] == "object"]),
        ("group", mapped[mapped["ignore_reason"] == "group_of"]),
        ("any", mapped),
    ):
        by_image[name] = rows.groupby("ImageID")["category_id"].agg(set).to_dict()
    result = {}
    for image in chosen:
        objects, groups = by_image["object"].get(image, set()), by_image["group"].get(image, set())
        pos = said.get(image, set()) | objects | groups
        neg = set().union(*(below[mid] for mid in absent.get(image, [])))
        neg -= pos | by_image["any"].get(image, set())
        result[image] = [sorted(map(int, ids)) for ids in (pos, neg, groups | (pos - objects))]
    columns = ["pos_category_ids", "neg_category_ids", "not_exhaustive_category_ids"]
    return pd.DataFrame.from_dict(result, orient="index", columns=columns)


def count(
    categories: pd.DataFrame, images: pd.DataFrame, annotations: pd.DataFrame
) -> pd.DataFrame:
    """Counts after the merge and repeat factors, on objects of train images."""
    train = images["image_id"][images["split"] == "train"]
    objects = annotations[(annotations["role"] == "object") & annotations["image_id"].isin(train)]
    per_category = objects.groupby("category_id")["image_id"]
    table = categories.rename(columns={
        "id": "category_id", "def": "definition", "image_count": "image_count_published",
        "instance_count": "instance_count_published",
    }).set_index("category_id")  # fmt: skip
    table["instance_count"] = per_category.size().reindex(table.index, fill_value=0)
    table["image_count"] = per_category.nunique().reindex(table.index, fill_value=0)
    table["f"] = table["image_count"] / objects["image_id"].nunique()
    rare = np.sqrt(0.001 / table["f"].where(table["f"] > 0))
    table["repeat_factor"] = rare.fillna(1.0).clip(lower=1.0)
    return table.reset_index()


def main() -> None:
    """Merge and write three Parquet files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("lvis", "lvis-val", "coco", "openimages", "openimages-sizes", "out"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--mapping", type=Path, default=MAPPINGS / "open_images_v5_110.csv")
    parser.add_argument("--coco-mapping", type=Path, default=MAPPINGS / "coco_2017.csv")
    given = parser.parse_args()
    lvis_images, lvis_rows, categories = load_lvis(given.lvis, given.lvis_val)
    train_ids = lvis_images["image_id"][lvis_images["split"] == "train"]
    coco_rows = load_coco(given.coco, given.coco_mapping, train_ids, categories)
    held = lvis_images["flickr_photo_id"][lvis_images["split"] == "val"].dropna()
    oi_images, oi_rows = load_open_images(
        given.openimages, given.openimages_sizes, given.mapping, held, categories, given.images
    )
    images = pd.concat([lvis_images, oi_images], ignore_index=True).sort_values("image_id")
    for rows in (lvis_rows, coco_rows):
        rows["source_annotation_id"] = rows["source_annotation_id"].astype(str)
    annotations = pd.concat([lvis_rows, coco_rows, oi_rows], ignore_index=True)
    annotations = annotations.sort_values(["image_id", "source"], kind="stable")
    annotations.insert(0, "annotation_id", np.arange(1, len(annotations) + 1))
    annotations["category_id"] = annotations["category_id"].astype("Int32")
    given.out.mkdir(parents=True, exist_ok=True)
    images.to_parquet(given.out / "images.parquet", compression="zstd", index=False)
    annotations.to_parquet(given.out / "annotations.parquet", compression="zstd", index=False)
    table = count(categories, images, annotations)
    table.to_parquet(given.out / "categories.parquet", compression="zstd", index=False)


if __name__ == "__main__":
    main()
