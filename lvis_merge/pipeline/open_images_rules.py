"""Why an Open Images image is left out before any is selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.tally import KEPT, first_rule
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.sources.csv_chunks import row_texts
from lvis_merge.sources.csv_fields import fields
from lvis_merge.sources.files import base_name, read_all
from lvis_merge.sources.open_images.boxes import MappedBoxes
from lvis_merge.sources.open_images.join import ImageBucket
from lvis_merge.sources.sizes import Sizes, StoredImages


@dataclass(frozen=True)
class ImageRules:
    """What images are judged by.

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

    def judge(self, bucket: ImageBucket) -> np.ndarray:
        """int8 [N], `first_rule` of a bucket's images; `KEPT` is free to be selected."""
        images = bucket.images
        image_ids, ids = images["image_id"].to_numpy(), images["id"].combine_chunks()
        leaks = self.holdout.leaks(image_ids, images["flickr_photo_id"])
        if not self.train_only:
            leaks &= self._subsets(bucket) == "train"
        rules = {
            "holdout": leaks,
            "excluded": pc.is_in(ids, value_set=self._excluded).to_numpy(zero_copy_only=False),
            "rotation": images["rotated"].to_numpy(),
        }
        free = first_rule(len(ids), rules) == KEPT
        rules["id_collision"] = collisions(image_ids, ids, free)
        rules["not_a_candidate"] = ~self._is_candidate(bucket)
        return first_rule(len(ids), rules)

    def mapped_boxes(self, bucket: ImageBucket) -> tuple[MappedBoxes, np.ndarray]:
        """Boxes of counted classes, and int64 the place of their category; -1 where unmapped."""
        places = [self.order.get(mid, -1) for mid in self.scanned.mids]
        counted = MappedBoxes.of(bucket.boxes)
        return counted, np.array([*places, -1], dtype=np.int64)[counted.category]

    def _is_candidate(self, bucket: ImageBucket) -> np.ndarray:
        counted, category = self.mapped_boxes(bucket)
        ids = bucket.images["id"].combine_chunks()
        has_object = np.zeros(len(ids), dtype=bool)
        has_object[counted.image[(category >= 0) & ~counted.flagged]] = True
        if self.inputs.options.candidates != "sized":
            return has_object
        known = np.zeros(len(ids), dtype=bool)
        if self.sizes is not None:
            known |= self.sizes.find(ids)[0] > 0
        if self._stored is not None:
            found = self._stored.find(ids.to_pylist(), self._subsets(bucket).tolist())
            known |= np.array([path is not None for path in found], dtype=bool)
        return np.asarray(has_object & known)

    def _subsets(self, bucket: ImageBucket) -> np.ndarray:
        names = np.array(self.scanned.subset_names, dtype=object)
        return np.asarray(names[bucket.images["subset"].to_numpy()])

    @cached_property
    def _stored(self) -> StoredImages | None:
        root = self.inputs.options.openimages_images
        return StoredImages(root) if root is not None else None

    @cached_property
    def _excluded(self) -> pa.Array:
        return _excluded(self.inputs)


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
