"""`lvis-merge build`: any subset of the sources, image sizes, corrections."""

from __future__ import annotations

import csv
import json

import pytest

from tests.cli.command import Run
from tests.cli.small_inputs import COCO, FOLDER, PICTURES, SIZES, TRAIN, VALIDATION_PICTURE, Inputs


@pytest.mark.parametrize(
    "options",
    [
        lambda i: i.lvis(),
        lambda i: [*i.lvis(), *i.coco()],
        lambda i: [*i.lvis(), *i.open_images()],
        lambda i: [*i.lvis(), *i.open_images(), "--images", "0"],
        lambda i: [*i.option("--coco", COCO), "--label-space", "coco"],
        lambda i: [*i.open_images(), "--label-space", "open_images"],
        lambda i: [*i.option("--openimages", FOLDER), "--mapping", "none",
                   "--label-space", "open_images", *i.option("--openimages-sizes", SIZES)],
    ],
    ids=["lvis", "lvis-coco", "lvis-oi", "no-images", "coco", "open_images", "no-map"],
)  # fmt: skip
def test_any_subset_of_the_sources_builds(options, run: Run, inputs: Inputs) -> None:
    out = inputs.path("out")
    assert run("build", *options(inputs), "--out", str(out)).code == 0
    assert run("validate", str(out)).code == 0


# sizes


def test_missing_sizes_end_with_4_and_the_list_of_what_to_fetch(run: Run, inputs: Inputs) -> None:
    options = [*inputs.lvis(), *inputs.open_images()[:4], "--out", str(inputs.path("new/out"))]
    found = run("build", *options)
    selection = inputs.path("new/openimages_selection.csv")
    assert (found.code, found.error) == (
        4,
        "4 of the 4 chosen Open Images images have no known size, so no manifest was written."
        f" {selection} lists the chosen images: `lvis-merge fetch {selection} --to ROOT` downloads"
        " exactly those. Then build again with --openimages-sizes ROOT/openimages_sizes.csv"
        " --openimages-exclude ROOT/openimages_failures.csv.",
    )
    assert list(csv.reader(selection.read_text().splitlines())) == [
        ["ImageID", "Subset"],
        *([image, "train"] for image in PICTURES),
        [VALIDATION_PICTURE, "validation"],
    ]
    assert [path.name for path in selection.parent.iterdir()] == ["openimages_selection.csv"]
    assert found.stdout == ""


def test_some_missing_sizes_end_with_4_too(run: Run, inputs: Inputs) -> None:
    inputs.replace(SIZES, f"{PICTURES[1]},", "0e,")
    options = [*inputs.lvis(), *inputs.open_images(), "--out", str(inputs.path("out"))]
    found = run("build", *options)
    assert found.code == 4
    assert found.error.startswith("1 of the 4 chosen Open Images images have no known size")
    # the same command goes on once the list has been fetched
    inputs.append(SIZES, f"{PICTURES[1]},7,9\n")
    assert run("build", *options).code == 0


def test_an_image_folder_that_is_not_there_yet_is_noted(run: Run, inputs: Inputs) -> None:
    folder = inputs.path("to_come")
    options = [*inputs.lvis(), *inputs.open_images()[:4], "--openimages-images", str(folder)]
    found = run("build", *options, "--out", str(inputs.path("out")))
    assert found.code == 4
    assert f"{folder}: no such folder, so no image's size is read from it" in found.notes


# corrections


def test_a_corrections_file_that_is_not_there_is_told(run: Run, inputs: Inputs) -> None:
    options = [*inputs.lvis(), "--corrections", "none.csv", "--out", str(inputs.path("out"))]
    found = run("build", *options)
    assert (found.code, found.error) == (3, "none.csv: no such file. Check the path.")


def test_corrections_are_applied_and_told(run: Run, inputs: Inputs) -> None:
    content = json.loads(inputs.text(TRAIN))
    first, second = content["annotations"][:2]
    names = {one["id"]: one["name"] for one in content["categories"]}
    other = next(name for number, name in names.items() if number != second["category_id"])
    inputs.write(
        "corrections.csv",
        "source,source_image_id,source_annotation_id,source_label,action,category,synset\n"
        f"lvis,{first['image_id']},{first['id']},{names[first['category_id']]},reject,,\n"
        f"lvis,{second['image_id']},{second['id']},,relabel,{other},\n",
    )
    more = ["--corrections", str(inputs.path("corrections.csv")), "--out", str(inputs.path("out"))]
    found = run("build", *inputs.lvis(), *more)
    assert found.code == 0
    assert "correction 1" in found.stdout
    assert "1 of the rows kept have another category by --corrections." in found.stdout
