"""Builds with instance masks of Open Images, and what is told of those that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

import lvis_merge.manifest
from lvis_merge.errors import InputError
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.validate import validate
from lvis_merge.pipeline.options import BuildOptions
from tests.cli.small_inputs import FOLDER, MAP, PICTURES, SIZES, TRAIN, Inputs, make_inputs
from tests.pipeline.running import build_quietly

LIST = f"{FOLDER}/train-annotations-object-segmentation.csv"
HEADER = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
BOX = "0.1,0.6,0.2,0.7,0.9,"
LEFT_HALF = np.array([[1, 0]], np.uint8)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Three pictures of one starfish each; a mask of every starfish in the list, no file."""
    inputs = make_inputs(tmp_path / "inputs")
    rows = [f"{picture}_star.png,{picture},/m/star,0,{BOX}" for picture in PICTURES]
    inputs.write(LIST, "\n".join([HEADER, *rows, ""]))
    return inputs


def write_mask(inputs: Inputs, picture: str, pixels: np.ndarray) -> None:
    folder = inputs.path(f"{FOLDER}/train-masks")
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels * 255).save(folder / f"{picture}_star.png")


def built(inputs: Inputs, **more: Any) -> Manifest:
    out = inputs.folder / "manifest"
    build_quietly(
        BuildOptions(
            out=out,
            lvis=str(inputs.path(TRAIN)),
            openimages=str(inputs.path(FOLDER)),
            mapping=str(inputs.path(MAP)),
            openimages_sizes=str(inputs.path(SIZES)),
            **more,
        )
    )
    assert [str(finding) for finding in validate(out) if finding.level == "error"] == []
    return lvis_merge.manifest.open(out)


def test_an_object_has_the_mask_of_its_box_at_the_size_of_its_image(inputs: Inputs) -> None:
    write_mask(inputs, PICTURES[1], LEFT_HALF)  # of an image of 101 x 80
    manifest = built(inputs)
    rows = {row["source_annotation_id"]: row for row in manifest.annotations.to_pylist()}
    row = rows[f"{PICTURES[1]}:1"]
    mask = coco_mask.decode({"size": [80, 101], "counts": row["mask_rle"]})
    # the centre of the middle column lies on the border of the two pixels, and so in the second
    assert mask[:, :50].all()
    assert not mask[:, 50:].any()
    assert row["area"] == 50 * 80
    assert rows[f"{PICTURES[0]}:1"]["mask_rle"] is None
    assert "openimages/train/masks" in [one.role for one in manifest.record.inputs]


def test_a_size_that_no_photo_has_does_not_fill_memory(inputs: Inputs) -> None:
    inputs.replace(SIZES, "101,80", "2147483647,2147483647")
    write_mask(inputs, PICTURES[1], LEFT_HALF)
    assert built(inputs).annotations["mask_rle"].drop_null().to_pylist() == []


def test_masks_that_cannot_be_used_are_counted_by_kind(inputs: Inputs) -> None:
    write_mask(inputs, PICTURES[1], LEFT_HALF * 0)
    inputs.write(f"{FOLDER}/train-masks/{PICTURES[2]}_star.png", "<html>")
    manifest = built(inputs)
    told = [text for text in manifest.record.warnings if "masks of objects" in text]
    name = "train-annotations-object-segmentation.csv: of 3 masks of objects 1"
    rest = "; their boxes stay without a mask"
    assert told == [
        f"{name} are no readable image ({PICTURES[2]}_star.png){rest}",
        f"{name} have no PNG file ({PICTURES[0]}_star.png){rest}",
        f"{name} show nothing at the size of the image ({PICTURES[1]}_star.png){rest}",
    ]
    assert manifest.annotations["mask_rle"].null_count == manifest.annotations.num_rows


def test_a_list_of_another_kind_stops_the_build(inputs: Inputs) -> None:
    inputs.write(LIST, "ImageID,LabelName\n1,/m/star\n")
    with pytest.raises(InputError, match=r"object-segmentation\.csv: is no CSV with the columns"):
        built(inputs)


def test_the_other_label_space_has_masks_too(inputs: Inputs) -> None:
    write_mask(inputs, PICTURES[0], LEFT_HALF)
    out = inputs.folder / "own"
    build_quietly(
        BuildOptions(
            out=out,
            label_space="open_images",
            openimages=str(inputs.path(FOLDER)),
            mapping="none",
            openimages_sizes=str(inputs.path(SIZES)),
        )
    )
    found = lvis_merge.manifest.open(out).annotations["mask_rle"]
    assert found.null_count == len(found) - 1
