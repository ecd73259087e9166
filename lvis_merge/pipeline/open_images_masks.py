"""Gives Open Images objects their instance masks, where the folder has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.open_images_masks import at_size, match_masks, run_lengths
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_fetch import ChosenRows
from lvis_merge.sources.files import base_name, unpacked
from lvis_merge.sources.open_images.folder import OpenImagesFiles, SubsetFiles
from lvis_merge.sources.open_images.masks import MOST_PIXELS, find_mask, read_mask, read_mask_rows

_THREADS = 8
_Found = tuple[str, int] | str
"""Run lengths and pixels of a mask, or what is wrong with it."""


def with_masks(
    inputs: Inputs, files: OpenImagesFiles, found: ChosenRows, boxes: pa.Table, table: pa.Table
) -> pa.Table:
    """Annotation rows with masks; an object without one stays a box.

    Args:
        inputs: of the build.
        files: the folder.
        found: the chosen images.
        boxes: their box rows, as ordered.
        table: the annotation rows of the same boxes.

    Returns:
        `table` with `mask_rle`, and `area` in pixels of the mask where there is one.

    Raises:
        InputError: a mask CSV that cannot be used.
    """
    subsets = [files_of for files_of in files.subsets if files_of.masks]
    if not subsets:
        return table
    objects = np.flatnonzero(pc.equal(table["role"], "object").to_numpy())
    candidates = boxes.take(pa.array(objects))
    texts = np.full(len(table), None, dtype=object)
    area = table["area"].to_numpy().copy()
    for files_of in subsets:
        for row, (counts, pixels) in _masks_of(inputs, files_of, found, candidates).items():
            texts[objects[row]], area[objects[row]] = counts, pixels
    place = table.schema.get_field_index("area")
    return table.set_column(place, "area", pa.array(area)).append_column(
        "mask_rle", pa.array(texts, pa.string())
    )


def _masks_of(
    inputs: Inputs, files: SubsetFiles, found: ChosenRows, candidates: pa.Table
) -> dict[int, tuple[str, int]]:
    """Run lengths and pixels by row of `candidates`, of the masks of one subset."""
    csv = str(files.masks)
    mine = [place for place, subset in enumerate(found.subset) if subset == files.subset]
    ids = found.ids.take(pa.array(mine, pa.int64()))
    places = dict(zip(ids.to_pylist(), mine, strict=True))
    with inputs.stages.stage(f"Open Images: {files.subset} masks, their list"):
        plain = unpacked(inputs.local[csv], ".csv", inputs.scratch)
        masks = read_mask_rows(plain, base_name(csv), ids)
        rows = match_masks(masks, candidates, places)
    masks, rows = masks.filter(pa.array(rows >= 0)), rows[rows >= 0]
    with (
        inputs.stages.stage(f"Open Images: {files.subset} masks", len(rows)) as advance,
        ThreadPoolExecutor(_THREADS) as threads,
    ):
        look = partial(_look, Path(csv).parent, files.subset, found, advance)
        image = candidates["image"].to_numpy()[rows].tolist()
        looked = list(threads.map(look, masks["MaskPath"].to_pylist(), image))
    _report(inputs, base_name(csv), masks["MaskPath"].to_pylist(), looked)
    return {
        row: one for row, one in zip(rows.tolist(), looked, strict=True) if not isinstance(one, str)
    }


def _look(
    folder: Path,
    subset: str,
    found: ChosenRows,
    advance: Callable[[int], None],
    mask_path: str,
    image: int,
) -> _Found:
    advance(1)
    path = find_mask(folder, subset, mask_path)
    if path is None:
        return "have no PNG file"
    width, height = int(found.width[image]), int(found.height[image])
    if width * height > MOST_PIXELS:
        return "are of an image of more pixels than a mask may have"
    try:
        mask = read_mask(path)
    except ValueError:
        return "are no readable image"
    mask = at_size(mask, width, height)
    pixels = int(mask.sum())
    return (run_lengths(mask), pixels) if pixels else "show nothing at the size of the image"


def _report(inputs: Inputs, name: str, paths: list[str], looked: list[_Found]) -> None:
    """Tells of masks that could not be used, with the first of each kind."""
    wrong = Counter(one for one in looked if isinstance(one, str))
    for what, number in sorted(wrong.items()):
        inputs.warn(
            f"{name}: of {len(looked):,} masks of objects {number:,} {what}"
            f" ({paths[looked.index(what)]}); their boxes stay without a mask"
        )
