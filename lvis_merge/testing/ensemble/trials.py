"""What a set of images scores under given parameters, tried over and over by the fit.

Offsets of experts change the order within categories: every trial of them fuses and matches anew.
Shifts of groups do not: for them the same matches are counted under another cap.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.evaluation.scores import mean_defined
from lvis_merge.testing.ensemble.cap import GROUPS, Crowd, crowd
from lvis_merge.testing.ensemble.matching import Truth, edges, matched
from lvis_merge.testing.ensemble.parameters import FusionName, Parameters
from lvis_merge.testing.ensemble.precision import Ranking
from lvis_merge.testing.ensemble.truth_columns import TruthColumns, pairs_of
from lvis_merge.testing.fusion.fused import Codes, Fusion
from lvis_merge.testing.fusion.nms import NmsFusion
from lvis_merge.testing.fusion.weighted import WeightedFusion
from lvis_merge.testing.logits import Floats
from lvis_merge.testing.stack import ByImage, Positions, portions, stack
from lvis_merge.testing.threads import in_threads

FUSIONS: dict[FusionName, type[NmsFusion] | type[WeightedFusion]] = {
    "nms": NmsFusion,
    "wbf": WeightedFusion,
}

KEPT_BYTES = 1 << 30
"""Matches of the last sets of offsets are kept: later rounds of a fit, and the fit on all images
after those on its halves, come back to many. This is what those of one set of images may take; of
LVIS v0.5 val it holds about ten sets of offsets."""

_MOST_KEPT = 16


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
    image: Positions
    category: Positions
    logit: Floats
    matched: Bools
    partly: Bools

    @property
    def nbytes(self) -> int:
        """What it takes."""
        arrays = (self.image, self.category, self.logit, self.matched, self.partly)
        cap = self.crowd
        return sum(array.nbytes for array in (*arrays, cap.logit, cap.group, cap.place))


class Trial:
    """One set of offsets: fused and matched, to be capped under any shifts."""

    def __init__(self, offers: Sequence[_Offer], objects: Ints, groups: Codes) -> None:
        self._crowds = [offer.crowd for offer in offers]
        self._groups = groups

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(offer, name) for offer in offers])

        self._ranking = Ranking(
            image=joined("image"),
            category=joined("category"),
            score=joined("logit"),
            matched=joined("matched"),
            partly=joined("partly"),
            objects=objects,
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
        parts: the images in portions.
        truth: what is to be found on all images.
        experts: how many there are.
    """

    def __init__(self, parts: Sequence[_Part], truth: TruthColumns, experts: int) -> None:
        self.experts = experts
        self._parts = parts
        self._truth = truth
        images = np.concatenate([np.zeros(0, np.int64), *(part.images for part in parts)])
        self._objects = truth.objects(np.sort(images))
        self._last: tuple[tuple[float, ...], Trial] | None = None

    @classmethod
    def of(
        cls,
        models: Sequence[ByImage],
        knowing: Bools,
        truth: TruthColumns,
        images: Ints,
        fusion: FusionName,
    ) -> Trials:
        """Those of some images.

        Args:
            models: what was found on all images, the main model first.
            knowing: bool [K, C], which models know which categories.
            truth: what is to be found on all images.
            images: int64 [I'], positions of the images of this set, ascending.
            fusion: nms or wbf.
        """
        parts = in_threads(
            lambda portion: _Part(
                FUSIONS[fusion].for_cap(stack(models, portion), knowing, truth.groups),
                truth.portion(portion),
                truth.groups,
            ),
            portions(models, images),
        )
        return cls(parts, truth, len(models) - 1)

    @classmethod
    def together(cls, sets: Sequence[Trials]) -> Trials:
        """Those of the images of several sets, of the same models; what these found is shared."""
        parts = [part for one in sets for part in one._parts]
        return cls(parts, sets[0]._truth, sets[0].experts)

    def figures(self, parameters: Parameters) -> Figures:
        """Box AP under parameters."""
        return self.at(parameters.offsets).figures(parameters.shifts)

    def at(self, offsets: tuple[float, ...]) -> Trial:
        """The trial of some offsets; the last one is kept."""
        if self._last is None or self._last[0] != offsets:
            self._last = None  # its tables go before others come
            offers = in_threads(lambda part: part.offer(offsets), self._parts)
            self._last = offsets, Trial(offers, self._objects, self._truth.groups)
            most = KEPT_BYTES // max(1, sum(offer.nbytes for offer in offers))
            for part in self._parts:
                part.keep(min(most, _MOST_KEPT))
        return self._last[1]


class _Part:
    """One portion of the images."""

    def __init__(self, fusion: Fusion, truth: Truth, groups: Codes) -> None:
        self.images = fusion.stack.images
        self._fusion = fusion
        self._truth = truth
        self._categories = len(groups)
        stack = fusion.stack
        self._group = groups[stack.category]
        # what has no area is neither right nor wrong, but takes its place under the cap; a box that
        # was fused with others has an area like each of them
        area = stack.bbox[:, 2].astype(np.float64) * stack.bbox[:, 3]
        self._judged = truth.judged[pairs_of(stack.image, stack.category, len(groups))] & (area > 0)
        self._offers: OrderedDict[tuple[float, ...], _Offer] = OrderedDict()

    def offer(self, offsets: tuple[float, ...]) -> _Offer:
        """Fuses and matches under the experts' offsets, unless that is kept."""
        if offsets not in self._offers:
            self._offers[offsets] = self._offer(np.array([0.0, *offsets]))
        self._offers.move_to_end(offsets)
        return self._offers[offsets]

    def keep(self, most: int) -> None:
        """Lets go of all but the last so many."""
        while len(self._offers) > most:
            self._offers.popitem(last=False)

    def _offer(self, offsets: Floats) -> _Offer:
        fused = self._fusion.fuse(offsets)
        rows = np.flatnonzero(self._judged[fused.origin])
        image, category = fused.image[rows], fused.category[rows]
        pair = pairs_of(image, category, self._categories)
        near = edges(pair, fused.boxes(rows), self._truth)
        logit, group = fused.logit, self._group[fused.origin]
        return _Offer(
            crowd=crowd(fused.image, logit, group, len(self.images), rows),
            image=self.images[image].astype(np.int32),
            category=category,
            logit=logit[rows],
            matched=matched(pair, logit[rows], near, len(self._truth.bbox)),
            partly=self._truth.partly[pair],
        )
