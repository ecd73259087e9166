"""Which Open Images images are taken, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.selection import Candidates, select
from lvis_merge.merge.tally import KEPT, Tally, first_rule, total
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.sources.csv_chunks import row_texts
from lvis_merge.sources.csv_fields import fields
from lvis_merge.sources.files import base_name, read_all
from lvis_merge.sources.open_images.scan import FileScan
from lvis_merge.sources.sizes import Sizes, find_images


@dataclass(frozen=True)
class Chosen:
    """The images of the manifest, and why the others are not in it.

    Attributes:
        mask: bool [N].
        rule: int8 [N], `first_rule` of every image.
    """

    mask: np.ndarray
    rule: np.ndarray


def choose(
    inputs: Inputs,
    scanned: Scanned,
    order: Mapping[str, int],
    holdout: HoldOut,
    sizes: Sizes | None,
    train_only: bool,
) -> Chosen:
    """Applies hold-out, exclusions and rotation, and selects among the candidates.

    Args:
        inputs: of the build.
        scanned: the first pass.
        order: MID -> place of its category in the order of ties, mapped classes only.
        holdout: what train images must not share.
        sizes: known sizes, if given.
        train_only: whether every image is a train image (label space lvis).
    """
    options, images = inputs.options, scanned.images
    total_images = len(images.ids)
    leaks = holdout.leaks(scanned.image_ids, images.flickr_photo_id)
    if not train_only:
        names = np.array(scanned.subset_names, dtype=object)
        leaks &= names[images.subset] == "train"
    rules = {
        "holdout": leaks,
        "excluded": _excluded(inputs, scanned),
        "rotation": images.rotated,
    }
    rules["id_collision"] = collisions(
        scanned.image_ids, images.ids, first_rule(total_images, rules) == KEPT
    )
    category_of = np.array([order.get(mid, -1) for mid in scanned.mids] + [-1], dtype=np.int64)
    counted = scanned.counted
    category = category_of[counted.category]
    has_object = np.zeros(total_images, dtype=bool)
    has_object[counted.image[(category >= 0) & ~counted.flagged]] = True
    if options.candidates == "sized":
        has_object &= _sized(inputs, scanned, sizes)
    rules["not_a_candidate"] = ~has_object

    free = first_rule(total_images, rules) == KEPT
    place = np.cumsum(free) - 1
    of_free = (category >= 0) & free[counted.image]
    candidates = Candidates.of(
        images.ids.filter(pa.array(free)),
        place[counted.image[of_free]],
        category[of_free],
        counted.flagged[of_free],
        counted.boxes[of_free],
    )
    number = len(candidates.ids)
    if options.images is not None and number < options.images:
        inputs.warn(f"{options.images:,} Open Images images asked for, {number:,} are candidates")
    taken = np.zeros(total_images, dtype=bool)
    taken[free] = select(candidates, options.images, options.selection, options.seed)
    rules["not_selected"] = ~taken
    # after the selection: the other images stay the same
    rules["correction"] = inputs.corrections.rejected_images("open_images", images.ids)
    rule = first_rule(total_images, rules)
    return Chosen(rule == KEPT, rule)


def collisions(image_ids: np.ndarray, ids: pa.Array, free: np.ndarray) -> np.ndarray:
    """Images whose manifest id another one with a lower ImageID has.

    Args:
        image_ids: int64 [N], manifest ids.
        ids: string [N], ImageIDs.
        free: bool [N], images that no earlier rule leaves out.

    Returns:
        bool [N].
    """
    hit = np.zeros(len(image_ids), dtype=bool)
    places = np.flatnonzero(free)
    values, counts = np.unique(image_ids[places], return_counts=True)
    shared = places[np.isin(image_ids[places], values[counts > 1])]
    texts = ids.take(pa.array(shared)).to_pylist()
    taken: set[int] = set()
    for place, _ in sorted(zip(shared.tolist(), texts, strict=True), key=lambda pair: pair[1]):
        image_id = int(image_ids[place])
        hit[place] = image_id in taken
        taken.add(image_id)
    return hit


def _excluded(inputs: Inputs, scanned: Scanned) -> np.ndarray:
    path = inputs.options.openimages_exclude
    mask = np.zeros(len(scanned.images.ids), dtype=bool)
    if path is None:
        return mask
    rows = [fields(text) for text in row_texts(read_all(inputs.local[path], ".csv"))]
    header = [name.removeprefix("\ufeff") for name in rows[0]] if rows else []
    if "ImageID" not in header:
        raise InputError(
            f"{base_name(path)}: has no column ImageID; its first line reads"
            f" {','.join(header)[:200]!r}. Check that it is the list of images to leave out."
        )
    at = header.index("ImageID")
    excluded = {row[at] for row in rows[1:] if len(row) > at}
    hit = pc.is_in(scanned.images.ids, value_set=pa.array(sorted(excluded), pa.string()))
    return np.asarray(hit.to_numpy(zero_copy_only=False))


def _sized(inputs: Inputs, scanned: Scanned, sizes: Sizes | None) -> np.ndarray:
    known = np.zeros(len(scanned.images.ids), dtype=bool)
    if sizes is not None:
        known |= sizes.index.find(scanned.images.ids) >= 0
    root = inputs.options.openimages_images
    if root is not None:
        subsets = [scanned.subset_names[subset] for subset in scanned.images.subset]
        found = find_images(root, scanned.images.ids.to_pylist(), subsets)
        known |= np.array([path is not None for path in found], dtype=bool)
    return known


def tallies(scanned: Scanned, chosen: Chosen, boxes_dropped: Mapping[str, int]) -> dict[str, Tally]:
    """What became of the image, box and label rows.

    Args:
        scanned: the first pass.
        chosen: the rule that each image met.
        boxes_dropped: rule -> box rows on chosen images that it leaves out.
    """
    images = len(scanned.images.ids)
    result = {}
    if any(scan is not None for scan in scanned.images.scans):
        listed = chosen.rule[scanned.images.listed]
        result["image"] = Tally.of(listed, scanned.images.rejects.num_rows)
    box = _rows_tally(scanned.boxes, chosen, images)
    more = Tally(-sum(boxes_dropped.values()), {r: n for r, n in boxes_dropped.items() if n})
    result["box"] = box + more
    labels = [scan for scan in scanned.labels if scan is not None]
    if labels:
        result["label"] = _rows_tally(labels, chosen, images)
    return result


def _rows_tally(scans: Sequence[FileScan], chosen: Chosen, images: int) -> Tally:
    return total(
        [
            Tally.of(chosen.rule, scan.rejects.num_rows, scan.runs.rows_per_image(images))
            for scan in scans
        ]
    )
