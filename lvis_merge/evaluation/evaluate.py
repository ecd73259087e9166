"""LVIS federated evaluation: results and ground truth in, figures out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import numpy as np

from lvis_merge.errors import UsageError
from lvis_merge.evaluation import hotcoco_backend, lvis_backend
from lvis_merge.evaluation.bootstrap import intervals
from lvis_merge.evaluation.detections import Detections, Floats, capped, judged
from lvis_merge.evaluation.pairs import Ints, PairIndex
from lvis_merge.evaluation.results import Results, mask_areas
from lvis_merge.evaluation.scores import (
    CategoryScore,
    Evaluation,
    Interval,
    Kind,
    Scores,
    category_ap,
    figures_of,
)
from lvis_merge.evaluation.truth import GroundTruth
from lvis_merge.progress import Stages

Backend = Literal["hotcoco", "lvis"]

_VERSIONS = {"hotcoco": hotcoco_backend.version, "lvis": lvis_backend.version}
_WORDS: dict[Kind, str] = {"bbox": "boxes", "segm": "masks"}


def evaluate(
    results: Results,
    truth: GroundTruth,
    *,
    backend: Backend = "hotcoco",
    draws: int = 0,
    seed: int = 0,
    stages: Stages | None = None,
) -> Evaluation:
    """Scores results by LVIS's rules.

    The best 300 detections an image, over all classes, count; of them those whose category is
    annotated on the image or verified absent there; unmatched ones of categories that are not
    exhaustively annotated there are ignored. Boxes are scored if the results have boxes, masks if
    they have masks.

    Args:
        results: as read against the same ground truth.
        truth: what they are compared with.
        backend: hotcoco, or lvis for the reference.
        draws: image sets drawn for confidence intervals; 0 for none.
        seed: of the drawing.
        stages: told what is being done; None for silence.

    Raises:
        InputError: a mask is damaged and the results were not read leniently; or lvis is missing.
        UsageError: intervals are asked of lvis, which would take hours.
    """
    if draws and backend == "lvis":
        raise UsageError("Intervals need the matches of hotcoco; lvis gives the same figures.")
    found = results.detections
    if found.mask is not None and (results.faults.lenient or backend == "lvis"):
        found = found.at(mask_areas(found, truth.known, results.faults) >= 0)
    kinds: list[Kind] = ["bbox"] if found.bbox is not None else []
    if found.mask is not None:
        kinds.append("segm")
    scores = []
    for kind in kinds:
        known = truth.with_masks() if kind == "segm" else truth
        with _stage(stages, f"{_WORDS[kind]} ({backend})"):
            if backend == "lvis":
                figures, precision = _by_lvis(found, known, kind)
                margins: Mapping[str, Interval] = {}
            else:
                run = _hotcoco_run(found, known, results, kind)
                precision = run.precision()
                figures = figures_of(precision, known.frequencies)
                margins = _intervals(figures, run, known, draws, seed)
        boxes_only = truth.objects.num_rows - known.objects.num_rows
        categories = _categories(known, category_ap(precision))
        scores.append(Scores(kind, figures, margins, categories, boxes_only))
    return Evaluation(
        results=results.name,
        ground_truth=truth.name,
        backend=backend,
        backend_version=_VERSIONS[backend](),
        images=truth.images.num_rows,
        objects=truth.objects.num_rows,
        left_out=truth.left_out,
        entries=results.entries,
        dropped=dict(results.faults.counts),
        over_cap=len(found) - len(capped(found)),
        scores=tuple(scores),
    )


def _by_lvis(
    found: Detections, truth: GroundTruth, kind: Kind
) -> tuple[Mapping[str, float], Floats]:
    run = lvis_backend.LvisRun(truth, found, kind)
    return run.figures(), run.precision()


def _hotcoco_run(
    found: Detections, truth: GroundTruth, results: Results, kind: Kind
) -> hotcoco_backend.HotcocoRun:
    """What lvis-api does by itself is done here: the cap, the judged ones, no areas of 0."""
    truth = truth.with_area()
    found = judged(capped(found), truth)
    areas: Floats | Ints
    if kind == "segm":
        areas = mask_areas(found, truth.known, results.faults)
    else:
        assert found.bbox is not None
        areas = found.bbox[:, 2] * found.bbox[:, 3]
    return hotcoco_backend.HotcocoRun(truth, found.at(areas > 0), areas[areas > 0], kind)


def _intervals(
    figures: Mapping[str, float],
    run: hotcoco_backend.HotcocoRun,
    truth: GroundTruth,
    draws: int,
    seed: int,
) -> Mapping[str, Interval]:
    if not draws:
        return {}
    index = PairIndex.of(truth.images, truth.categories)
    return intervals(figures, run.matches(), index, truth.frequencies, draws, seed)


def _categories(truth: GroundTruth, ap: Floats) -> tuple[CategoryScore, ...]:
    rows = zip(truth.categories.to_pylist(), _object_counts(truth).tolist(), ap, strict=True)
    return tuple(
        CategoryScore(**row, objects=objects, ap=values[0], ap50=values[1], ap75=values[2])
        for row, objects, values in ((r, o, v.tolist()) for r, o, v in rows)
    )


def _object_counts(truth: GroundTruth) -> Ints:
    """int64 [C]: objects of each category."""
    category_ids = truth.categories["category_id"].to_numpy()
    places = np.searchsorted(category_ids, truth.objects["category_id"].to_numpy())
    return np.bincount(places, minlength=len(category_ids)).astype(np.int64)


def _stage(stages: Stages | None, name: str) -> AbstractContextManager[object]:
    return nullcontext() if stages is None else stages.stage(name)
