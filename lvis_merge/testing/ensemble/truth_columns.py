"""Ground truth in columns by image, cut into the portions that are worked on at a time."""

from __future__ import annotations

import numpy as np

from lvis_merge.evaluation.pairs import Bools, Ints, PairIndex
from lvis_merge.evaluation.truth import GroundTruth
from lvis_merge.testing.ensemble.cap import GROUPS
from lvis_merge.testing.ensemble.matching import Truth
from lvis_merge.testing.fusion.fused import Codes
from lvis_merge.testing.stack import Positions, ranges, starts_of


class TruthColumns:
    """The boxes to be found, by image and category.

    Args:
        truth: any objects; those of area 0 are left out, as lvis-api does.

    Attributes:
        image_ids: int64 [I], ascending.
        category_ids: int64 [C], ascending.
        groups: int8 [C], codes of the frequency groups.
    """

    def __init__(self, truth: GroundTruth) -> None:
        truth = truth.with_area()
        index = PairIndex.of(truth.images, truth.categories)
        self.image_ids = index.image_ids
        self.category_ids = index.category_ids
        self.groups = group_codes(truth.frequencies)
        objects = truth.objects
        pair = index.keys(objects["image_id"].to_numpy(), objects["category_id"].to_numpy())
        order = np.argsort(pair, kind="stable")
        boxes = objects["bbox"].combine_chunks().flatten().to_numpy().reshape(-1, 4)
        self._pair, self._bbox = pair[order], boxes[order]
        absent = index.listed(truth.images, "neg_category_ids")
        self._judged = np.unique(np.concatenate([pair, absent]))
        self._partly = np.unique(index.listed(truth.images, "not_exhaustive_category_ids"))

    def objects(self, images: Ints) -> Ints:
        """int64 [C]: how many objects of each category some images have."""
        _, pair, _ = self._within(self._pair, images)
        return np.bincount(pair % len(self.category_ids), minlength=len(self.category_ids))

    def portion(self, images: Ints) -> Truth:
        """What is to be found on some images.

        Args:
            images: int64 [I'], positions, ascending.
        """
        rows, pair, pairs = self._within(self._pair, images)
        return Truth(
            bbox=self._bbox[rows],
            starts=starts_of(np.bincount(pair, minlength=pairs)),
            judged=self._table(self._judged, images),
            partly=self._table(self._partly, images),
        )

    def _table(self, keys: Ints, images: Ints) -> Bools:
        _, pair, pairs = self._within(keys, images)
        table = np.zeros(pairs, np.bool_)
        table[pair] = True
        return table

    def _within(self, keys: Ints, images: Ints) -> tuple[Ints, Ints, int]:
        """Of ascending keys those of some images: their rows, the keys counted anew, how many."""
        number = len(self.category_ids)
        start = np.searchsorted(keys, images * number)
        count = np.searchsorted(keys, (images + 1) * number) - start
        rows = ranges(start, count)
        image = np.repeat(np.arange(len(images)), count)
        return rows, image * number + keys[rows] % number, len(images) * number


def group_codes(frequencies: np.ndarray) -> Codes:
    """int8 [C]: codes of r, c, f; of a category without a group, that of f."""
    codes = np.full(len(frequencies), GROUPS.index("f"), np.int8)
    for code, group in enumerate(GROUPS):
        codes[frequencies == group] = code
    return codes


def pairs_of(image: Positions, category: Positions, categories: int) -> Ints:
    """int64 [N]: image * C + category."""
    return image * np.int64(categories) + category
