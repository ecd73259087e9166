"""Which Open Images images are taken, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.rules import DROP_RULES
from lvis_merge.merge.selection import Candidates
from lvis_merge.merge.shortlist import Shortlist, first_depth
from lvis_merge.merge.tally import KEPT, Tally
from lvis_merge.pipeline.open_images_rules import ImageRules
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.sources.buckets import Buckets
from lvis_merge.sources.open_images.join import ImageBucket

_RULE = pa.schema([("rule", pa.int8())])
_BUCKET_BIT = 32
"""A candidate's key is its bucket and, in the lower bits, its place there."""


@dataclass(frozen=True)
class Chosen:
    """The images of the manifest.

    Attributes:
        images: `IMAGES` in their order.
        boxes: runs of their box rows, `BOXES_OF_IMAGES` with the place in `images`.
        labels: runs of their label rows, likewise.
        tallies: kind -> what became of the rows of all images, the bad ones aside.
    """

    images: pa.Table
    boxes: pa.Table
    labels: pa.Table
    tallies: Mapping[str, Tally]


def choose(rules: ImageRules) -> Chosen:
    """Judges every image and selects among those that are free.

    Args:
        rules: to judge by.
    """
    options = rules.inputs.options
    judged = rules.scanned.new_buckets(_RULE)
    free, tallies = _judged(rules, judged)
    keys = None
    if options.images is not None and free < options.images:
        rules.inputs.warn(
            f"{options.images:,} Open Images images asked for, {free:,} are candidates"
        )
    elif options.images is not None and free > options.images:
        keys = _selected(rules, judged, options.images)
    return _collected(rules, judged, keys, tallies)


def _each(rules: ImageRules, what: str) -> Iterator[tuple[int, ImageBucket]]:
    """The buckets with their numbers, as a stage of the build."""
    buckets = rules.scanned.buckets
    with rules.inputs.stages.stage(f"Open Images: {what}", buckets.images.number) as advance:
        for number, bucket in enumerate(buckets):
            yield number, bucket
            advance(1)


def _judged(rules: ImageRules, judged: Buckets) -> tuple[int, dict[str, Tally]]:
    """Writes the rule of each image.

    Returns:
        How many images are free, and the tallies of those that are not.
    """
    free = 0
    tallies = _no_tallies(rules.scanned)
    for number, bucket in _each(rules, "candidates"):
        rule = rules.judge(bucket)
        judged.put(number, pa.table([pa.array(rule)], schema=_RULE))
        free += int((rule == KEPT).sum())
        _count(tallies, rules.scanned, bucket, rule, rule != KEPT)
    return free, tallies


def _selected(rules: ImageRules, judged: Buckets, images: int) -> np.ndarray:
    """int64, keys of the chosen among the free, which are more."""
    options = rules.inputs.options
    depth = first_depth(images, len(set(rules.order.values())))
    while True:
        shortlist = Shortlist(images, options.selection, options.seed, depth)
        for number, bucket in _each(rules, "selection"):
            free = judged.read(number)["rule"].to_numpy() == KEPT
            keys = np.flatnonzero(free) | number << _BUCKET_BIT
            shortlist.add(keys, _candidates(rules, bucket, free))
        chosen = shortlist.chosen()
        if chosen is not None:
            return chosen
        depth *= 2  # a category came to the end of its best: look at more of them


def _candidates(rules: ImageRules, bucket: ImageBucket, free: np.ndarray) -> Candidates:
    boxes, category = rules.mapped_boxes(bucket)
    place = np.cumsum(free) - 1
    rows = (category >= 0) & free[boxes.image]
    return Candidates.of(
        bucket.images["id"].combine_chunks().filter(pa.array(free)),
        place[boxes.image[rows]],
        category[rows],
        boxes.flagged[rows],
        boxes.boxes[rows],
    )


def _collected(
    rules: ImageRules, judged: Buckets, keys: np.ndarray | None, tallies: dict[str, Tally]
) -> Chosen:
    """The images of those keys; for None, all that are free.

    A corrected image is left out after the selection: the others stay the same.
    """
    tables: list[ImageBucket] = []
    places = 0
    for number, bucket in _each(rules, "chosen images"):
        rule = judged.read(number)["rule"].to_numpy().copy()
        free = rule == KEPT
        if keys is not None:
            taken = np.zeros(len(rule), dtype=bool)
            taken[keys[keys >> _BUCKET_BIT == number] & ((1 << _BUCKET_BIT) - 1)] = True
            rule[free & ~taken] = DROP_RULES.index("not_selected")
        # asked about every image, so that a correction of one that is not chosen has been met
        rejected = rules.inputs.corrections.rejected_images("open_images", bucket.images["id"])
        rule[(rule == KEPT) & rejected] = DROP_RULES.index("correction")
        _count(tallies, rules.scanned, bucket, rule, free)
        tables.append(_of_images(bucket, rule == KEPT, places))
        places += len(tables[-1].images)
    return _in_order(tables, tallies)


def _of_images(bucket: ImageBucket, mask: np.ndarray, places: int) -> ImageBucket:
    """Some images of a bucket, their places from `places` on."""
    place = places + np.cumsum(mask) - 1

    def of(runs: pa.Table) -> pa.Table:
        runs = runs.filter(pa.array(mask[runs["image"].to_numpy()]))
        return _renumbered(runs, place)

    return ImageBucket(bucket.images.filter(pa.array(mask)), of(bucket.boxes), of(bucket.labels))


def _in_order(tables: Sequence[ImageBucket], tallies: Mapping[str, Tally]) -> Chosen:
    """Joins the buckets; images in the order of the lists."""
    images, boxes, labels = (
        pa.concat_tables([getattr(table, name) for table in tables])
        for name in ("images", "boxes", "labels")
    )
    keys = [(name, "ascending") for name in ("subset", "chunk", "row")]
    order = pc.sort_indices(images, sort_keys=keys).to_numpy()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return Chosen(
        images.take(pa.array(order)).combine_chunks(),
        _renumbered(boxes, place),
        _renumbered(labels, place),
        tallies,
    )


def _renumbered(runs: pa.Table, place: np.ndarray) -> pa.Table:
    image = pa.array(place[runs["image"].to_numpy()].astype(np.int32))
    return runs.set_column(runs.schema.get_field_index("image"), "image", image)


def _no_tallies(scanned: Scanned) -> dict[str, Tally]:
    kinds = {"image": scanned.lists, "box": scanned.boxes, "label": scanned.labels}
    return {
        kind: Tally(rejected=scanned.rejected[kind]) for kind, scans in kinds.items() if any(scans)
    }


def _count(
    tallies: dict[str, Tally],
    scanned: Scanned,
    bucket: ImageBucket,
    rule: np.ndarray,
    mask: np.ndarray,
) -> None:
    """Adds the rows of some images of a bucket to the tallies.

    Args:
        tallies: by kind, changed.
        scanned: the first pass.
        bucket: N images.
        rule: int8 [N], what became of them.
        mask: bool [N], which count.
    """
    has_list = np.array([scan is not None for scan in scanned.lists], dtype=bool)
    weights = {"image": has_list[bucket.images["subset"].to_numpy()]}
    for kind, runs in (("box", bucket.boxes), ("label", bucket.labels)):
        weights[kind] = np.bincount(
            runs["image"].to_numpy(), weights=runs["good"].to_numpy(), minlength=len(rule)
        )
    for kind in tallies:
        tallies[kind] += Tally.of(rule[mask], 0, weights[kind][mask].astype(np.float64))
