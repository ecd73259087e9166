"""Runs an ensemble: fits it on results with ground truth, or applies what was fitted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lvis_merge.errors import InputError, UsageError
from lvis_merge.evaluation import GroundTruth, Results, evaluate
from lvis_merge.evaluation.detections import Detections, capped
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.evaluation.scores import PAPER_FIGURES
from lvis_merge.progress import Stages
from lvis_merge.testing.ensemble.cap import GROUPS
from lvis_merge.testing.ensemble.halves import halves
from lvis_merge.testing.ensemble.merged import Ensemble, Merged, joined, merge
from lvis_merge.testing.ensemble.parameters import Fitted, FusionName, Parameters, groups_of
from lvis_merge.testing.ensemble.search import fit
from lvis_merge.testing.ensemble.trials import Trials
from lvis_merge.testing.ensemble.truth_columns import TruthColumns
from lvis_merge.testing.fusion.fused import Codes
from lvis_merge.testing.pools import Pool
from lvis_merge.testing.stack import ByImage, by_image


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Attributes:
        name: what was scored.
        offered: by group, detections before the cap of 300.
        through: by group, those it let through.
        figures: of boxes, by the paper's names, in [0, 1] or -1.0; None without ground truth.
    """

    name: str
    offered: dict[str, int]
    through: dict[str, int]
    figures: dict[str, float] | None = None


