"""Files that cannot be used at all: how each is spoilt, and the message that must tell so.

`{}` stands for the folder of the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.small_inputs import (
    BINARY_JUNK,
    BOXES,
    CLASS_LIST,
    COCO,
    COCO_MAP,
    ERROR_PAGE,
    EXCLUDE,
    FOLDER,
    HELD_OUT_CSV,
    HELD_OUT_JSON,
    HIERARCHY,
    LABELS,
    LIST,
    MAP,
    PICTURES,
    SIZES,
    TEST,
    TRAIN,
    VAL,
    Inputs,
)  # fmt: skip

Spoil = Callable[[Inputs], object]


@dataclass(frozen=True)
class Bad:
    """One case: `everything()` is built of the spoilt inputs, unless `options` says otherwise."""

    id: str
    spoil: Spoil
    message: str
    options: Callable[[Inputs], list[str]] = Inputs.everything


def write(name: str, content: str | bytes) -> Spoil:
    return lambda inputs: inputs.write(name, content)


def replace(name: str, old: str, new: str) -> Spoil:
    return lambda inputs: inputs.replace(name, old, new)


def append(name: str, line: str) -> Spoil:
    return lambda inputs: inputs.append(name, line + "\n")


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Spoil:
    return lambda inputs: inputs.edit(name, change)


def remove(name: str) -> Spoil:
    return lambda inputs: inputs.path(name).unlink()


def set_in(array: str, row: int, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content[array][row - 1].update(fields)


def without(array: str, field: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: [row.pop(field) for row in content[array]]


def only(*flags_and_names: str) -> Callable[[Inputs], list[str]]:
    """Options of pairs (flag, file); a value that is no file of the inputs stays as it is."""

    def options(inputs: Inputs) -> list[str]:
        return [
            str(inputs.path(part)) if not part.startswith("-") and "." in part else part
            for part in flags_and_names
        ]

    return options


def train_as(name: str) -> Callable[[Inputs], list[str]]:
    return only("--lvis", name)


COCO_SPACE = only("--coco", COCO, "--label-space", "coco")
JSON_KIND = "Give an LVIS or COCO annotation file."
CUT = "The file is damaged, cut short or of another kind. Download it again."
ARCHIVE = "the archive is damaged or cut short"
OF_ANOTHER_KIND = "It is a file of another kind: give an LVIS or COCO annotation file."
MAP_HEADERS = (
    "Give a CSV with the header mid,open_images_name,lvis_synset,lvis_name,relation,note or"
    " coco_id,coco_name,lvis_synset,lvis_name,relation,note."
)
BOX_FIELDS = "XMin, XMax, YMin, YMax, IsOccluded, IsTruncated, IsGroupOf, IsDepiction, IsInside"


TWO = ("a.csv", "b.csv")


def gzipped_and(name: str, then: Callable[[Inputs, str], object]) -> Spoil:
    def spoil(inputs: Inputs) -> None:
        inputs.gzip(name)
        then(inputs, f"{name}.gz")

    return spoil


def flip_a_bit(inputs: Inputs, name: str) -> None:
    data = bytearray(inputs.path(name).read_bytes())
    data[len(data) // 2] ^= 0x10
    inputs.write(name, bytes(data))


WHOLE_JSON = (
    # a file that is none
    Bad("lvis-missing", remove(TRAIN), "{}/lvis_train.json: no such file. Check the path."),
    Bad("val-missing", remove(VAL), "{}/lvis_val.json: no such file. Check the path."),
    Bad("coco-missing", remove(COCO), "{}/instances.json: no such file. Check the path."),
    Bad(
        "lvis-is-a-folder",
        lambda inputs: None,
        "{}/open_images: is a folder. Give the file in it.",
        lambda inputs: ["--lvis", str(inputs.path(FOLDER))],
    ),
    # something else under the right name
    Bad("lvis-empty", write(TRAIN, ""),
        f"{{}}/lvis_train.json: is no JSON object (it is empty). {JSON_KIND}"),
    Bad("lvis-error-page", write(TRAIN, ERROR_PAGE),
        "{}/lvis_train.json: is no JSON object (it starts with '<!DOCTYPE html>\\n<html><head>"
        f"<title>404 N'). {JSON_KIND}"),
    Bad("test-error-page", write(TEST, ERROR_PAGE), "{}/lvis_test.json: is no JSON object (it sta"),
    Bad("coco-error-page", write(COCO, ERROR_PAGE), "{}/instances.json: is no JSON object (it sta"),
    Bad("lvis-binary", write(TRAIN, BINARY_JUNK), "{}/lvis_train.json: is no JSON object (it sta"),
    Bad("val-utf-16", lambda inputs: inputs.write(VAL, inputs.text(VAL).encode("utf-16")),
        "{}/lvis_val.json: is no JSON object (it starts with '"),
    Bad("lvis-is-a-list", write(TRAIN, "[1, 2]"),
        f"{{}}/lvis_train.json: is no JSON object (it starts with '[1, 2]'). {JSON_KIND}"),
    Bad("lvis-gz-without-the-name",
        gzipped_and(TRAIN, lambda inputs, name: inputs.path(name).rename(inputs.path(TRAIN))),
        "{}/lvis_train.json: is no JSON object (it is compressed: name it .json.gz)."),
    # cut or damaged
    Bad("lvis-cut", lambda inputs: inputs.cut(TRAIN), "{}/lvis_train.json: no valid JSON at byte "),
    Bad("val-cut", lambda inputs: inputs.cut(VAL), "{}/lvis_val.json: no valid JSON at byte "),
    Bad("coco-cut", lambda inputs: inputs.cut(COCO), "{}/instances.json: no valid JSON at byte "),
    Bad("lvis-text-after-the-end", lambda inputs: inputs.append(TRAIN, "x"),
        f"{{}}/lvis_train.json: no valid JSON at byte 2,343 (text after the end). {CUT}"),
    Bad("lvis-gz-cut", gzipped_and(TRAIN, Inputs.cut),
        f"{{}}/lvis_train.json.gz: {ARCHIVE} (Compressed file ended before the end-of-stream marker"
        " was reached). Download it again.", train_as(f"{TRAIN}.gz")),
    Bad("lvis-gz-damaged", gzipped_and(TRAIN, flip_a_bit),
        f"{{}}/lvis_train.json.gz: {ARCHIVE} (", train_as(f"{TRAIN}.gz")),
    Bad("lvis-gz-is-json",
        lambda inputs: inputs.path(TRAIN).rename(inputs.path(f"{TRAIN}.gz")),
        f"{{}}/lvis_train.json.gz: {ARCHIVE} (Not a gzipped file (b'{{{{\"')). Download it again.",
        train_as(f"{TRAIN}.gz")),
    Bad("lvis-zip-is-a-page", write("x.zip", ERROR_PAGE),
        f"{{}}/x.zip: {ARCHIVE} (File is not a zip file). Download it again.", train_as("x.zip")),
    Bad("lvis-zip-of-two", lambda inputs: inputs.zip("x.zip", {"a.json": "", "b.json": ""}),
        "{}/x.zip: holds 2 files that end in .json, expected one. Unpack it and give the file.",
        train_as("x.zip")),
    Bad("lvis-zip-of-none", lambda inputs: inputs.zip("x.zip", {"a.txt": ""}),
        "{}/x.zip: holds 0 files that end in .json, expected one. Unpack it and give the file.",
        train_as("x.zip")),
    # another kind of annotation file
    Bad("coco-as-lvis", lambda inputs: None,
        "{}/instances.json: no row of `categories` has `synset`, `frequency`, so it is a file of"
        " another kind. Give an LVIS annotation file.", train_as(COCO)),
    Bad("lvis-val-as-coco", lambda inputs: None,
        "{}/lvis_val.json: its categories have a synset and a frequency, so it is an LVIS file."
        " Give it to --lvis, and a COCO instances file to --coco.",
        only("--lvis", TRAIN, "--coco", VAL)),
    Bad("lvis-as-coco-in-its-own-space", lambda inputs: None,
        "{}/lvis_train.json: its categories have a synset and a frequency, so it is an LVIS file.",
        only("--coco", TRAIN, "--label-space", "coco")),
    Bad("lvis-test-as-train", lambda inputs: None,
        "{}/lvis_test.json: has no array `annotations`. Give an LVIS annotation file.",
        train_as(TEST)),
    Bad("lvis-test-as-val", lambda inputs: None,
        "{}/lvis_test.json: has no array `annotations`. Give an LVIS annotation file.",
        only("--lvis", TRAIN, "--lvis-val", TEST)),
    Bad("hierarchy-as-lvis", lambda inputs: None,
        f"{{}}/{HIERARCHY}: has no array `images`, `annotations`, `categories`."
        " Give an LVIS annotation file.", train_as(HIERARCHY)),
    Bad("box-csv-as-coco", lambda inputs: None,
        f"{{}}/{BOXES}: is no JSON object (it starts with 'ImageID,Source,",
        only("--coco", BOXES, "--label-space", "coco")),
)  # fmt: skip

JSON_FIELDS = (
    *(
        Bad(f"lvis-without-{array}", edit(TRAIN, lambda content, array=array: content.pop(array)),
            f"{{}}/lvis_train.json: has no array `{array}`. Give an LVIS annotation file.")
        for array in ("images", "annotations", "categories")
    ),
    Bad("coco-without-categories", edit(COCO, lambda content: content.pop("categories")),
        "{}/instances.json: has no array `categories`. Give a COCO instances file."),
    *(
        Bad(f"lvis-images-without-{field}", edit(TRAIN, without("images", field)),
            f"{{}}/lvis_train.json: no row of `images` has `{field}`. {OF_ANOTHER_KIND}")
        for field in ("id", "width", "coco_url", "neg_category_ids", "not_exhaustive_category_ids")
    ),
    *(
        Bad(f"lvis-annotations-without-{field}", edit(TRAIN, without("annotations", field)),
            f"{{}}/lvis_train.json: no row of `annotations` has `{field}`. {OF_ANOTHER_KIND}")
        for field in ("id", "image_id", "category_id", "bbox", "area", "segmentation")
    ),
    Bad("coco-annotations-without-bbox", edit(COCO, without("annotations", "bbox")),
        f"{{}}/instances.json: no row of `annotations` has `bbox`. {OF_ANOTHER_KIND}"),
    Bad("coco-images-without-id", edit(COCO, without("images", "id")),
        f"{{}}/instances.json: no row of `images` has `id`. {OF_ANOTHER_KIND}"),
    Bad("info-nan", replace(TRAIN, '{"version": "x"}', "NaN"),
        "{}/lvis_train.json: `info` holds what JSON cannot (Out of range float values are not JSON"
        " compliant: nan). Mend or remove it."),
    # categories: everything refers to them
    Bad("category-id-text", edit(TRAIN, set_in("categories", 2, id="2")),
        "{}/lvis_train.json: row 2 of `categories` is malformed (Expected `int`, got `str` - at"
        " `$.id`). Mend it: every annotation refers to the categories."),
    Bad("category-frequency-x", edit(VAL, set_in("categories", 3, frequency="x")),
        "{}/lvis_val.json: row 3 of `categories` is malformed (Invalid enum value 'x' - at"
        " `$.frequency`). Mend it: every annotation refers to the categories."),
    Bad("category-no-object", edit(COCO, lambda content: content["categories"].append(7)),
        "{}/instances.json: row 4 of `categories` is malformed (Expected `object`, got `int`)."),
    Bad("category-lone-surrogate", edit(TRAIN, set_in("categories", 1, synset="\ud800")),
        "{}/lvis_train.json: row 1 of `categories` is malformed ("),
    Bad("category-twice", edit(TRAIN, set_in("categories", 3, id=1)),
        "{}/lvis_train.json: category id 1 is in row 1 and again in row 3 of `categories`. Give"
        " each category an id of its own."),
    Bad("coco-category-twice", edit(COCO, set_in("categories", 2, id=18)),
        "{}/instances.json: category id 18 is in row 1 and again in row 2 of `categories`."),
    Bad("no-category", edit(TRAIN, lambda content: content["categories"].clear()),
        f"{{}}/lvis_train.json: `categories` is empty. {JSON_KIND}"),
    Bad("categories-no-array", edit(TRAIN, lambda content: content.update(categories={})),
        f"{{}}/lvis_train.json: `categories` is no array. {JSON_KIND}"),
    Bad("val-of-another-version", edit(VAL, set_in("categories", 2, synset="cup.n.02")),
        "lvis_val.json: its categories are not those of the train file, so ids would mean other"
        " things. Give train, val and test of one LVIS version."),
    Bad("test-of-another-version", edit(TEST, set_in("categories", 2, id=9)),
        "lvis_test.json: its categories are not those of the train file, so ids would mean other"
        " things. Give train, val and test of one LVIS version."),
    # names that lead out of the image folder
    *(
        Bad(f"file-name-{number}", edit(TRAIN, set_in("images", 2, file_name=name)),
            f"{{}}/lvis_train.json: image 12 (row 2 of `images`) has the file name {name}, which"
            " leads out of the image folder. Mend the name: it must be relative, without `..`.")
        for number, name in enumerate(("../x.jpg", "a/../../x.jpg", "/x.jpg", "C:\\x.jpg"))
    ),
    Bad("coco-url-with-dots", edit(TRAIN, set_in("images", 3, coco_url="http://x.org/../a.jpg")),
        "{}/lvis_train.json: image 13 (row 3 of `images`) has the file name ../a.jpg, which"),
    Bad("coco-file-name-with-dots", edit(COCO, set_in("images", 1, file_name="../x.jpg")),
        "{}/instances.json: image 11 (row 1 of `images`) has the file name ../x.jpg, which",
        COCO_SPACE),
)  # fmt: skip


def second(name: str) -> Spoil:
    """A newer or compressed file of the same kind beside the first."""
    kinds = {
        f"{FOLDER}/oidv6-train-annotations-bbox.csv": BOXES,
        f"{FOLDER}/oidv7-train-annotations-human-imagelabels-boxable.csv": LABELS,
        f"{FOLDER}/oidv7-class-descriptions-boxable.csv": CLASS_LIST,
        f"{LIST}.gz": LIST,
    }
    return lambda inputs: inputs.write(name, inputs.text(kinds[name]))


def two_of(first: str, other: str) -> str:
    names = [Path(name).name for name in (first, other)]
    both = " and ".join(names)
    return f"{{}}/open_images: holds {both}, two files of one kind. Keep one of them."


OPEN_IMAGES = (
    Bad("no-folder", lambda inputs: None,
        "{}/nowhere.d: no such folder. Give the folder that holds the CSV files.",
        only("--lvis", TRAIN, "--openimages", "nowhere.d")),
    Bad("folder-is-a-file", lambda inputs: None,
        "{}/sizes.csv: no such folder. Give the folder that holds the CSV files.",
        only("--lvis", TRAIN, "--openimages", SIZES)),
    Bad("no-box-file",
        lambda inputs: [path.unlink() for path in inputs.path(FOLDER).glob("*bbox.csv")],
        "{}/open_images: no box file. Expected train-annotations-bbox.csv (or validation-, test-)"
        " from the Open Images download page, plain, .gz or .zip."),
    Bad("no-class-list", remove(CLASS_LIST),
        "{}/open_images: no class list. Expected class-descriptions-boxable.csv from the Open"
        " Images download page."),
    *(
        Bad(f"two-{first.rpartition('/')[2]}", second(other), two_of(first, other))
        for first, other in (
            (BOXES, f"{FOLDER}/oidv6-train-annotations-bbox.csv"),
            (LABELS, f"{FOLDER}/oidv7-train-annotations-human-imagelabels-boxable.csv"),
            (CLASS_LIST, f"{FOLDER}/oidv7-class-descriptions-boxable.csv"),
            (LIST, f"{LIST}.gz"),
        )
    ),
    # big CSV files
    Bad("boxes-empty", write(BOXES, ""), "train-annotations-bbox.csv: is empty. Download it"),
    Bad("boxes-blank-lines", write(BOXES, "\n\n"), "train-annotations-bbox.csv: is empty."),
    Bad("boxes-error-page", write(BOXES, ERROR_PAGE),
        f"train-annotations-bbox.csv: the header lacks ImageID, Source, LabelName, {BOX_FIELDS}; it"
        " reads <!DOCTYPE html>. Check that it is the right file."),
    Bad("boxes-binary", write(BOXES, BINARY_JUNK),
        "train-annotations-bbox.csv: is no CSV file (its first line does not read as one)."
        " Download it again."),
    Bad("labels-as-boxes", lambda inputs: inputs.write(BOXES, inputs.text(LABELS)),
        f"train-annotations-bbox.csv: the header lacks {BOX_FIELDS}; it reads ImageID, Source,"
        " LabelName, Confidence. Check that it is the right file."),
    Bad("boxes-without-XMax", replace(BOXES, "XMax", "XMost"),
        "train-annotations-bbox.csv: the header lacks XMax; it reads ImageID, Source, LabelName,"),
    Bad("boxes-column-twice", replace(BOXES, "Confidence", "XMin"),
        "train-annotations-bbox.csv: the header names XMin twice. Mend the file."),
    Bad("boxes-gz-cut", gzipped_and(BOXES, Inputs.cut),
        f"{{}}/{BOXES}.gz: {ARCHIVE} (Compressed file ended before the end-of-stream marker was"
        " reached). Download it again."),
    Bad("boxes-zip-of-two",
        lambda inputs: [remove(BOXES)(inputs), inputs.zip(f"{BOXES}.zip", dict.fromkeys(TWO, ""))],
        f"{{}}/{BOXES}.zip: holds 2 files that end in .csv, expected one. Unpack it and give the"),
    Bad("list-without-ImageID", replace(LIST, "ImageID", "Image"),
        "train-images-boxable-with-rotation.csv: the header lacks ImageID; it reads Image, Sub"),
    Bad("list-error-page", write(LIST, ERROR_PAGE),
        "train-images-boxable-with-rotation.csv: the header lacks ImageID; it reads <!DOCTYPE"),
    Bad("list-binary", write(LIST, BINARY_JUNK),
        "train-images-boxable-with-rotation.csv: is no CSV file (its first line does not read as"),
    Bad("labels-without-Confidence", replace(LABELS, "Confidence", "Sure"),
        "train-annotations-human-imagelabels-boxable.csv: the header lacks Confidence; it reads"
        " ImageID, Source, LabelName, Sure. Check that it is the right file."),
    Bad("labels-binary", write(LABELS, BINARY_JUNK),
        "train-annotations-human-imagelabels-boxable.csv: is no CSV file (its first line does"),
    # classes and hierarchy
    Bad("classes-error-page", write(CLASS_LIST, ERROR_PAGE),
        "class-descriptions-boxable.csv, row 1: '<!DOCTYPE html>' is not MID,name such as"
        " /m/011k07,Tortoise. Check that it is the class list."),
    Bad("classes-binary", write(CLASS_LIST, BINARY_JUNK),
        "class-descriptions-boxable.csv: is no UTF-8 text. Download it again."),
    Bad("classes-empty", write(CLASS_LIST, ""),
        "class-descriptions-boxable.csv: lists no class. Download it again."),
    Bad("class-without-name", append(CLASS_LIST, "/m/x"),
        "class-descriptions-boxable.csv, row 4: '/m/x' is not MID,name such as"),
    Bad("class-twice", append(CLASS_LIST, "/m/dog,Hound"),
        "class-descriptions-boxable.csv, row 4: /m/dog is listed twice. Mend the file."),
    Bad("hierarchy-cut", lambda inputs: inputs.cut(HIERARCHY),
        "bbox_labels_600_hierarchy.json: is no JSON (Input data was truncated). Download it"),
    Bad("hierarchy-error-page", write(HIERARCHY, ERROR_PAGE),
        "bbox_labels_600_hierarchy.json: is no JSON (JSON is malformed: invalid character (byte"
        " 0)). Download it again."),
    Bad("hierarchy-node-without-name", replace(HIERARCHY, '"LabelName": "/m/pet"', '"x": 1'),
        "bbox_labels_600_hierarchy.json: a node has no LabelName, or its Subcategory or Part is no"
        " list. Check that it is the class hierarchy."),
    Bad("hierarchy-is-lvis", lambda inputs: inputs.write(HIERARCHY, inputs.text(TRAIN)),
        "bbox_labels_600_hierarchy.json: a node has no LabelName, or its Subcategory"),
)  # fmt: skip

A = PICTURES[0]
SIDE_FILES = (
    # sizes
    Bad("sizes-missing-file", remove(SIZES), "{}/sizes.csv: no such file. Check the path."),
    Bad("sizes-error-page", write(SIZES, ERROR_PAGE),
        "sizes.csv: is no CSV with the columns ImageID,Width,Height and whole numbers ("),
    Bad("sizes-binary", write(SIZES, BINARY_JUNK),
        "sizes.csv: is no CSV with the columns ImageID,Width,Height and whole numbers ("),
    Bad("sizes-without-Width", replace(SIZES, "Width", "W"),
        "sizes.csv: is no CSV with the columns ImageID,Width,Height and whole numbers (Column"
        " 'Width' in include_columns does not exist in CSV file). Mend it, or let `lvis-merge"
        " fetch` write it."),
    Bad("size-no-number", append(SIZES, "0e,wide,3"),
        "sizes.csv: is no CSV with the columns ImageID,Width,Height and whole numbers (In CSV"
        " column #1: CSV conversion error to int64: invalid value 'wide'). Mend it"),
    Bad("size-zero", append(SIZES, "0e,0,5"),
        "sizes.csv, row 5: width 0 and height 5 of image 0e are no size in pixels. Mend or remove"
        " the row."),
    Bad("two-sizes", append(SIZES, f"{A},1,1"),
        f"sizes.csv, row 5: image {A} already has another size, in row 1. Remove the wrong one."),
    # images
    Bad("image-contradicts-sizes", replace(SIZES, f"{A},100", f"{A},101"),
        f"{{}}/pictures/train/{A}.jpg: is 100 x 80 pixels, but the sizes CSV says 101 x 80. Fetch"
        " it again or mend the CSV."),
    Bad("image-error-page", write(f"pictures/train/{A}.jpg", ERROR_PAGE),
        f"{{}}/pictures/train/{A}.jpg: is no readable image (cannot identify image file"
        f" '{{}}/pictures/train/{A}.jpg'). Fetch it again, or list it in the CSV given by"
        " --openimages-exclude."),
    Bad("image-cut-in-its-header", lambda inputs: inputs.cut(f"pictures/train/{A}.jpg", 0.02),
        f"{{}}/pictures/train/{A}.jpg: is no readable image ("),
    Bad("images-is-a-file", lambda inputs: None,
        "{}/sizes.csv: is no folder. Give the one that holds the images.",
        lambda inputs: [*inputs.lvis(), *inputs.open_images(), "--openimages-images",
                        str(inputs.path(SIZES))]),
    # exclude
    Bad("exclude-missing-file", remove(EXCLUDE), "{}/exclude.csv: no such file. Check the path."),
    Bad("exclude-empty", write(EXCLUDE, ""),
        "exclude.csv: has no column ImageID; its first line reads ''. Check that it is the list of"
        " images to leave out."),
    Bad("exclude-error-page", write(EXCLUDE, ERROR_PAGE),
        "exclude.csv: has no column ImageID; its first line reads '<!DOCTYPE html>'. Check that"),
    # hold-out
    Bad("holdout-missing-file", remove(HELD_OUT_CSV), "{}/held.csv: no such file. Check the path."),
    Bad("holdout-error-page", write(HELD_OUT_CSV, ERROR_PAGE),
        "held.csv: has no column image_id (COCO and LVIS ids) or ImageID (Open Images ids); its"
        " first line reads '<!DOCTYPE html>'. Check that it is the right file."),
    Bad("holdout-binary", write(HELD_OUT_CSV, BINARY_JUNK), "held.csv: does not read as CSV ("),
    Bad("holdout-id-text", append(HELD_OUT_CSV, "n/a"),
        "held.csv, row 2: 'n/a' is no image_id. Mend the row."),
    Bad("holdout-id-no-hex", append("held_pictures.csv", "xyz"),
        "held_pictures.csv, row 2: 'xyz' is no ImageID. Mend the row."),
    Bad("holdout-json-cut", lambda inputs: inputs.cut(HELD_OUT_JSON),
        "held.json: is no LVIS or COCO JSON with an `images` array (Input data was truncated). Give"
        " such a file, or a .csv with a column image_id or ImageID."),
    Bad("holdout-json-other", write(HELD_OUT_JSON, '{"results": []}'),
        "held.json: is no LVIS or COCO JSON with an `images` array (Object missing required field"
        " `images`). Give such a file, or a .csv with a column image_id or ImageID."),
    Bad("holdout-json-id", write(HELD_OUT_JSON, '{"images": [{"id": "5"}]}'),
        "held.json: is no LVIS or COCO JSON with an `images` array (Expected `int`, got `str` - at"
        " `$.images[0].id`)."),
    # label maps
    Bad("map-missing", remove(MAP), "{}/map.csv: no such file. Check the path."),
    Bad("map-error-page", write(MAP, ERROR_PAGE),
        f"{{}}/map.csv: no column mid or coco_id, so it is no label map. {MAP_HEADERS}"),
    Bad("map-empty", write(MAP, ""), "{}/map.csv: is empty; it needs at least a header line."),
    Bad("map-binary", write(MAP, BINARY_JUNK),
        "{}/map.csv, line 1: not UTF-8 (byte 0x80). Save it as UTF-8."),
    Bad("map-without-relation", replace(MAP, "relation", "kind"),
        "{}/map.csv: missing column relation. A label map for Open Images has the header"),
    Bad("map-class-twice", append(MAP, "/m/dog,Dog,cup.n.01,cup,exact,"),
        "{}/map.csv, row 3: mid /m/dog is already in row 2; a class maps to one category. Remove"
        " one of the rows."),
    Bad("map-relation", append(MAP, "/m/pet,Pet,cup.n.01,cup,maybe,"),
        "{}/map.csv, row 3: relation 'maybe' is not one of exact, synonym, plural, spelling,"
        " curated. Correct it"),
    Bad("map-fields", append(MAP, "/m/pet,Pet,cup.n.01"),
        "{}/map.csv, row 3: 3 fields where the header has 6. Put a field that holds a comma in"
        " double quotes."),
    Bad("maps-swapped", lambda inputs: inputs.write(COCO_MAP, inputs.text(MAP)),
        "coco_map.csv: is a label map for Open Images (column mid); here one with the column"
        " coco_id is needed."),
    Bad("coco-map-as-open-images", lambda inputs: inputs.write(MAP, inputs.text(COCO_MAP)),
        "map.csv: is a label map for COCO (column coco_id); here one with the column mid is"
        " needed."),
    Bad("coco-map-id", replace(COCO_MAP, "18,dog", "dog,dog"),
        "{}/coco_map.csv, row 1: coco_id 'dog' is not a whole number. Correct it."),
    Bad("map-synset-of-two", edit(TRAIN, set_in("categories", 2, synset="dog.n.01")),
        "map.csv: the synset dog.n.01 is shared by the LVIS categories 1 and 2, so its rows cannot"
        " be resolved. Give each category its own synset or take the row out of the map.",
        lambda inputs: [*inputs.lvis(), *inputs.open_images()]),
)  # fmt: skip

BAD_FILES = (*WHOLE_JSON, *JSON_FIELDS, *OPEN_IMAGES, *SIDE_FILES)
