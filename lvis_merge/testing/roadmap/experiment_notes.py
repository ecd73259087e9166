"""What a reader of an experiment's tables has to know, a sentence or two each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lvis_merge.testing.roadmap.experiment import ANNOTATIONS, Annotation, Experiment
from lvis_merge.testing.roadmap.published import COLUMNS

KIND_NAMES = {"bbox": "box", "segm": "mask"}

INTERVALS = (
    "Intervals are two-sided 95% intervals by Student's t on the differences of paired runs (n - 1"
    " degrees of freedom); at least: the one-sided 95% lower bound. Both take the runs as"
    " independent: where groups differ they are too narrow."
)
GROUPS = (
    "Clear in every group: whether the interval over the runs of each group alone, of those with"
    " two runs or more, leaves 0 out on the side of the mean, and in how many it does."
)
PUBLISHED = (
    "Published figures are mask AP on LVIS v0.5 val: their level does not compare with that of"
    " these runs, the sign of a gain does."
)


def notes(experiment: Experiment) -> list[str]:
    """The notes, those first that tell what is missing."""
    found = [_runs(experiment), *_truths(experiment), *_gaps(experiment)]
    if experiment.comparisons:
        found.append(INTERVALS)
        found.append(GROUPS)
    if any(experiment.published(setting) for setting in experiment.settings):
        found.append(PUBLISHED)
    return found


def _runs(experiment: Experiment) -> str:
    groups = Counter(run.group for run in experiment.runs)
    members = ", ".join(f"{group} ({count})" for group, count in groups.items())
    return (
        f"{_counted(len(experiment.runs), 'run')} in {_counted(len(groups), 'group')}: {members}."
        " Runs of a group share what they were trained on."
    )


def _truths(experiment: Experiment) -> Iterator[str]:
    for annotation in ANNOTATIONS:
        truths = {
            scored.truth: None
            for setting in experiment.settings
            for scored in setting.scored[annotation].values()
        }
        if truths:
            names = sorted({f"{one.name} with {one.images:,} images" for one in truths})
            many = f"{len(truths)} ground truths" if len(truths) > 1 else "one ground truth"
            yield f"{annotation.capitalize()} figures are of {many}: {', '.join(names)}."


def _gaps(experiment: Experiment) -> Iterator[str]:
    for annotation in ANNOTATIONS:
        # without any exhaustive figure nobody meant to have them
        if annotation == "federated" or experiment.has(annotation):
            yield from _gaps_of(experiment, annotation)


def _gaps_of(experiment: Experiment, annotation: Annotation) -> Iterator[str]:
    for setting in experiment.settings:
        scored = setting.scored[annotation]
        absent = [run.name for run in experiment.runs if run.name not in scored]
        if absent:
            yield f"{setting.name}: no {annotation} evaluation of {', '.join(absent)}."
        for reason in sorted({one.missing for one in scored.values() if one.missing}):
            runs = ", ".join(name for name, one in scored.items() if one.missing == reason)
            yield f"{setting.name}: the {annotation} evaluation has {reason} in {runs}."
        for figure in COLUMNS:
            undefined = ", ".join(
                name
                for name, one in scored.items()
                if not one.missing and figure not in one.figures
            )
            if undefined:
                yield f"{setting.name}: {annotation} {figure} is undefined in {undefined}."


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
