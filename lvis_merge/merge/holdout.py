"""Leakage: train images that share an image id or a Flickr photo with held-out images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class HoldOut:
    """What train images are checked against.

    Attributes:
        image_ids: int64 [N], ascending manifest image ids.
        flickr_photo_ids: int64 [M], ascending.
    """

    image_ids: np.ndarray
    flickr_photo_ids: np.ndarray

    @classmethod
    def of(cls, tables: Sequence[pa.Table]) -> HoldOut:
        """Joins tables with the columns `image_id` and `flickr_photo_id` (nullable)."""
        images = [table["image_id"].to_numpy() for table in tables]
        photos = [table["flickr_photo_id"].drop_null().to_numpy() for table in tables]
        none = np.zeros(0, np.int64)
        return cls(
            np.unique(np.concatenate([none, *images])), np.unique(np.concatenate([none, *photos]))
        )

    def sha256(self) -> str:
        """Digest of the lines `image ID` and `flickr ID`, ascending."""
        lines = [f"image {i}\n" for i in self.image_ids.tolist()]
        lines += [f"flickr {i}\n" for i in self.flickr_photo_ids.tolist()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def leaks(
        self, image_ids: np.ndarray, flickr_photo_ids: pa.Array | pa.ChunkedArray
    ) -> np.ndarray:
        """Which images are held out.

        Args:
            image_ids: int64 [N].
            flickr_photo_ids: int64 [N], null where unknown.

        Returns:
            bool [N].
        """
        known = pc.is_valid(flickr_photo_ids).to_numpy(zero_copy_only=False)
        photos = pc.fill_null(flickr_photo_ids, 0).to_numpy(zero_copy_only=False)
        same_photo = known & _among(self.flickr_photo_ids, photos)
        return np.asarray(_among(self.image_ids, image_ids) | same_photo)


def _among(held: np.ndarray, values: np.ndarray) -> np.ndarray:
    """bool [N], whether values are among ascending ones; quick for a few values and many held."""
    if not len(held):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(held, values), len(held) - 1)
    return np.asarray(held[at] == values)
