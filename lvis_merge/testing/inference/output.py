"""The files of a test run, from its journals."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lvis_merge.testing.inference.journal import Journal
from lvis_merge.testing.inference.plan import RECORD, RESULTS, STATE, RunPlan
from lvis_merge.testing.pools import POOL_FILE, pool_writer
from lvis_merge.whole_file import whole_file


@dataclass(frozen=True)
class RunOutcome:
    """What a complete run left.

    Attributes:
        results: its file.
        pool: its file; None where none was wanted.
        images: how many were tested.
        detections: entries of the results.
        pooled: rows of the pool.
        masks: whether results have masks.
        views: per image.
    """

    results: Path
    pool: Path | None
    images: int
    detections: int
    pooled: int
    masks: bool
    views: int


def write_output(
    plan: RunPlan,
    run: dict[str, Any],
    journal: Journal,
    image_ids: np.ndarray,
    sizes: np.ndarray,
    *,
    masks: bool,
    views: int,
) -> RunOutcome:
    """Writes results and pool by image id, then the record; removes the journals.

    Args:
        plan: the run.
        run: its identity.
        journal: with a record of every image.
        image_ids: int64 [I].
        sizes: int64 [I, 2], height and width.
        masks: whether results have masks.
        views: per image.
    """
    order = np.argsort(image_ids)
    results = plan.out / RESULTS
    pool = plan.out / POOL_FILE if plan.pool and plan.boxes is None else None
    with ExitStack() as files:
        # the pool first: its size is known to nobody before its end either
        pooled = files.enter_context(pool_writer(pool)) if pool else None
        found = files.enter_context(pool_writer(results, masks=masks))
        records = journal.records(image_ids[order].tolist())
        for record, size in zip(records, sizes[order], strict=True):
            if pooled:
                pooled.write(record.detections())
            best = record.detections(record.results, masks=masks)
            found.write(best, np.tile(size, (record.results, 1)))
    outcome = RunOutcome(
        results=results,
        pool=pool,
        images=len(image_ids),
        detections=found.written,
        pooled=pooled.written if pooled else 0,
        masks=masks,
        views=views,
    )
    with whole_file(plan.out / RECORD) as partial:
        record_text = json.dumps({"run": run, "outcome": plain(outcome)}, indent=2)
        partial.write_text(record_text + "\n", encoding="utf-8")
    shutil.rmtree(plan.out / STATE)
    return outcome


def plain(outcome: RunOutcome) -> dict[str, Any]:
    """As JSON; files by their names in the run's folder."""
    return {
        "results": outcome.results.name,
        "pool": outcome.pool.name if outcome.pool else None,
        "images": outcome.images,
        "detections": outcome.detections,
        "pooled": outcome.pooled,
        "masks": outcome.masks,
        "views": outcome.views,
    }


def read_outcome(out: Path) -> RunOutcome:
    """The outcome of a run that is complete."""
    saved = json.loads((out / RECORD).read_text("utf-8"))["outcome"]
    pool = out / saved["pool"] if saved["pool"] else None
    return RunOutcome(**{**saved, "results": out / saved["results"], "pool": pool})
