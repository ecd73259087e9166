"""The detections that an ensemble leaves: fused, capped, and counted by frequency group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.testing.ensemble.cap import GROUPS, crowd
from lvis_merge.testing.ensemble.parameters import FusionName, Parameters
from lvis_merge.testing.ensemble.trials import FUSIONS
from lvis_merge.testing.fusion.fused import Codes
from lvis_merge.testing.stack import ByImage, portions, stack
from lvis_merge.testing.threads import in_threads


@dataclass(frozen=True)
class Ensemble:
    """What is put together.

    Attributes:
        models: what was found, the main model first.
        knowing: bool [K, C], which models know which categories.
        image_ids: int64 [I], ascending.
        category_ids: int64 [C], ascending.
        groups: int8 [C], codes of the frequency groups.
        fusion: nms or wbf.
    """

    models: Sequence[ByImage]
    knowing: Bools
    image_ids: Ints
    category_ids: Ints
    groups: Codes
    fusion: FusionName


@dataclass(frozen=True)
class Merged:
    """Detections of some images, at most 300 each.

    Attributes:
        detections: by image id, from the highest score.
        offered: int64 [3], by group: detections after fusion, before the cap.
        through: int64 [3], by group: those that the cap let through.
    """

    detections: Detections
    offered: Ints
    through: Ints


def merge(ensemble: Ensemble, images: Ints, parameters: Parameters) -> Merged:
    """Fuses, shifts and caps.

    Scores are written as fusion leaves them, with the experts' offsets and without the groups'
    shifts. Within a category a shift changes no order, so no figure; and categories stay comparable
    between images that were scored with different shifts, as the two halves of a fit are.

    Args:
        ensemble: what is put together.
        images: int64 [I'], positions, ascending.
        parameters: offsets and shifts.
    """
    parts = in_threads(
        lambda portion: _merged(ensemble, portion, parameters), portions(ensemble.models, images)
    )
    return joined(parts)


def joined(parts: Sequence[Merged]) -> Merged:
    """The detections of different images together."""

    def column(name: str, empty: np.ndarray) -> np.ndarray:
        return np.concatenate([empty, *(getattr(part.detections, name) for part in parts)])

    none = np.zeros(0, np.int64)
    image_id = column("image_id", none)
    order = np.argsort(image_id, kind="stable")
    detections = Detections(
        entry=np.arange(1, len(image_id) + 1),
        image_id=image_id[order],
        category_id=column("category_id", none)[order],
        score=column("score", np.zeros(0))[order],
        bbox=column("bbox", np.zeros((0, 4)))[order],
        mask=None,
    )
    zero = np.zeros(len(GROUPS), np.int64)
    return Merged(
        detections,
        sum((part.offered for part in parts), zero),
        sum((part.through for part in parts), zero),
    )


def _merged(ensemble: Ensemble, portion: Ints, parameters: Parameters) -> Merged:
    fusion = FUSIONS[ensemble.fusion](stack(ensemble.models, portion), ensemble.knowing)
    fused = fusion.fuse(parameters.model_offsets)
    group = ensemble.groups[fused.category]
    cap = crowd(fused.image, fused.logit, group, len(portion))
    rows = np.flatnonzero(cap.through(parameters.shifts))
    rows = rows[np.lexsort((-fused.score[rows], fused.image[rows]))]
    return Merged(
        Detections(
            entry=np.arange(1, len(rows) + 1),
            image_id=ensemble.image_ids[portion[fused.image[rows]]],
            category_id=ensemble.category_ids[fused.category[rows]],
            score=fused.score[rows],
            bbox=fused.boxes(rows),
            mask=None,
        ),
        np.bincount(group, minlength=len(GROUPS)),
        np.bincount(group[rows], minlength=len(GROUPS)),
    )
