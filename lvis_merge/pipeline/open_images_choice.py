"""Which Open Images images are taken, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.rules import DROP_RULES
from lvis_merge.merge.selection import Candidates
from lvis_merge.merge.shortlist import Shortlist, first_depth
from lvis_merge.merge.tally import KEPT, Tally, first_rule
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.sources.buckets import Buckets
from lvis_merge.sources.csv_chunks import row_texts
from lvis_merge.sources.csv_fields import fields
from lvis_merge.sources.files import base_name, read_all
from lvis_merge.sources.open_images.boxes import MappedBoxes
from lvis_merge.sources.open_images.join import ImageBucket
from lvis_merge.sources.sizes import Sizes, StoredImages

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


@dataclass(frozen=True)
class Choice:
    """What images are chosen by.

    Attributes:
        inputs: of the build.
        scanned: the first pass.
        order: MID -> place of its category in the order of ties, mapped classes only.
        holdout: what train images must not share.
        sizes: known sizes, if given.
        train_only: whether every image is a train image (label space lvis).
    """

    inputs: Inputs
    scanned: Scanned
    order: Mapping[str, int]
    holdout: HoldOut
    sizes: Sizes | None
    train_only: bool

    def made(self) -> Chosen:
        """Applies hold-out, exclusions and rotation, and selects among the candidates."""
        options = self.inputs.options
        rules = self.scanned.new_buckets(_RULE)
        free, dropped = self._judge(rules)
        keys = None
        if options.images is not None and free < options.images:
            self.inputs.warn(
                f"{options.images:,} Open Images images asked for, {free:,} are candidates"
            )
        elif options.images is not None and free > options.images:
            keys = self._selected(rules, options.images)
        return self._collected(rules, keys, dropped)

    def _judge(self, rules: Buckets) -> tuple[int, Mapping[str, Tally]]:
        """Writes the first rule that each image meets before the selection; `KEPT` is free.

        Returns:
            How many images are free, and the tallies of those that are not.
        """
        excluded = _excluded(self.inputs)
        root = self.inputs.options.openimages_images
        stored = StoredImages(root) if root is not None else None
        free = 0
        tallies = _no_tallies(self.scanned)
        for number, bucket in enumerate(self.scanned.buckets):
            rule = self._rules(bucket, excluded, stored)
            rules.put(number, pa.table([pa.array(rule)], schema=_RULE))
            free += int((rule == KEPT).sum())
            _count(tallies, self.scanned, bucket, rule, rule != KEPT)
        return free, tallies

    def _rules(
        self, bucket: ImageBucket, excluded: pa.Array, stored: StoredImages | None
    ) -> np.ndarray:
        """int8 [N], `first_rule` of a bucket's images before the selection."""
        images, subset = bucket.images, bucket.images["subset"].to_numpy()
        image_ids, ids = images["image_id"].to_numpy(), images["id"].combine_chunks()
        names = np.array(self.scanned.subset_names, dtype=object)
        leaks = self.holdout.leaks(image_ids, images["flickr_photo_id"])
        if not self.train_only:
            leaks &= names[subset] == "train"
        rules = {
            "holdout": leaks,
            "excluded": pc.is_in(ids, value_set=excluded).to_numpy(zero_copy_only=False),
            "rotation": images["rotated"].to_numpy(),
        }
        free = first_rule(len(ids), rules) == KEPT
        rules["id_collision"] = collisions(image_ids, ids, free)
        counted, category = self._counted(bucket)
        has_object = np.zeros(len(ids), dtype=bool)
        has_object[counted.image[(category >= 0) & ~counted.flagged]] = True
        if self.inputs.options.candidates == "sized":
            known = np.zeros(len(ids), dtype=bool)
            if self.sizes is not None:
                known |= self.sizes.find(ids)[0] > 0
            if stored is not None:
                found = stored.find(ids.to_pylist(), names[subset].tolist())
                known |= np.array([path is not None for path in found], dtype=bool)
            has_object &= known
        rules["not_a_candidate"] = ~has_object
        # every image that a correction is about has been met, also one that is not chosen
        self.inputs.corrections.rejected_images("open_images", ids)
        return first_rule(len(ids), rules)

    def _counted(self, bucket: ImageBucket) -> tuple[MappedBoxes, np.ndarray]:
        """Boxes of mapped classes, and int64 the place of their category in the order of ties."""
        mids = self.scanned.mids
        category_of = np.array([self.order.get(mid, -1) for mid in mids] + [-1], dtype=np.int64)
        counted = MappedBoxes.of(bucket.boxes)
        return counted, category_of[counted.category]

    def _selected(self, rules: Buckets, images: int) -> np.ndarray:
        """int64, keys of the chosen among the free, which are more."""
        options = self.inputs.options
        depth = first_depth(images, len(set(self.order.values())))
        while True:
            shortlist = Shortlist(images, options.selection, options.seed, depth)
            for number, bucket in enumerate(self.scanned.buckets):
                free = rules.read(number)["rule"].to_numpy() == KEPT
                keys = np.flatnonzero(free) | number << _BUCKET_BIT
                shortlist.add(keys, self._candidates(bucket, free))
            chosen = shortlist.chosen()
            if chosen is not None:
                return chosen
            depth *= 2

    def _candidates(self, bucket: ImageBucket, free: np.ndarray) -> Candidates:
        counted, category = self._counted(bucket)
        place = np.cumsum(free) - 1
        rows = (category >= 0) & free[counted.image]
        return Candidates.of(
            bucket.images["id"].combine_chunks().filter(pa.array(free)),
            place[counted.image[rows]],
            category[rows],
            counted.flagged[rows],
            counted.boxes[rows],
        )

    def _collected(
        self, rules: Buckets, keys: np.ndarray | None, tallies: Mapping[str, Tally]
    ) -> Chosen:
        """The images of those keys, of all that are free where there are none.

        A corrected image is left out after the selection: the others stay the same.
        """
        tables: list[ImageBucket] = []
        places = 0
        tallies = dict(tallies)
        for number, bucket in enumerate(self.scanned.buckets):
            rule = rules.read(number)["rule"].to_numpy().copy()
            free = rule == KEPT
            if keys is not None:
                taken = np.zeros(len(rule), dtype=bool)
                taken[keys[keys >> _BUCKET_BIT == number] & ((1 << _BUCKET_BIT) - 1)] = True
                rule[free & ~taken] = DROP_RULES.index("not_selected")
            ids = bucket.images["id"]
            rejected = self.inputs.corrections.rejected_images("open_images", ids)
            rule[(rule == KEPT) & rejected] = DROP_RULES.index("correction")
            _count(tallies, self.scanned, bucket, rule, free)
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


def _excluded(inputs: Inputs) -> pa.Array:
    """string [K], ImageIDs of the list of images to leave out."""
    path = inputs.options.openimages_exclude
    if path is None:
        return pa.array([], pa.string())
    rows = [fields(text) for text in row_texts(read_all(inputs.local[path], ".csv"))]
    header = [name.removeprefix("\ufeff") for name in rows[0]] if rows else []
    if "ImageID" not in header:
        raise InputError(
            f"{base_name(path)}: has no column ImageID; its first line reads"
            f" {','.join(header)[:200]!r}. Check that it is the list of images to leave out."
        )
    at = header.index("ImageID")
    return pa.array(sorted({row[at] for row in rows[1:] if len(row) > at}), pa.string())
