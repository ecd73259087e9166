"""Instance masks of Open Images V5 and later: a CSV of masks, and a PNG file for each.

The CSV gives for each mask the box from which it was drawn, in normalised coordinates: they relate
masks to the rows of the box file. A PNG shows the whole image, at a size of its own; pixels that
are not zero belong to the object.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lvis_merge.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 40_000_000
"""Of a mask, far above the published ones: a small PNG can unpack to gigabytes."""
BOX_COLUMNS = ("BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax")
_TEXTS = ("MaskPath", "ImageID", "LabelName")
_COLUMNS = {name: pa.string() for name in _TEXTS} | dict.fromkeys(BOX_COLUMNS, pa.float64())


def read_mask_rows(path: Path, name: str, image_ids: pa.Array) -> pa.Table:
    """Reads the masks of some images.

    Args:
        path: a plain local CSV.
        name: base name as given, for messages.
        image_ids: string [N].

    Returns:
        The columns `MaskPath`, `ImageID`, `LabelName` and `BOX_COLUMNS`, by `MaskPath`.

    Raises:
        InputError: no CSV, a missing column, or a mask path that is no plain file name.
    """
    options = pyarrow.csv.ConvertOptions(column_types=_COLUMNS, include_columns=list(_COLUMNS))
    try:
        with pyarrow.csv.open_csv(path, convert_options=options) as batches:
            wanted = [batch.filter(pc.is_in(batch["ImageID"], image_ids)) for batch in batches]
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise InputError(
            f"{name}: is no CSV with the columns {', '.join(_COLUMNS)}"
            f" ({str(error).splitlines()[0]}). Download it again."
        ) from error
    schema = pa.schema(list(_COLUMNS.items()))
    table = pa.Table.from_batches(wanted, schema).combine_chunks()
    leads_out = pc.match_substring_regex(table["MaskPath"], r"[/\\]|^\.*$").fill_null(True)
    place = pc.index(leads_out, True).as_py()
    if place >= 0:
        raise InputError(
            f"{name}: the MaskPath {(table['MaskPath'][place].as_py() or '')[:200]!r} of image"
            f" {table['ImageID'][place]} is no file name. Mend the row."
        )
    return table.take(pc.sort_indices(table["MaskPath"]))


def find_mask(folder: Path, subset: str, mask_path: str) -> Path | None:
    """Where a mask file is.

    The published `train-masks-0.zip` to `train-masks-f.zip` hold the masks by the first digit of
    their name. They may be unpacked into `train-masks/` all together, into a folder below it for
    each (`train-masks/0`, `train-masks/train-masks-0`), or into `train-masks-0/` … beside the CSV.

    Args:
        folder: of the CSV files.
        subset: train, validation or test.
        mask_path: as the CSV has it.

    Returns:
        The first that is there, or None.
    """
    digit = mask_path[0]
    together, apart = folder / f"{subset}-masks", f"{subset}-masks-{digit}"
    places = (
        together,
        together / digit,
        together / digit.upper(),
        together / apart,
        folder / apart,
    )
    return next((place / mask_path for place in places if _is_file(place / mask_path)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long is that of no file
        return False


def read_mask(path: Path) -> np.ndarray:
    """bool [H, W]: the pixels of a PNG that are not zero, in whichever channel.

    Raises:
        ValueError: no readable PNG, or one of more pixels than any photo has.
    """
    from PIL import Image

    try:
        # Pillow would hand PostScript to another program
        with Image.open(path, formats=["PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels")
            return _not_zero(image)
    except Exception as error:  # Pillow's readers of damaged files raise what they like
        raise ValueError(f"{path.name} is no readable image ({error})") from error


def _not_zero(image: Image) -> np.ndarray:
    if image.mode == "P":  # of a palette the colour counts
        image = image.convert("RGB")
    if len(image.getbands()) == 1:  # one of 16 bits cannot be taken as a channel
        return np.asarray(np.asarray(image) > 0)
    found = np.zeros((image.height, image.width), dtype=bool)
    for place, band in enumerate(image.getbands()):
        if band != "A":
            found |= np.asarray(image.getchannel(place)) > 0
    return found
