"""Detections as columns, and the two rules that thin them out: the cap and the federated one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lvis_merge.evaluation.pairs import Bools, Ints, PairIndex
from lvis_merge.evaluation.truth import GroundTruth

MAX_DETECTIONS = 300
"""An image, over all classes (LVIS)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Detections:
    """N detections, in the order of the results.

    Attributes:
        entry: int64 [N], 1-based place in the results.
        image_id: int64 [N].
        category_id: int64 [N].
        score: float64 [N], in [0, 1].
        bbox: float64 [N, 4], x, y, w, h in pixels; None if the results have no boxes.
        mask: string [N], COCO compressed run lengths, height x width of the image; None if the
            results have no masks.
    """

    entry: Ints
    image_id: Ints
    category_id: Ints
    score: Floats
    bbox: Floats | None
    mask: pa.Array | None

    def __len__(self) -> int:
        return len(self.entry)

    def at(self, rows: Ints | Bools) -> Detections:
        """Some of them: by position, or those that are True."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows

        def chosen(name: str) -> Any:
            column = getattr(self, name)
            if column is None:
                return None
            return column.take(pa.array(places)) if name == "mask" else column[places]

        return Detections(**{field.name: chosen(field.name) for field in fields(self)})


def capped(detections: Detections, most: int = MAX_DETECTIONS) -> Detections:
    """The best of each image, over all classes; the order stays.

    Args:
        detections: any number an image.
        most: how many an image keeps: the highest scores, on ties the first in the results.
    """
    order = np.lexsort((-detections.score, detections.image_id))  # stable: ties stay in order
    image = detections.image_id[order]
    starts = np.flatnonzero(np.concatenate([[True], image[1:] != image[:-1]])[: len(image)])
    rank = np.arange(len(image)) - np.repeat(starts, np.diff(np.append(starts, len(image))))
    return detections.at(np.sort(order[rank < most]))


def judged(detections: Detections, truth: GroundTruth) -> Detections:
    """Those whose category the image's annotators looked for.

    A detection of a category that is neither annotated on its image nor verified absent there is
    right or wrong, nobody knows which.

    Args:
        detections: of images and categories of the ground truth.
        truth: objects of area 0 already left out.
    """
    index = PairIndex.of(truth.images, truth.categories)
    objects = index.keys(
        truth.objects["image_id"].to_numpy(), truth.objects["category_id"].to_numpy()
    )
    known = np.concatenate([objects, index.listed(truth.images, "neg_category_ids")])
    return detections.at(np.isin(index.keys(detections.image_id, detections.category_id), known))
