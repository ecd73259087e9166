"""Matching and precision by hotcoco."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from lvis_merge.evaluation.detections import Detections, Floats
from lvis_merge.evaluation.lvis_dict import mask_dicts, truth_dict
from lvis_merge.evaluation.matches import Matches, MatchRows
from lvis_merge.evaluation.pairs import Ints
from lvis_merge.evaluation.scores import ALL_AREAS, Kind
from lvis_merge.evaluation.truth import GroundTruth

if TYPE_CHECKING:
    import hotcoco

_IMAGES_AT_ONCE = 1000


def version() -> str:
    """Of hotcoco."""
    import hotcoco

    return str(hotcoco.__version__)


class HotcocoRun:
    """Boxes or masks, ready to be compared.

    Args:
        truth: with masks where masks are compared.
        detections: what is scored: capped, judged, of a positive area.
        areas: float64 [N], square pixels of the box or the mask.
        kind: bbox or segm.
    """

    def __init__(
        self, truth: GroundTruth, detections: Detections, areas: Floats | Ints, kind: Kind
    ) -> None:
        import hotcoco

        self._kind = kind
        self._truth = hotcoco.COCO(truth_dict(truth))
        count = len(detections)
        # image ids stay below 2^53, which float64 keeps
        columns = np.zeros((count, 7))
        columns[:, 0] = detections.image_id
        columns[:, 1:5] = 0 if detections.bbox is None else detections.bbox
        columns[:, 5] = detections.score
        columns[:, 6] = detections.category_id
        masks: Any = mask_dicts(detections, truth) if kind == "segm" else None
        self._found = (
            self._truth.load_res(columns, segmentation=masks) if count else self._truth.load_res([])
        )
        if count:
            # hotcoco takes the box's area, also for a mask that comes with a box
            self._found.update_anns(ids=np.arange(1, count + 1), area=np.asarray(areas, np.float64))

    def precision(self) -> Floats:
        """float64 [10, 101, C, 4]; see `scores.figures_of`."""
        run = self._evaluator()
        run.evaluate()
        run.accumulate()
        evaluated = run.eval
        assert evaluated is not None
        values: Floats = np.asarray(evaluated["precision"], np.float64)[..., 0]
        return values

    def matches(self) -> Matches:
        """What was matched, image by image, all areas."""
        rows = MatchRows()
        for run in self._by_images():
            for found in run.eval_imgs:
                if found is not None:
                    rows.add(
                        found["category_id"],
                        found["image_id"],
                        found["dtScores"],
                        found["dtMatched"],
                        found["dtIgnore"],
                        len(found["gtIgnore"]) - sum(found["gtIgnore"]),
                    )
        return rows.finish()

    def _by_images(self) -> Iterator[Any]:
        """Evaluated some images at a time: hotcoco gives its matches as lists, which take space."""
        image_ids = sorted(self._truth.get_img_ids())
        for start in range(0, len(image_ids), _IMAGES_AT_ONCE):
            run = self._evaluator()
            run.params.img_ids = image_ids[start : start + _IMAGES_AT_ONCE]
            run.params.area_rng = [run.params.area_rng[ALL_AREAS]]
            run.params.area_rng_lbl = ["all"]
            run.evaluate()
            yield run

    def _evaluator(self) -> hotcoco.COCOeval:
        import hotcoco

        return hotcoco.LVISEval(self._truth, self._found, self._kind)
