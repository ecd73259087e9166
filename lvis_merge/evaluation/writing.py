"""The figures for other programs: JSON, and a CSV by category."""

from __future__ import annotations

import csv
import io
from typing import Any

from lvis_merge.evaluation.scores import Evaluation


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """What `--json` prints.

    Figures are in [0, 1], -1.0 where undefined; a kind that was not scored is absent.
    """
    scored: dict[str, Any] = {
        scores.kind: {
            **scores.figures,
            "intervals": {
                name: [interval.low, interval.high] for name, interval in scores.intervals.items()
            },
            "objects_without_mask": scores.boxes_only,
        }
        for scores in evaluation.scores
    }
    return {
        "results": evaluation.results,
        "ground_truth": evaluation.ground_truth,
        "backend": evaluation.backend,
        "backend_version": evaluation.backend_version,
        "images": evaluation.images,
        "objects": evaluation.objects,
        "ground_truth_left_out": evaluation.left_out[0],
        "entries": evaluation.entries,
        "dropped": dict(evaluation.dropped),
        "over_cap": evaluation.over_cap,
        **scored,
    }


def category_csv(evaluation: Evaluation) -> str:
    """One line per category: its AP, AP50 and AP75 for every kind that was scored."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [f"{s.kind}_{figure}" for s in evaluation.scores for figure in ("AP", "AP50", "AP75")]
    writer.writerow(["category_id", "name", "frequency", "training_images", "objects", *names])
    for rows in zip(*(scores.categories for scores in evaluation.scores), strict=True):
        one = rows[0]
        figures = [value for row in rows for value in (row.ap, row.ap50, row.ap75)]
        writer.writerow(
            [
                one.category_id,
                one.name,
                one.frequency or "",
                "" if one.training_images is None else one.training_images,
                one.objects,
                *(f"{value:.6f}" if value >= 0 else "-1.0" for value in figures),
            ]
        )
    return text.getvalue()
