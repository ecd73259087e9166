"""The sizes of the chosen Open Images images, or the list of those to fetch."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa

from lvis_merge.errors import InputError, SizesMissingError
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.sources.buckets import NewBuckets
from lvis_merge.sources.files import base_name
from lvis_merge.sources.sizes import Sizes, StoredImages, read_sizes, stored_sizes
from lvis_merge.whole_file import whole_file


def known_sizes(inputs: Inputs, new_buckets: NewBuckets) -> Sizes | None:
    """The sizes CSV, where one is given.

    Args:
        inputs: of the build.
        new_buckets: makes the buckets to keep it in.

    Raises:
        InputError: it is no such CSV, or `--openimages-images` is a file.
    """
    root = inputs.options.openimages_images
    if root is not None and not root.is_dir():
        if root.exists():
            raise InputError(f"{root}: is no folder. Give the one that holds the images.")
        # what is to be fetched into it may not be there yet: the build then ends with the list
        inputs.stages.say(f"note: {root}: no such folder, so no image's size is read from it")
    path = inputs.options.openimages_sizes
    if path is None:
        return None
    with inputs.stages.stage("Open Images: sizes"):
        return read_sizes(inputs.local[path], base_name(path), inputs.scratch, new_buckets)


def chosen_sizes(
    inputs: Inputs, ids: pa.Array, subset: list[str], sizes: Sizes | None
) -> tuple[np.ndarray, np.ndarray]:
    """Width and height of the chosen images, in pixels of the frame of their boxes.

    Args:
        inputs: of the build.
        ids: string [n], ImageIDs.
        subset: their subsets.
        sizes: the sizes CSV; what it lacks is read from the images' headers.

    Returns:
        int64 [n] and int64 [n].

    Raises:
        SizesMissingError: an image has no known size; the selection is written beside `--out`.
        InputError: an image file that cannot be read or does not fit its size.
    """
    width, height = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    if sizes is not None:
        width, height = sizes.find(ids)
    root = inputs.options.openimages_images
    if root is not None:
        found = StoredImages(root).find(ids.to_pylist(), subset)
        at = [place for place, path in enumerate(found) if path is not None]
        with inputs.stages.stage("Open Images: image headers", len(at)) as advance:
            stored = stored_sizes([path for path in found if path is not None], advance)
        for place, size in zip(at, stored, strict=True):
            if width[place] == 0:
                width[place], height[place] = size.width, size.height
            elif not size.fits(int(width[place]), int(height[place])):
                raise InputError(
                    f"{found[place]}: is {size.width} x {size.height} pixels, but the sizes CSV"
                    f" says {width[place]} x {height[place]}. Fetch it again or mend the CSV."
                )
    missing = int((width == 0).sum())
    if missing:
        raise _sizes_missing(inputs, ids, subset, missing)
    return width, height


def _sizes_missing(
    inputs: Inputs, ids: pa.Array, subset: list[str], missing: int
) -> SizesMissingError:
    selection = inputs.options.out.parent / "openimages_selection.csv"
    selection.parent.mkdir(parents=True, exist_ok=True)
    with (
        whole_file(selection) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ImageID", "Subset"])
        writer.writerows(sorted(zip(ids.to_pylist(), subset, strict=True)))
    return SizesMissingError(
        f"{missing:,} of the {len(ids):,} chosen Open Images images have no known size, so no"
        f" manifest was written. {selection} lists the chosen images: `lvis-merge fetch"
        f" {selection} --to ROOT` downloads exactly those. Then build again with --openimages-sizes"
        " ROOT/openimages_sizes.csv --openimages-exclude ROOT/openimages_failures.csv.",
        selection,
    )
