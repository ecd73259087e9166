"""What the entries of a results file may name: images with their sizes, and categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.evaluation.pairs import Bools, Ints, PairIndex, is_in


@dataclass(frozen=True)
class Known:
    """Images and categories that results are checked against.

    Attributes:
        name: where they come from, for messages.
        image_ids: int64 [I], ascending; None where any image will do.
        sizes: int64 [I, 2], height and width of these images; None with `image_ids`.
        category_ids: int64 [C], ascending; None where any category will do.
        category_advice: what to do about another category.
    """

    name: str
    image_ids: Ints | None = None
    sizes: Ints | None = None
    category_ids: Ints | None = None
    category_advice: str = "Write its category ids (LVIS starts at 1, and v0.5 and v1 differ)."

    @classmethod
    def of(cls, name: str, images: pa.Table, categories: pa.Table) -> Known:
        """Those of two tables.

        Args:
            name: for messages.
            images: with `image_id`, `height` and `width`.
            categories: with `category_id`.
        """
        index = PairIndex.of(images, categories)
        order = np.argsort(images["image_id"].to_numpy())
        sides = [images[side].to_numpy()[order] for side in ("height", "width")]
        sizes = np.stack(sides, axis=1).astype(np.int64)
        return cls(name, index.image_ids, sizes, index.category_ids.astype(np.int64))

    def has_image(self, image_id: Ints) -> Bools:
        """bool [N]: which ids [N] are of images."""
        if self.image_ids is None:
            return np.ones(len(image_id), np.bool_)
        return is_in(self.image_ids, image_id)

    def has_category(self, category_id: Ints) -> Bools:
        """bool [N]: which ids [N] are of categories."""
        if self.category_ids is None:
            return np.ones(len(category_id), np.bool_)
        return is_in(self.category_ids, category_id)

    def size(self, image_id: Ints) -> Ints | None:
        """int64 [N, 2]: height and width of images [N]; None where no sizes are known.

        The size of an unknown image is that of some other.
        """
        if self.image_ids is None or self.sizes is None:
            return None
        if not len(self.sizes):
            return np.zeros((len(image_id), 2), np.int64)
        place = np.searchsorted(self.image_ids, image_id)
        sizes: Ints = self.sizes[np.minimum(place, len(self.sizes) - 1)]
        return sizes
