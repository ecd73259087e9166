"""An experiment for other programs: CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from lvis_merge.testing.roadmap.experiment import (
    ANNOTATIONS,
    Annotation,
    Experiment,
    Scored,
    Setting,
)
from lvis_merge.testing.roadmap.paired import CONFIDENCE, Estimate, estimate
from lvis_merge.testing.roadmap.published import COLUMNS

_HEADER = (
    "table", "setting", "over", "run", "group", "annotation", "kind", "figure", "n", "value", "low",
    "high", "lower_bound", "signs", "clear_in_every_group", "published", "missing", "ground_truth",
    "images",
)  # fmt: skip
_DIGITS = 9
"""Decimals of a point: enough to compute everything again."""


def as_csv(experiment: Experiment) -> str:
    """Long form: a line per setting, run and figure (`run`), then per comparison (`difference`).

    Figures are times 100. A difference has its mean as value, with its interval.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    for row in (*_run_rows(experiment), *_difference_rows(experiment)):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()


def _run_rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    for setting in experiment.settings:
        published = experiment.published(setting)
        for run in experiment.runs:
            for annotation in ANNOTATIONS:
                if not experiment.has(annotation):
                    continue
                scored = setting.scored[annotation].get(run.name)
                for figure in COLUMNS:
                    value = scored.figures.get(figure) if scored else None
                    yield {
                        "table": "run",
                        "setting": setting.key,
                        "run": run.name,
                        "group": run.group,
                        "annotation": annotation,
                        "kind": experiment.kind,
                        "figure": figure,
                        "value": value,
                        "published": published.get(figure) if annotation == "federated" else None,
                        "missing": _missing(scored, value),
                        "ground_truth": scored.truth.name if scored else None,
                        "images": scored.truth.images if scored else None,
                    }


def _missing(scored: Scored | None, value: float | None) -> str:
    if scored is None:
        return "no evaluation"
    return scored.missing or ("undefined" if value is None else "")


def _difference_rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    for setting, over in experiment.comparisons:
        for annotation in ANNOTATIONS:
            if not experiment.has(annotation):
                continue
            for figure in COLUMNS:
                found = experiment.difference(setting, over, annotation, figure)
                low, high = found.estimate.interval or (None, None)
                clear = found.clear_in_every_group
                yield {
                    "table": "difference",
                    "setting": setting.key,
                    "over": over.key,
                    "annotation": annotation,
                    "kind": experiment.kind,
                    "figure": figure,
                    "n": found.estimate.count,
                    "value": found.estimate.mean,
                    "low": low,
                    "high": high,
                    "lower_bound": found.estimate.lower,
                    "signs": found.signs,
                    "clear_in_every_group": None if clear is None else str(clear).lower(),
                    "published": _gain(experiment, setting, over, annotation, figure),
                }


def _cell(value: object) -> object:
    return round(value, _DIGITS) if isinstance(value, float) else value


def as_json(experiment: Experiment) -> dict[str, Any]:
    """What `--json` prints; figures are times 100, null where there is none."""
    return {
        "title": experiment.title,
        "kind": experiment.kind,
        "confidence": CONFIDENCE,
        "runs": [{"name": run.name, "group": run.group} for run in experiment.runs],
        "settings": [_setting(experiment, setting) for setting in experiment.settings],
        "comparisons": [
            {
                "setting": setting.key,
                "over": over.key,
                **{
                    annotation: {
                        figure: _difference(experiment, setting, over, annotation, figure)
                        for figure in COLUMNS
                    }
                    for annotation in ANNOTATIONS
                },
            }
            for setting, over in experiment.comparisons
        ],
    }


def _setting(experiment: Experiment, setting: Setting) -> dict[str, Any]:
    return {
        "key": setting.key,
        "name": setting.name,
        "step": setting.step.key if setting.step else None,
        "published": dict(experiment.published(setting)),
        **{
            annotation: {
                "n": setting.count(annotation),
                "runs": {
                    name: {
                        "figures": dict(run.figures),
                        "missing": run.missing or None,
                        "ground_truth": run.truth.name,
                        "images": run.truth.images,
                    }
                    for name, run in setting.scored[annotation].items()
                },
                "figures": {
                    figure: _mean(estimate(list(setting.values(annotation, figure).values())))
                    for figure in COLUMNS
                },
            }
            for annotation in ANNOTATIONS
        },
    }


def _mean(found: Estimate) -> dict[str, Any]:
    return {"n": found.count, "mean": found.mean, "sd": found.sd}


def _difference(
    experiment: Experiment, setting: Setting, over: Setting, annotation: Annotation, figure: str
) -> dict[str, Any]:
    found = experiment.difference(setting, over, annotation, figure)
    return {
        **_estimate(found.estimate),
        "runs": dict(found.by_run),
        "signs": found.signs,
        "groups": [{"group": one.group, **_estimate(one.estimate)} for one in found.groups],
        "clear_in_every_group": found.clear_in_every_group,
        "published": _gain(experiment, setting, over, annotation, figure),
    }


def _estimate(found: Estimate) -> dict[str, Any]:
    interval = list(found.interval) if found.interval else None
    return {**_mean(found), "interval": interval, "lower_bound": found.lower}


def _gain(
    experiment: Experiment, setting: Setting, over: Setting, annotation: Annotation, figure: str
) -> float | None:
    """Published figures are of federated annotations."""
    return experiment.published_gain(setting, over, figure) if annotation == "federated" else None
