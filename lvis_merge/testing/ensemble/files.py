"""An ensemble from files to files: the pools are read one after the other, each let go in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lvis_merge.evaluation import GroundTruth, Results
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.pairs import Ints
from lvis_merge.progress import Stages
from lvis_merge.sources.files import base_name
from lvis_merge.testing.ensemble.parameters import Fitted, FusionName
from lvis_merge.testing.ensemble.run import (
    Model,
    Outcome,
    Row,
    apply_ensemble,
    check_experts,
    fit_ensemble,
    main_row,
    model_of,
)
from lvis_merge.testing.ensemble.truth_columns import group_codes
from lvis_merge.testing.pools import POOL_FILE, Pool, pool_writer, read_pool


def fit_files(
    paths: Sequence[str],
    truth: GroundTruth,
    fusion: FusionName,
    *,
    lenient: bool = False,
    stages: Stages,
) -> Outcome:
    """Reads pools and fits.

    Args:
        paths: of the pools, the main one first.
        truth: the ground truth.
        fusion: nms or wbf.
        lenient: drop and count bad entries.
        stages: told what is being done.

    Raises:
        InputError: a pool or the ground truth cannot be used.
    """
    known = truth.known
    assert known.image_ids is not None
    assert known.category_ids is not None
    main = _read(paths[0], known, lenient, stages)
    with stages.stage("scoring the main model alone"):
        codes = group_codes(truth.frequencies)
        before = main_row(main, truth, known.category_ids, codes)
    models = [model_of(main, known.image_ids, known.category_ids)]
    results = _emptied(main.results)
    del main
    models += [
        model_of(_expert(path, known, lenient, stages), known.image_ids, known.category_ids)
        for path in paths[1:]
    ]
    return fit_ensemble(models, before, truth, results, fusion, stages)


def apply_files(
    paths: Sequence[str], fitted: Fitted, *, name: str, lenient: bool = False, stages: Stages
) -> Outcome:
    """Reads pools and puts them together with parameters fitted before.

    Args:
        paths: of the pools, the main one first.
        fitted: the parameters.
        name: of their file, for messages.
        lenient: drop and count bad entries.
        stages: told what is being done.

    Raises:
        InputError: a pool cannot be used.
        UsageError: the experts are not those of the fit; see `check_experts`.
    """
    check_experts(fitted, [pool_name(path) for path in paths[1:]])
    category_ids, codes = fitted.categories
    known = Known(name, category_ids=category_ids)
    parts: list[Model] = []
    before: Row | None = None
    images: list[Ints] = []
    for path in paths:
        pool = (_expert if parts else _read)(path, known, lenient, stages)
        own = np.unique(pool.results.detections.image_id)
        before = before or main_row(pool, None, category_ids, codes)
        parts.append(model_of(pool, own, category_ids))
        images.append(own)
        del pool
    every = np.unique(np.concatenate(images))
    models = [_on(part, own, every) for part, own in zip(parts, images, strict=True)]
    assert before is not None
    return apply_ensemble(models, before, every, fitted, stages)


def write_merged(outcome: Outcome, out: Path, stages: Stages) -> None:
    """Writes the merged boxes: JSON, or Parquet if the name ends in `.parquet`."""
    with stages.stage(f"writing {out.name}"), pool_writer(out) as writer:
        step = 1 << 16
        for start in range(0, len(outcome.detections), step):
            rows = np.arange(start, min(start + step, len(outcome.detections)))
            writer.write(outcome.detections.at(rows))


def pool_name(path: str) -> str:
    """What a pool is called: its file's name; `test` calls every pool alike, so its folder too."""
    name = base_name(path)
    return f"{Path(path).absolute().parent.name}/{name}" if name == POOL_FILE else name


def _read(path: str, known: Known, lenient: bool, stages: Stages) -> Pool:
    name = pool_name(path)
    with stages.stage(f"reading {name}"):
        pool = read_pool(path, known, lenient=lenient)
        pool = replace(pool, results=replace(pool.results, name=name))
    if pool.results.faults.counts:
        dropped = ", ".join(f"{f} {n:,}" for f, n in pool.results.faults.counts.items())
        stages.say(f"note: {path}: bad entries were dropped: {dropped}.")
    return pool


def _expert(path: str, known: Known, lenient: bool, stages: Stages) -> Pool:
    pool = _read(path, known, lenient, stages)
    if not pool.is_listed:
        number = len(pool.known_category_ids)
        stages.say(
            f"note: {path}: has no list of the categories that the expert knows, so they are taken"
            f" to be the {number:,} that occur. `lvis-merge experts` writes such a list."
        )
    return pool


def _emptied(results: Results) -> Results:
    return replace(results, detections=results.detections.at(np.zeros(0, np.int64)))


def _on(model: Model, own: Ints, every: Ints) -> Model:
    """The same detections among more images."""
    counts = np.zeros(len(every), np.int64)
    counts[np.searchsorted(every, own)] = np.diff(model.found.starts)
    starts = np.append(0, np.cumsum(counts))
    return replace(model, found=replace(model.found, starts=starts))
