"""Two more Open Images folders: one with instance masks, one with its large tables in parts."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from tests.cli.small_inputs import BOXES, FOLDER, LABELS, LIST, PICTURES, Inputs
from tests.pipeline.sharded import numbered, parquet_file
from tests.worlds.mask_files import COLUMNS

MASKED, PARTS = "masked", "parts"
MASK_LIST = f"{MASKED}/train-annotations-object-segmentation.csv"
MASK = f"{MASKED}/train-masks/{PICTURES[0]}_mstar_0.png"
BOXES_PARQUET = f"{PARTS}/train-annotations-bbox.parquet"
LIST_PARQUET = f"{PARTS}/train-images-boxable-with-rotation.parquet"
LABELS_PART = f"{PARTS}/train-annotations-human-imagelabels-boxable-00001-of-00004.csv"


def add_folders(inputs: Inputs) -> None:
    """Copies the folder twice; what is said of the pictures stays the same."""
    for folder in (MASKED, PARTS):
        shutil.copytree(inputs.path(FOLDER), inputs.path(folder))
    _write_masks(inputs)
    for table, write in (
        (BOXES, parquet_file(Random(1))),
        (LIST, parquet_file(Random(2))),
        (LABELS, numbered(Random(3))),
    ):
        path = inputs.path(PARTS) / Path(table).name
        header, *rows = csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))
        path.unlink()
        write(path, header, rows)


def _write_masks(inputs: Inputs) -> None:
    inputs.path(MASK).parent.mkdir()
    lines = [",".join(COLUMNS)]
    for picture in PICTURES:
        name = f"{picture}_mstar_0.png"
        lines.append(f"{name},{picture},/m/star,0,0.1,0.6,0.2,0.7,0.8,0.1 0.2 1")
        pixels = np.zeros((40, 50), np.uint8)
        pixels[8:28, 5:30] = 255
        Image.fromarray(pixels).convert("1").save(inputs.path(MASK).with_name(name))
    inputs.write(MASK_LIST, "".join(f"{line}\n" for line in lines))
