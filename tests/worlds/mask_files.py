"""Instance masks of the Open Images boxes of one world: the lists and the PNG files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from tests.worlds.writing import Writer

COLUMNS = (
    "MaskPath", "ImageID", "LabelName", "BoxID", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax",
    "PredictedIoU", "Clicks",
)  # fmt: skip
CORNERS = ("XMin", "XMax", "YMin", "YMax")


def write_masks(rng: Random, writer: Writer, folder: Path) -> None:
    """Writes masks of some boxes of some subsets into an Open Images folder.

    Args:
        rng: their own, so that worlds are what they were before there were masks.
        writer: likewise.
        folder: with plain box files.
    """
    for path in sorted(folder.glob("*-annotations-bbox.csv")):
        if rng.random() < 0.3:
            continue
        subset = path.name.removeprefix("oidv6-").split("-")[0]
        layout = rng.randrange(4)
        rows = []
        for number, box in enumerate(csv.DictReader(io.StringIO(path.read_text(), newline=""))):
            for turn in range(rng.choice((0, 0, 1, 1, 1, 2))):
                row = mask_row(rng, box, 2 * number + turn)
                if row is not None:
                    rows.append(row)
                    write_png(rng, writer, folder_of(folder, subset, layout, row[0]) / row[0])
        rng.shuffle(rows)
        name = f"{folder.name}/{subset}-annotations-object-segmentation.csv"
        writer.csv(name, COLUMNS, rows, compress=True)


def mask_row(rng: Random, box: dict[str, str], number: int) -> list[str] | None:
    """A row with the box's corners at six decimals, or a box that is a little off."""
    try:
        corners = [float(box[name]) for name in CORNERS]
    except (TypeError, ValueError):  # a bad box
        return None
    image, label = box["ImageID"], box["LabelName"]
    if not image or not label or not all(map(np.isfinite, corners)):
        return None
    if rng.random() < 0.08:
        corners[rng.randrange(4)] += 0.001
    name = f"{image.lower()}_{label.removeprefix('/').replace('/', '')}_{number:08x}.png"
    texts = [f"{corner:.6f}" for corner in corners]
    return [name, image, label, f"{number:08x}", *texts, "0.8", "0.1 0.2 1;0.3 0.4 0"]


def folder_of(folder: Path, subset: str, layout: int, name: str) -> Path:
    together = folder / f"{subset}-masks"
    places = (together, together / name[0], together / f"{subset}-masks-{name[0]}")
    return (*places, folder / f"{subset}-masks-{name[0]}")[layout]


def write_png(rng: Random, writer: Writer, path: Path) -> None:
    """A drawn mask; now and then an empty, a broken or no file."""
    kind = rng.random()
    if kind < 0.06:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.files.append(path)
    if kind < 0.12:
        path.write_bytes(b"\x89PNG\r\n\x1a\nno more")
        return
    shape = (rng.randint(1, 40), rng.randint(1, 40))
    pixels = np.random.default_rng(rng.randrange(2**32)).random(shape) < 0.5
    if kind < 0.2:
        pixels[:] = False
    image = Image.fromarray(pixels.astype(np.uint8) * 255)
    image = image.convert(rng.choice(("1", "L", "RGB")))
    image.save(path)