@dataclass(frozen=True)
class Outcome:
    """All that a run made.

    Attributes:
        detections: the merged boxes.
        fitted: the parameters for other images.
        halves: the parameters fitted on either half; empty where nothing was fitted.
        rows: before and after.
    """

    detections: Detections
    fitted: Fitted
    halves: tuple[Parameters, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Model:
    """One model of an ensemble.

    Attributes:
        name: of its pool.
        found: its detections.
        known_category_ids: int64, ascending: what it can find.
    """

    name: str
    found: ByImage
    known_category_ids: Ints


def model_of(pool: Pool, image_ids: Ints, category_ids: Ints) -> Model:
    """A pool, sorted by image; the pool itself may then be let go.

    Args:
        pool: of known images and categories.
        image_ids: int64 [I], ascending.
        category_ids: int64 [C], ascending.
    """
    found = by_image(pool.results.detections, image_ids, category_ids)
    return Model(pool.results.name, found, pool.known_category_ids)


def knowing_models(models: Sequence[Model], category_ids: Ints) -> Bools:
    """bool [K, C]: which models know which categories. The main model, the first, knows them all.

    Args:
        models: K of them.
        category_ids: int64 [C].
    """
    experts = [np.isin(category_ids, model.known_category_ids) for model in models[1:]]
    return np.stack([np.ones(len(category_ids), np.bool_), *experts])


def main_row(pool: Pool, truth: GroundTruth | None, ids: Ints, groups: Codes) -> Row:
    """The main model by itself.

    Args:
        pool: its detections.
        truth: to score them with; None for counts only.
        ids: int64 [C], ascending category ids.
        groups: int8 [C], their groups' codes.
    """
    found = pool.results.detections

    def counted(detections: Detections) -> Ints:
        codes = groups[np.searchsorted(ids, detections.category_id)]
        return np.bincount(codes, minlength=len(GROUPS))

    best = capped(found)
    row = Row(f"{pool.results.name} alone", _by_group(counted(found)), _by_group(counted(best)))
    return row if truth is None else replace(row, figures=_scored(best, pool.results, truth))


def fit_ensemble(
    models: Sequence[Model],
    before: Row,
    truth: GroundTruth,
    main: Results,
    fusion: FusionName,
    stages: Stages | None = None,
) -> Outcome:
    """Fits on both halves of the images and on all of them; scores each half with the other's.

    Args:
        models: the main one first.
        before: the row of the main model alone.
        truth: the ground truth.
        main: the main model's results, without their detections.
        fusion: nms or wbf.
        stages: told what is being done; None for silence.

    Raises:
        InputError: no category has a frequency group, or there is one image only.
    """
    if not (truth.frequencies != "").any():
        raise InputError(
            f"{truth.name}: no category has a frequency group, and groups are what is shifted."
            " Give an LVIS file, or a manifest in the LVIS label space."
        )
    columns = TruthColumns(truth)
    ensemble = Ensemble(
        models=[model.found for model in models],
        knowing=knowing_models(models, columns.category_ids),
        image_ids=columns.image_ids,
        category_ids=columns.category_ids,
        groups=columns.groups,
        fusion=fusion,
    )
    every = np.arange(len(columns.image_ids))
    parts = halves(columns.image_ids, truth.name)

    found: list[Parameters] = []
    sets: list[Trials] = []
    for number, images in enumerate(parts, 1):
        with _stage(stages, f"fitting on half {number} of 2") as advance:
            sets.append(Trials.of(ensemble.models, ensemble.knowing, columns, images, fusion))
            found.append(fit(sets[-1], advance))
    with _stage(stages, "fitting on all images") as advance:
        final = fit(Trials.together(sets), advance)
    del sets
    rows = [before]
    if len(models) > 1:
        with _stage(stages, "fusing with all parameters 0"):
            plain = merge(ensemble, every, Parameters.nothing(len(models) - 1))
            rows.append(_row("fused, all parameters 0", plain, main, truth))
    with _stage(stages, "scoring each half with the other's parameters"):
        # each half with what was fitted on the other
        crossed = joined(
            [merge(ensemble, *pair) for pair in zip(parts, reversed(found), strict=True)]
        )
        rows.append(_row("fitted, two-fold cross-fitting", crossed, main, truth))
    experts = tuple(model.name for model in models[1:])
    groups = groups_of(columns.category_ids, columns.groups)
    fitted = Fitted(final, fusion, experts, truth.name, groups)
    return Outcome(crossed.detections, fitted, tuple(found), tuple(rows))


def apply_ensemble(
    models: Sequence[Model],
    before: Row,
    image_ids: Ints,
    fitted: Fitted,
    stages: Stages | None = None,
) -> Outcome:
    """Puts models together with parameters fitted before.

    Args:
        models: the main one first.
        before: the row of the main model alone.
        image_ids: int64 [I], ascending.
        fitted: the parameters.
        stages: told what is being done; None for silence.

    Raises:
        UsageError: the experts are not those of the fit; see `check_experts`.
    """
    check_experts(fitted, [model.name for model in models[1:]])
    category_ids, groups = fitted.categories
    ensemble = Ensemble(
        models=[model.found for model in models],
        knowing=knowing_models(models, category_ids),
        image_ids=image_ids,
        category_ids=category_ids,
        groups=groups,
        fusion=fitted.fusion,
    )
    with _stage(stages, "fusing"):
        found = merge(ensemble, np.arange(len(image_ids)), fitted.parameters)
    row = Row("fused, shifted", _by_group(found.offered), _by_group(found.through))
    return Outcome(found.detections, fitted, (), (before, row))


def check_experts(fitted: Fitted, names: Sequence[str]) -> None:
    """Refuses other experts than were fitted, as far as their number and names tell.

    Args:
        fitted: the parameters.
        names: of the experts' pools; those of another split may have other names.

    Raises:
        UsageError: there are not as many experts as offsets, or they come in another order.
    """
    expected = ", ".join(fitted.experts) or "none"
    if len(names) != len(fitted.experts):
        raise UsageError(
            f"ensemble: the parameters were fitted with {len(fitted.experts)} experts ({expected}),"
            f" here are {len(names)}. Give the same experts' pools, in that order."
        )
    if tuple(names) != fitted.experts and sorted(names) == sorted(fitted.experts):
        raise UsageError(
            f"ensemble: the parameters were fitted with the experts {expected}, here they come as"
            f" {', '.join(names)}. Give them in the order of the fit: each has its own offset."
        )


def _row(name: str, merged: Merged, main: Results, truth: GroundTruth) -> Row:
    figures = _scored(merged.detections, main, truth)
    return Row(name, _by_group(merged.offered), _by_group(merged.through), figures)


def _scored(found: Detections, main: Results, truth: GroundTruth) -> dict[str, float]:
    results = Results(main.name, len(found), replace(found, mask=None), main.faults)
    figures = evaluate(results, truth).scores[0].figures
    return {name: figures[name] for name in PAPER_FIGURES}


def _by_group(counts: Ints) -> dict[str, int]:
    return dict(zip(GROUPS, counts.tolist(), strict=True))


def _stage(stages: Stages | None, name: str) -> Any:
    return nullcontext(lambda steps: None) if stages is None else stages.stage(name)
