"""Files of the Open Images folder that cannot be used, and the messages that tell so."""

from __future__ import annotations

from pathlib import Path

from tests.cli.small_inputs import (
    BINARY_JUNK,
    BOXES,
    CLASS_LIST,
    ERROR_PAGE,
    FOLDER,
    HIERARCHY,
    LABELS,
    LIST,
    SIZES,
    TRAIN,
    Inputs,
)
from tests.cli.spoiling import (
    ARCHIVE,
    BOX_FIELDS,
    TWO,
    Bad,
    Spoil,
    append,
    cut,
    gzipped_and,
    only,
    remove,
    replace,
    write,
)


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
    Bad("hierarchy-cut", cut(HIERARCHY),
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
