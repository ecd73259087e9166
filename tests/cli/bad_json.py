"""LVIS and COCO files that cannot be used, and the messages that tell so."""

from __future__ import annotations

from tests.cli.small_inputs import (
    BINARY_JUNK,
    BOXES,
    COCO,
    ERROR_PAGE,
    FOLDER,
    HIERARCHY,
    TEST,
    TRAIN,
    VAL,
    Inputs,
)
from tests.cli.spoiling import (
    ARCHIVE,
    COCO_SPACE,
    CUT,
    JSON_KIND,
    OF_ANOTHER_KIND,
    BadJson,
    cut,
    edit,
    flip_a_bit,
    gzipped_and,
    only,
    remove,
    replace,
    set_in,
    train_as,
    without,
    write,
)

WHOLE_JSON = (
    # a file that is none
    BadJson("lvis-missing", remove(TRAIN), "{}/lvis_train.json: no such file. Check the path."),
    BadJson("val-missing", remove(VAL), "{}/lvis_val.json: no such file. Check the path."),
    BadJson("coco-missing", remove(COCO), "{}/instances.json: no such file. Check the path."),
    BadJson(
        "lvis-is-a-folder",
        lambda inputs: None,
        "{}/open_images: is a folder. Give the file in it.",
        lambda inputs: ["--lvis", str(inputs.path(FOLDER))],
    ),
    # something else under the right name
    BadJson("lvis-empty", write(TRAIN, ""),
        f"{{}}/lvis_train.json: is no JSON object (it is empty). {JSON_KIND}"),
    BadJson("lvis-error-page", write(TRAIN, ERROR_PAGE),
        "{}/lvis_train.json: is no JSON object (it starts with '<!DOCTYPE html>\\n<html><head>"
        f"<title>404 N'). {JSON_KIND}"),
    BadJson("test-error-page", write(TEST, ERROR_PAGE), "{}/lvis_test.json: is no JSON object (it"),
    BadJson("coco-error-page", write(COCO, ERROR_PAGE), "{}/instances.json: is no JSON object (it"),
    BadJson("lvis-binary", write(TRAIN, BINARY_JUNK), "{}/lvis_train.json: is no JSON object (it"),
    BadJson("val-utf-16", lambda inputs: inputs.write(VAL, inputs.text(VAL).encode("utf-16")),
        "{}/lvis_val.json: is no JSON object (it starts with '"),
    BadJson("lvis-is-a-list", write(TRAIN, "[1, 2]"),
        f"{{}}/lvis_train.json: is no JSON object (it starts with '[1, 2]'). {JSON_KIND}"),
    BadJson("lvis-gz-without-the-name",
        gzipped_and(TRAIN, lambda inputs, name: inputs.path(name).rename(inputs.path(TRAIN))),
        "{}/lvis_train.json: is no JSON object (it is compressed: name it .json.gz)."),
    # cut or damaged
    BadJson("lvis-cut", cut(TRAIN), "{}/lvis_train.json: no valid JSON at byte "),
    BadJson("val-cut", cut(VAL), "{}/lvis_val.json: no valid JSON at byte "),
    BadJson("coco-cut", cut(COCO), "{}/instances.json: no valid JSON at byte "),
    BadJson("lvis-text-after-the-end", lambda inputs: inputs.append(TRAIN, "x"),
        f"{{}}/lvis_train.json: no valid JSON at byte 2,343 (text after the end). {CUT}"),
    BadJson("lvis-gz-cut", gzipped_and(TRAIN, Inputs.cut),
        f"{{}}/lvis_train.json.gz: {ARCHIVE} (Compressed file ended before the end-of-stream marker"
        " was reached). Download it again.", train_as(f"{TRAIN}.gz")),
    BadJson("lvis-gz-damaged", gzipped_and(TRAIN, flip_a_bit),
        f"{{}}/lvis_train.json.gz: {ARCHIVE} (", train_as(f"{TRAIN}.gz")),
    BadJson("lvis-gz-is-json",
        lambda inputs: inputs.path(TRAIN).rename(inputs.path(f"{TRAIN}.gz")),
        f"{{}}/lvis_train.json.gz: {ARCHIVE} (Not a gzipped file (b'{{{{\"')). Download it again.",
        train_as(f"{TRAIN}.gz")),
    BadJson("lvis-zip-is-a-page", write("x.zip", ERROR_PAGE),
        f"{{}}/x.zip: {ARCHIVE} (File is not a zip file). Download it again.", train_as("x.zip")),
    BadJson("lvis-zip-of-two", lambda inputs: inputs.zip("x.zip", {"a.json": "", "b.json": ""}),
        "{}/x.zip: holds 2 files that end in .json, expected one. Unpack it and give the file.",
        train_as("x.zip")),
    BadJson("lvis-zip-of-none", lambda inputs: inputs.zip("x.zip", {"a.txt": ""}),
        "{}/x.zip: holds 0 files that end in .json, expected one. Unpack it and give the file.",
        train_as("x.zip")),
    # another kind of annotation file
    BadJson("coco-as-lvis", lambda inputs: None,
        "{}/instances.json: no row of `categories` has `synset`, `frequency`, so it is a file of"
        " another kind. Give an LVIS annotation file.", train_as(COCO)),
    BadJson("lvis-val-as-coco", lambda inputs: None,
        "{}/lvis_val.json: its categories have a synset and a frequency, so it is an LVIS file."
        " Give it to --lvis, and a COCO instances file to --coco.",
        only("--lvis", TRAIN, "--coco", VAL)),
    BadJson("lvis-as-coco-in-its-own-space", lambda inputs: None,
        "{}/lvis_train.json: its categories have a synset and a frequency, so it is an LVIS file.",
        only("--coco", TRAIN, "--label-space", "coco")),
    BadJson("lvis-test-as-train", lambda inputs: None,
        "{}/lvis_test.json: has no array `annotations`. Give an LVIS annotation file.",
        train_as(TEST)),
    BadJson("lvis-test-as-val", lambda inputs: None,
        "{}/lvis_test.json: has no array `annotations`. Give an LVIS annotation file.",
        only("--lvis", TRAIN, "--lvis-val", TEST)),
    BadJson("hierarchy-as-lvis", lambda inputs: None,
        f"{{}}/{HIERARCHY}: has no array `images`, `annotations`, `categories`."
        " Give an LVIS annotation file.", train_as(HIERARCHY)),
    BadJson("box-csv-as-coco", lambda inputs: None,
        f"{{}}/{BOXES}: is no JSON object (it starts with 'ImageID,Source,",
        only("--coco", BOXES, "--label-space", "coco")),
)  # fmt: skip

