"""An image and a category as one number, so that sets of such pairs are sets of integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PairIndex:
    """Images and categories by position.

    Attributes:
        image_ids: int64 [I], ascending.
        category_ids: int64 [C], ascending.
    """

    image_ids: Ints
    category_ids: Ints

    @classmethod
    def of(cls, images: pa.Table, categories: pa.Table) -> PairIndex:
        """The index of tables with `image_id` and `category_id`."""
        return cls(
            np.sort(images["image_id"].to_numpy()), np.sort(categories["category_id"].to_numpy())
        )

    def keys(self, image_id: Ints, category_id: Ints) -> Ints:
        """int64 [N]: a number per pair of known ids [N]."""
        image = np.searchsorted(self.image_ids, image_id)
        return image * len(self.category_ids) + np.searchsorted(self.category_ids, category_id)

    def listed(self, images: pa.Table, column: str) -> Ints:
        """int64: the keys of the categories in a list column of `images`; unknown ones are not."""
        lists = images[column].combine_chunks()
        image_id = images["image_id"].to_numpy()[pc.list_parent_indices(lists).to_numpy()]
        category_id = lists.flatten().to_numpy().astype(np.int64)
        known = is_in(self.category_ids, category_id)
        return self.keys(image_id[known], category_id[known])


def is_in(ordered: Ints, values: Ints) -> Bools:
    """bool [N]: which values [N] are among ascending ones."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    known: Bools = ordered[place] == values
    return known
