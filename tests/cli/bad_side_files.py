"""Sizes, images, exclusions, hold-outs and maps that cannot be used; the messages."""

from __future__ import annotations

from tests.cli.small_inputs import (
    BINARY_JUNK,
    COCO_MAP,
    ERROR_PAGE,
    EXCLUDE,
    HELD_OUT_CSV,
    HELD_OUT_JSON,
    MAP,
    PICTURES,
    SIZES,
    TRAIN,
)
from tests.cli.spoiling import (
    MAP_HEADERS,
    Bad,
    append,
    cut,
    edit,
    remove,
    replace,
    set_in,
    write,
)

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
        " column #1: row 5: CSV conversion error to int64: invalid value 'wide'). Mend it"),
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
    Bad("holdout-json-cut", cut(HELD_OUT_JSON),
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
        "{}/map.csv: no column mid or coco_id or source_id, so it is no label map."
        f" {MAP_HEADERS}"),
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