JSON_FIELDS = (
    *(
        BadJson(f"lvis-without-{array}", edit(TRAIN, lambda file, array=array: file.pop(array)),
            f"{{}}/lvis_train.json: has no array `{array}`. Give an LVIS annotation file.")
        for array in ("images", "annotations", "categories")
    ),
    BadJson("coco-without-categories", edit(COCO, lambda content: content.pop("categories")),
        "{}/instances.json: has no array `categories`. Give a COCO instances file."),
    *(
        BadJson(f"lvis-images-without-{field}", edit(TRAIN, without("images", field)),
            f"{{}}/lvis_train.json: no row of `images` has `{field}`. {OF_ANOTHER_KIND}")
        for field in ("id", "width", "coco_url", "neg_category_ids", "not_exhaustive_category_ids")
    ),
    *(
        BadJson(f"lvis-annotations-without-{field}", edit(TRAIN, without("annotations", field)),
            f"{{}}/lvis_train.json: no row of `annotations` has `{field}`. {OF_ANOTHER_KIND}")
        for field in ("id", "image_id", "category_id", "bbox", "area", "segmentation")
    ),
    BadJson("coco-annotations-without-bbox", edit(COCO, without("annotations", "bbox")),
        f"{{}}/instances.json: no row of `annotations` has `bbox`. {OF_ANOTHER_KIND}"),
    BadJson("coco-images-without-id", edit(COCO, without("images", "id")),
        f"{{}}/instances.json: no row of `images` has `id`. {OF_ANOTHER_KIND}"),
    BadJson("info-nan", replace(TRAIN, '{"version": "x"}', "NaN"),
        "{}/lvis_train.json: `info` holds what JSON cannot (Out of range float values are not JSON"
        " compliant"),
    # categories: everything refers to them
    BadJson("category-id-text", edit(TRAIN, set_in("categories", 2, id="2")),
        "{}/lvis_train.json: row 2 of `categories` is malformed (Expected `int`, got `str` - at"
        " `$.id`). Mend it: every annotation refers to the categories."),
    BadJson("category-frequency-x", edit(VAL, set_in("categories", 3, frequency="x")),
        "{}/lvis_val.json: row 3 of `categories` is malformed (Invalid enum value 'x' - at"
        " `$.frequency`). Mend it: every annotation refers to the categories."),
    BadJson("category-no-object", edit(COCO, lambda content: content["categories"].append(7)),
        "{}/instances.json: row 4 of `categories` is malformed (Expected `object`, got `int`)."),
    BadJson("category-lone-surrogate", edit(TRAIN, set_in("categories", 1, synset="\ud800")),
        "{}/lvis_train.json: row 1 of `categories` is malformed ("),
    BadJson("category-twice", edit(TRAIN, set_in("categories", 3, id=1)),
        "{}/lvis_train.json: category id 1 is in row 1 and again in row 3 of `categories`. Give"
        " each category an id of its own."),
    BadJson("coco-category-twice", edit(COCO, set_in("categories", 2, id=18)),
        "{}/instances.json: category id 18 is in row 1 and again in row 2 of `categories`."),
    BadJson("no-category", edit(TRAIN, lambda content: content["categories"].clear()),
        f"{{}}/lvis_train.json: `categories` is empty. {JSON_KIND}"),
    BadJson("categories-no-array", edit(TRAIN, lambda content: content.update(categories={})),
        f"{{}}/lvis_train.json: `categories` is no array. {JSON_KIND}"),
    BadJson("val-of-another-version", edit(VAL, set_in("categories", 2, synset="cup.n.02")),
        "lvis_val.json: its categories are not those of the train file, so ids would mean other"
        " things. Give train, val and test of one LVIS version."),
    BadJson("test-of-another-version", edit(TEST, set_in("categories", 2, id=9)),
        "lvis_test.json: its categories are not those of the train file, so ids would mean other"
        " things. Give train, val and test of one LVIS version."),
    # names that lead out of the image folder
    *(
        BadJson(f"file-name-{number}", edit(TRAIN, set_in("images", 2, file_name=name)),
            f"{{}}/lvis_train.json: image 12 (row 2 of `images`) has the file name {name}, which"
            " leads out of the image folder. Mend the name: it must be relative, without `..`.")
        for number, name in enumerate(("../x.jpg", "a/../../x.jpg", "/x.jpg", "C:\\x.jpg"))
    ),
    BadJson("coco-url-with-dots", edit(TRAIN, set_in("images", 3, coco_url="http://x.org/../a.jpg")),
        "{}/lvis_train.json: image 13 (row 3 of `images`) has the file name ../a.jpg, which"),
    BadJson("coco-file-name-with-dots", edit(COCO, set_in("images", 1, file_name="../x.jpg")),
        "{}/instances.json: image 11 (row 1 of `images`) has the file name ../x.jpg, which",
        COCO_SPACE),
)  # fmt: skip
