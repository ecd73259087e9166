"""A tiny good set of inputs for `lvis-merge build`, and ways to spoil its files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

TRAIN_IMAGES = (11, 12, 13)
DOG, CUP, STARFISH = 1, 2, 3
PICTURES = ("000000000000000a", "000000000000000b", "000000000000000c")
VALIDATION_PICTURE = "00000000000000d0"
CLASSES = (("/m/star", "Starfish"), ("/m/pet", "Pet"), ("/m/dog", "Dog"))
BOX_COLUMNS = (
    "ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside",
)  # fmt: skip
LIST_COLUMNS = (
    "ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL",
    "Author", "Title", "Rotation",
)  # fmt: skip
LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
MAP_COLUMNS = ("mid", "open_images_name", "lvis_synset", "lvis_name", "relation", "note")
COCO_MAP_COLUMNS = ("coco_id", "coco_name", "lvis_synset", "lvis_name", "relation", "note")
ERROR_PAGE = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"
BINARY_JUNK = bytes(range(128, 256)) * 4 + b"\x00\xff\n\x00"

TRAIN, VAL, TEST, COCO = "lvis_train.json", "lvis_val.json", "lvis_test.json", "instances.json"
FOLDER = "open_images"
BOXES = f"{FOLDER}/train-annotations-bbox.csv"
LIST = f"{FOLDER}/train-images-boxable-with-rotation.csv"
LABELS = f"{FOLDER}/train-annotations-human-imagelabels-boxable.csv"
CLASS_LIST = f"{FOLDER}/class-descriptions-boxable.csv"
HIERARCHY = f"{FOLDER}/bbox_labels_600_hierarchy.json"
SIZES, EXCLUDE = "sizes.csv", "exclude.csv"
HELD_OUT_JSON, HELD_OUT_CSV, HELD_OUT_PICTURES = "held.json", "held.csv", "held_pictures.csv"
MAP, COCO_MAP = "map.csv", "coco_map.csv"


@dataclass(frozen=True)
class Inputs:
    """The files, all below one folder, by the names above."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def text(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def write(self, name: str, content: str | bytes) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        self.path(name).write_bytes(data)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replaces the first occurrence, which must be there."""
        text = self.text(name)
        assert old in text, f"{name} does not hold {old!r}"
        self.write(name, text.replace(old, new, 1))

    def append(self, name: str, text: str) -> None:
        self.write(name, self.text(name) + text)

    def edit(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes a JSON file."""
        content = json.loads(self.text(name))
        change(content)
        self.write(name, json.dumps(content))

    def cut(self, name: str, keep: float = 0.6) -> None:
        """Cuts a file off, as a broken download does."""
        data = self.path(name).read_bytes()
        self.path(name).write_bytes(data[: int(len(data) * keep)])

    def gzip(self, name: str) -> None:
        """Replaces a file by its .gz."""
        self.write(f"{name}.gz", gzip.compress(self.path(name).read_bytes(), mtime=0))
        self.path(name).unlink()

    def zip(self, name: str, members: dict[str, str | bytes]) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        self.write(name, packed.getvalue())

    def lvis(self) -> list[str]:
        return ["--lvis", str(self.path(TRAIN))]

    def coco(self) -> list[str]:
        options = {"--coco": COCO, "--coco-mapping": COCO_MAP}
        return [part for flag, name in options.items() for part in (flag, str(self.path(name)))]

    def open_images(self) -> list[str]:
        options = {"--openimages": FOLDER, "--mapping": MAP, "--openimages-sizes": SIZES}
        return [part for flag, name in options.items() for part in (flag, str(self.path(name)))]

    def option(self, flag: str, name: str) -> list[str]:
        return [flag, str(self.path(name))]

    def json_files(self) -> list[str]:
        """Options that read the LVIS and COCO files."""
        val_and_test = [*self.option("--lvis-val", VAL), *self.option("--lvis-test", TEST)]
        return [*self.lvis(), *val_and_test, *self.coco()]

    def everything(self) -> list[str]:
        """Options that read every file."""
        return [
            *self.json_files(), *self.open_images(),
            *self.option("--openimages-exclude", EXCLUDE),
            *self.option("--holdout", HELD_OUT_JSON), *self.option("--holdout", HELD_OUT_CSV),
            *self.option("--holdout", HELD_OUT_PICTURES),
            "--openimages-images", str(self.path("pictures")),
        ]  # fmt: skip


def make_inputs(folder: Path) -> Inputs:
    """Writes all files."""
    inputs = Inputs(folder)
    (folder / FOLDER).mkdir(parents=True)
    (folder / "pictures/train").mkdir(parents=True)
    categories = [
        _category(DOG, "dog", "dog.n.01", "f"),
        _category(CUP, "cup", "cup.n.01", "c"),
        _category(STARFISH, "starfish", "starfish.n.01", "r"),
    ]
    _write_lvis(inputs, TRAIN, "train2017", TRAIN_IMAGES, categories)
    _write_lvis(inputs, VAL, "val2017", (21, 22), categories)
    _write_lvis(inputs, TEST, "test2017", (31,), categories)
    inputs.edit(TEST, lambda content: content.pop("annotations"))
    _write_coco(inputs)
    _write_open_images(inputs)
    rows = [[image, str(100 + place), "80"] for place, image in enumerate(PICTURES)]
    rows.append([VALIDATION_PICTURE, "64", "48"])
    _write_csv(inputs, SIZES, ("ImageID", "Width", "Height"), rows)
    _write_csv(inputs, EXCLUDE, ("ImageID", "Problem"), [["00000000000000ee", "404"]])
    inputs.write(HELD_OUT_JSON, json.dumps({"images": [{"id": 900, "flickr_url": _flickr(900)}]}))
    _write_csv(inputs, HELD_OUT_CSV, ("image_id",), [["901"]])
    _write_csv(inputs, HELD_OUT_PICTURES, ("ImageID",), [["00000000000000ef"]])
    _write_csv(
        inputs,
        MAP,
        MAP_COLUMNS,
        [
            ["/m/star", "Starfish", "starfish.n.01", "starfish", "exact", ""],
            ["/m/dog", "Dog", "dog.n.01", "dog", "exact", ""],
        ],
    )
    coco_map = [
        ["18", "dog", "dog.n.01", "dog", "exact", ""],
        ["47", "cup", "cup.n.01", "cup", "exact", ""],
        ["44", "bottle", "", "", "", ""],
    ]
    _write_csv(inputs, COCO_MAP, COCO_MAP_COLUMNS, coco_map)
    Image.new("RGB", (100, 80)).save(folder / f"pictures/train/{PICTURES[0]}.jpg")
    return inputs


def _category(number: int, name: str, synset: str, frequency: str) -> dict[str, Any]:
    return {
        "id": number, "name": name, "synset": synset, "frequency": frequency, "def": name,
        "synonyms": [name], "image_count": 5, "instance_count": 7,
    }  # fmt: skip


def _flickr(number: int) -> str:
    return f"http://farm1.staticflickr.com/1/{number}_0a_z.jpg"


def _image(number: int, folder: str) -> dict[str, Any]:
    name = f"{number:012d}.jpg"
    return {
        "id": number, "width": 64, "height": 48, "license": 1, "flickr_url": _flickr(number),
        "coco_url": f"http://images.cocodataset.org/{folder}/{name}", "file_name": name,
        "date_captured": "2013-11-14 11:18:45",
        "neg_category_ids": [CUP], "not_exhaustive_category_ids": [],
    }  # fmt: skip


def _annotation(number: int, image: int, category: int) -> dict[str, Any]:
    return {
        "id": number, "image_id": image, "category_id": category, "bbox": [2, 3, 20, 10],
        "area": 150.5, "segmentation": [[2, 3, 22, 3, 22, 13, 2, 13]],
    }  # fmt: skip


def _write_lvis(
    inputs: Inputs, name: str, folder: str, images: tuple[int, ...], categories: list[Any]
) -> None:
    content = {
        "info": {"version": "x"},
        "licenses": [{"id": 1, "url": "http://example.org/by", "name": "BY"}],
        "categories": categories,
        "images": [_image(number, folder) for number in images],
        "annotations": [
            _annotation(image * 10 + place, image, category)
            for image in images
            for place, category in enumerate((DOG, STARFISH))
        ],
    }
    inputs.write(name, json.dumps(content))


def _write_coco(inputs: Inputs) -> None:
    images = [_image(number, "train2017") for number in TRAIN_IMAGES]
    for image in images:
        del image["neg_category_ids"], image["not_exhaustive_category_ids"]
    rows = [_annotation(500 + place, image, 18) for place, image in enumerate(TRAIN_IMAGES)]
    content = {
        "info": {},
        "licenses": [],
        "categories": [{"id": n, "name": name} for n, name in ((18, "dog"), (44, "bottle"))],
        "images": images,
        "annotations": [{**row, "iscrowd": 0} for row in rows],
    }
    content["categories"].append({"id": 47, "name": "cup"})  # type: ignore[attr-defined]
    inputs.write(COCO, json.dumps(content))


def _write_open_images(inputs: Inputs) -> None:
    box = ["xclick", "/m/star", "1", "0.1", "0.6", "0.2", "0.7", "0", "0", "0", "0", "0"]
    for subset, images in (("train", PICTURES), ("validation", (VALIDATION_PICTURE,))):
        middle = "images-boxable" if subset == "train" else "images"
        rows = [[image, subset, "", "", "", "", "Jane", "A title", "0"] for image in images]
        _write_csv(inputs, f"{FOLDER}/{subset}-{middle}-with-rotation.csv", LIST_COLUMNS, rows)
        boxes = [[image, *box] for image in images]
        _write_csv(inputs, f"{FOLDER}/{subset}-annotations-bbox.csv", BOX_COLUMNS, boxes)
        labels = [[image, "verification", "/m/pet", "0"] for image in images]
        stem = f"{subset}-annotations-human-imagelabels-boxable.csv"
        _write_csv(inputs, f"{FOLDER}/{stem}", LABEL_COLUMNS, labels)
    _write_csv(inputs, CLASS_LIST, None, [list(row) for row in CLASSES])
    pet = {"LabelName": "/m/pet", "Subcategory": [{"LabelName": "/m/dog"}]}
    root = {"LabelName": "/m/root", "Subcategory": [pet, {"LabelName": "/m/star"}]}
    inputs.write(HIERARCHY, json.dumps(root))


def _write_csv(
    inputs: Inputs, name: str, header: tuple[str, ...] | None, rows: list[list[str]]
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(header)
    writer.writerows(rows)
    inputs.write(name, text.getvalue())
