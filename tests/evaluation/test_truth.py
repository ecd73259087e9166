"""Ground truth from an LVIS file and from a manifest: the same where they say the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.evaluation import (
    GroundTruth,
    evaluate,
    read_results,
    truth_of_lvis,
    truth_of_manifest,
)
from lvis_merge.evaluation.truth import as_published
from lvis_merge.pipeline.options import BuildOptions
from tests.cli.small_inputs import BOXES, FOLDER, VAL, VALIDATION_PICTURE, Inputs, make_inputs
from tests.evaluation.world import World, category, found, generate, image, thing
from tests.pipeline.running import build_quietly


def built(folder: Path, **options: Any) -> manifests.Manifest:
    build_quietly(BuildOptions(out=folder / "manifest", **options))
    return manifests.open(folder / "manifest")


def lvis_pair(folder: Path, world: World) -> tuple[GroundTruth, GroundTruth, str]:
    """A world as an LVIS file and as split val of a manifest, and its results."""
    val, results = world.write(folder)
    train = World(
        {
            "images": [image(9001)],
            "annotations": [thing(1, 9001, 3, [1, 1, 9, 9])],
            "categories": world.truth["categories"],
        },
        [],
    )
    (folder / "train").mkdir()
    lvis = train.write(folder / "train")[0]
    manifest = built(folder, lvis=lvis, lvis_val=val)
    return truth_of_lvis(val), truth_of_manifest(manifest, "val"), results


@pytest.mark.parametrize("seed", range(3))
def test_manifest_and_file_give_equal_figures(tmp_path: Path, seed: int) -> None:
    file, manifest, results = lvis_pair(tmp_path, generate(seed))
    assert file.objects.equals(manifest.objects)  # to the last digit, polygons too
    assert file.images.equals(manifest.images)
    by_file = evaluate(read_results(results, file), file)
    by_manifest = evaluate(read_results(results, manifest), manifest)
    for one, other in zip(by_file.scores, by_manifest.scores, strict=True):
        assert one.figures == other.figures
        for mine, theirs in zip(one.categories, other.categories, strict=True):
            assert replace(mine, training_images=None) == replace(theirs, training_images=None)


def test_training_images(tmp_path: Path) -> None:
    # a file says what LVIS published, a manifest what is there after the merge
    file, manifest, _ = lvis_pair(tmp_path, generate(0))
    published = [row["image_count"] for row in generate(0).truth["categories"]]
    assert file.categories["training_images"].to_pylist() == published
    merged = manifest.categories["training_images"].to_pylist()
    assert merged == [int(number == 3) for number in range(1, len(merged) + 1)]


def test_bad_rows_of_the_file_are_left_out_and_told(tmp_path: Path) -> None:
    world = generate(0)
    world.truth["annotations"][1]["bbox"] = [1, 2, -3, 4]
    world.truth["annotations"][4]["category_id"] = 99
    truth = truth_of_lvis(world.write(tmp_path)[0])
    assert truth.objects.num_rows == len(world.truth["annotations"]) - 2
    assert truth.left_out == (2, "row 2 of `annotations`: box")


def test_a_split_without_objects(tmp_path: Path) -> None:
    # train and val are there; test is not
    inputs = make_inputs(tmp_path)
    manifest = built(tmp_path, lvis=inputs.lvis()[1], lvis_val=str(inputs.path(VAL)))
    assert truth_of_manifest(manifest, "train").objects.num_rows
    with pytest.raises(InputError) as caught:
        truth_of_manifest(manifest, "test")
    assert str(caught.value) == (
        f"{manifest.path} (test): has no objects to compare detections with. Give a split with"
        " annotations, such as val; test splits are scored by the LVIS server."
    )


def test_a_damaged_manifest(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    manifest = built(tmp_path, lvis=inputs.lvis()[1], lvis_val=str(inputs.path(VAL)))
    table = manifest.path / "annotations.parquet"
    table.write_bytes(table.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"annotations.parquet: cannot be read"):
        truth_of_manifest(manifest, "val")
    table.unlink()
    with pytest.raises(InputError, match=r"annotations.parquet: missing"):
        truth_of_manifest(manifest, "val")


def open_images(inputs: Inputs, **flags: str) -> GroundTruth:
    """Validation images of Open Images: a star as it is, and a second one with a flag set."""
    name = BOXES.replace("train", "validation")
    row = inputs.text(name).splitlines()[1].split(",")
    header = inputs.text(name).splitlines()[0].split(",")
    second = dict(zip(header, row, strict=True)) | {"XMin": "0.7", "XMax": "0.9"} | flags
    inputs.append(name, ",".join(second[column] for column in header) + "\n")
    manifest = built(
        inputs.folder,
        openimages=str(inputs.path(FOLDER)),
        openimages_sizes=str(inputs.path("sizes.csv")),
        mapping="none",
        label_space="open_images",
    )
    return truth_of_manifest(manifest, "val")


@pytest.mark.parametrize("flag", ["IsDepiction", "IsInside", "IsGroupOf"])
def test_ignore_rows_make_their_category_not_exhaustive(tmp_path: Path, flag: str) -> None:
    # what is found on a drawing of a star is not wrong, and the drawing need not be found
    plain = open_images(make_inputs(tmp_path / "plain"))
    flagged = open_images(make_inputs(tmp_path / "flagged"), **{flag: "1"})
    assert (plain.objects.num_rows, flagged.objects.num_rows) == (2, 1)
    star = flagged.objects["category_id"][0].as_py()
    assert plain.images["not_exhaustive_category_ids"].to_pylist() == [[]]
    assert flagged.images["not_exhaustive_category_ids"].to_pylist() == [[star]]

    (image_id,) = flagged.images["image_id"].to_pylist()
    boxes = flagged.objects["bbox"].to_pylist()[0], [0.7 * 64, 0.2 * 48, 0.2 * 64, 0.5 * 48]
    rows = [found(image_id, star, box, score) for box, score in zip(boxes, (0.4, 0.6), strict=True)]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(rows))
    figures = evaluate(read_results(str(path), flagged), flagged).scores[0].figures
    assert figures["AP"] == pytest.approx(1.0)


def test_image_ids_of_open_images_stay_exact(tmp_path: Path) -> None:
    # they have 53 bits, and hotcoco takes them as float64
    truth = open_images(make_inputs(tmp_path))
    assert truth.images["image_id"].to_pylist() == [2**52 + int(VALIDATION_PICTURE, 16)]


def test_objects_without_a_mask(tmp_path: Path) -> None:
    # two of category 1, one of them with no mask: a mask found on the other is not wrong
    objects = [thing(n, 1, 1, [50 * n, 10, 20, 20]) for n in (0, 1)]
    objects[1]["segmentation"] = []
    world = World(
        {"images": [image(1)], "annotations": objects, "categories": [category(1)]},
        [found(1, 1, [50 * n, 10, 20, 20], 0.4 + 0.1 * n, mask=True) for n in (0, 1)],
    )
    annotations, results = world.write(tmp_path)
    truth = truth_of_lvis(annotations)
    boxes, masks = evaluate(read_results(results, truth), truth).scores
    assert boxes.figures["AP"] == pytest.approx(1.0)
    assert (boxes.categories[0].objects, boxes.boxes_only) == (2, 0)
    assert masks.figures["AP"] == pytest.approx(1.0)
    assert (masks.categories[0].objects, masks.boxes_only) == (1, 1)


def test_decimals_survive_float32() -> None:
    # as published: 10.3 in float64, not the float32 next to it
    published = [10.3, 217.62, 0.01, 638.99, 480.0, 1e-3]
    floats = pa.chunked_array([pa.array(published, pa.float32())])
    assert as_published(floats).to_pylist() == published
    assert floats.cast(pa.float64()).to_pylist() != published
