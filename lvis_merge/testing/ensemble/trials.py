"""What a set of images scores under given parameters, tried over and over by the fit.

Offsets of experts change the order within categories: every trial of them fuses and matches anew.
Shifts of groups do not: for them the same matches are counted under another cap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.evaluation.scores import mean_defined
from lvis_merge.testing.ensemble.cap import GROUPS, Codes, Crowd, crowd
from lvis_merge.testing.ensemble.matching import Truth, edges, matched
from lvis_merge.testing.ensemble.parameters import FusionName, Parameters
from lvis_merge.testing.ensemble.precision import Ranking
from lvis_merge.testing.ensemble.truth_columns import TruthColumns, pairs_of
from lvis_merge.testing.fusion.fused import Fusion
from lvis_merge.testing.fusion.nms import NmsFusion
from lvis_merge.testing.fusion.weighted import WeightedFusion
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import ByImage, Positions, portions, stack
from lvis_merge.testing.threads import in_threads

FUSIONS: dict[FusionName, Callable[..., Fusion]] = {"nms": NmsFusion, "wbf": WeightedFusion}


@dataclass(frozen=True)
class Figures:
    """Box AP, in [0, 1]; -1.0 where there is nothing to find."""

    ap: float
    ap_r: float
    ap_c: float
    ap_f: float


@dataclass(frozen=True)
class _Offer:
    """The judged detections of one portion, before the cap; see `Ranking`."""

    crowd: Crowd
    category: Positions
    logit: Floats
    matched: Bools
    partly: Bools


class Trial:
    """One set of offsets: fused and matched, to be capped under any shifts."""

    def __init__(self, offers: Sequence[_Offer], objects: Ints, groups: Codes) -> None:
        self._crowds = [offer.crowd for offer in offers]
        self._groups = groups

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(offer, name) for offer in offers])

        self._ranking = Ranking(
            joined("category"), joined("logit"), joined("matched"), joined("partly"), objects
        )

    @property
    def is_crowded(self) -> bool:
        """Whether the cap has anything to keep out."""
        return any(crowd.logit.size for crowd in self._crowds)

    def narrow(self) -> None:
        """Leaves out what no shifts let through, before many are tried."""
        self._crowds = in_threads(Crowd.narrowed, self._crowds)

    def figures(self, shifts: Floats) -> Figures:
        """Box AP with the cap under shifts, float64 [3]."""
        kept = in_threads(lambda crowd: crowd.through(shifts), self._crowds)
        ap = self._ranking.ap(np.concatenate(kept))
        by_group = [mean_defined(ap[self._groups == code]) for code in range(len(GROUPS))]
        return Figures(mean_defined(ap), *by_group)


class Trials:
    """A set of images, ready for any parameters.

    Args:
        models: what was found on all images, the main model first.
        knowing: bool [K, C], which models know which categories.
        truth: what is to be found on all images.
        images: int64 [I'], positions of the images of this set, ascending.
        fusion: nms or wbf.
    """

    def __init__(
        self,
        models: Sequence[ByImage],
        knowing: Bools,
        truth: TruthColumns,
        images: Ints,
        fusion: FusionName,
    ) -> None:
        self.experts = len(models) - 1
        self._groups = truth.groups
        self._objects = truth.objects(images)
        self._parts = in_threads(
            lambda portion: _Part(
                FUSIONS[fusion](stack(models, portion), knowing),
                truth.portion(portion),
                truth.groups,
            ),
            portions(models, images),
        )
        self._last: tuple[tuple[float, ...], Trial] | None = None

    def figures(self, parameters: Parameters) -> Figures:
        """Box AP under parameters."""
        return self.at(parameters.offsets).figures(parameters.shifts)

    def at(self, offsets: tuple[float, ...]) -> Trial:
        """The trial of some offsets; the last one is kept."""
        if self._last is None or self._last[0] != offsets:
            self._last = None  # its tables go before others come
            every = np.array([0.0, *offsets])
            offers = in_threads(lambda part: part.offer(every), self._parts)
            self._last = offsets, Trial(offers, self._objects, self._groups)
        return self._last[1]


class _Part:
    """One portion of the images."""

    def __init__(self, fusion: Fusion, truth: Truth, groups: Codes) -> None:
        self._fusion = fusion
        self._truth = truth
        self._groups = groups

    def offer(self, offsets: Floats) -> _Offer:
        """Fuses and matches under offsets, float64 [K]."""
        fused = self._fusion.fuse(offsets)
        pair = pairs_of(fused.image, fused.category, len(self._groups))
        area = fused.boxes[fused.origin, 2] * fused.boxes[fused.origin, 3]
        # what has no area is neither right nor wrong, but takes its place under the cap
        rows = np.flatnonzero(self._truth.judged[pair] & (area > 0))
        pair = pair[rows]
        near = edges(pair, fused.boxes[fused.origin[rows]], self._truth)
        images = len(self._fusion.stack.images)
        return _Offer(
            crowd=crowd(fused.image, fused.logit, self._groups[fused.category], images).at(rows),
            category=fused.category[rows],
            logit=fused.logit[rows],
            matched=matched(pair, fused.logit[rows], near, len(self._truth.bbox)),
            partly=self._truth.partly[pair],
        )
