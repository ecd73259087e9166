"""An experiment: several settings, each trained in the same runs, so that they compare in pairs.

A folder with `experiment.toml` (see `experiment_file`) is one. For a run and a setting it holds
`RUN/KEY.json`, what `lvis-merge evaluate --json` printed on federated annotations, and maybe
`RUN/KEY.exhaustive.json`: the same detections scored on images where everything is annotated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from lvis_merge.errors import InputError
from lvis_merge.evaluation.scores import Kind
from lvis_merge.testing.roadmap.evaluation_file import EvaluationFile, read_evaluation
from lvis_merge.testing.roadmap.experiment_file import (
    CONFIG,
    EXHAUSTIVE,
    ExperimentFile,
    Run,
    SettingEntry,
    read_experiment_file,
)
from lvis_merge.testing.roadmap.paired import Difference, difference
from lvis_merge.testing.roadmap.published import STEPS, Step

Annotation = Literal["federated", "exhaustive"]
"""How the images are annotated that a figure is of."""

ANNOTATIONS: tuple[Annotation, ...] = ("federated", "exhaustive")


@dataclass(frozen=True)
class Truth:
    """What detections were scored on.

    Attributes:
        name: of the file or the manifest, without its folder.
        images: how many.
        objects: how many.
    """

    name: str
    images: int
    objects: int


@dataclass(frozen=True)
class Scored:
    """One setting in one run.

    Attributes:
        figures: by column, times 100; without those that are undefined.
        truth: what they are of.
        missing: why there are no figures at all; else empty.
    """

    figures: Mapping[str, float]
    truth: Truth
    missing: str = ""


@dataclass(frozen=True)
class Setting:
    """One setting with its runs.

    Attributes:
        key: names its files.
        name: for people.
        step: the published step that it stands for, if any.
        scored: by kind of annotation, then by run; without runs that have no file.
    """

    key: str
    name: str
    step: Step | None
    scored: Mapping[Annotation, Mapping[str, Scored]]

    def values(self, annotation: Annotation, figure: str) -> dict[str, float]:
        """A figure by run, times 100, as far as it is defined."""
        runs = self.scored[annotation].items()
        return {name: run.figures[figure] for name, run in runs if figure in run.figures}

    def count(self, annotation: Annotation) -> int:
        """Runs with figures."""
        return sum(not run.missing for run in self.scored[annotation].values())


@dataclass(frozen=True)
class Experiment:
    """All settings with all runs.

    Attributes:
        title: for people.
        kind: whether figures are of boxes or of masks.
        runs: in the order of the file.
        settings: likewise.
        comparisons: pairs of settings: what the first brings over the second.
    """

    title: str
    kind: Kind
    runs: tuple[Run, ...]
    settings: tuple[Setting, ...]
    comparisons: tuple[tuple[Setting, Setting], ...]

    def difference(
        self, setting: Setting, over: Setting, annotation: Annotation, figure: str
    ) -> Difference:
        """One setting's figure less another's, by run."""
        group_of = {run.name: run.group for run in self.runs}
        first, second = (one.values(annotation, figure) for one in (setting, over))
        return difference(first, second, group_of)

    def published(self, setting: Setting) -> Mapping[str, float]:
        """Published mask AP by column, times 100; empty for boxes and without a step."""
        return setting.step.published if setting.step and self.kind == "segm" else {}

    def published_gain(self, setting: Setting, over: Setting, figure: str) -> float | None:
        """What the setting's step brought over the other's as published; None if unknown."""
        first, second = self.published(setting), self.published(over)
        if setting.step == over.step or figure not in first or figure not in second:
            return None
        return round(first[figure] - second[figure], 1)  # of figures with one decimal

    def has(self, annotation: Annotation) -> bool:
        """Whether any setting has figures of this kind."""
        return any(setting.count(annotation) for setting in self.settings)


def is_experiment(folder: Path) -> bool:
    """Whether a folder holds an experiment."""
    return _is_there(folder / CONFIG)


def read_experiment(folder: Path, kind: Kind = "segm") -> Experiment:
    """Reads the evaluations of an experiment.

    Args:
        folder: has `experiment.toml`, and a folder for each run.
        kind: figures of boxes or of masks.

    Raises:
        InputError: `experiment.toml` or an evaluation that cannot be used; runs of one group that
            were scored on different ground truths.
    """
    file = read_experiment_file(folder / CONFIG)
    settings = {entry.key: _setting(folder, entry, file.run, kind) for entry in file.setting}
    for annotation in ANNOTATIONS:
        _check_truths(folder, file, settings, annotation)
    comparisons = tuple((settings[one.setting], settings[one.over]) for one in file.comparison)
    return Experiment(file.title, kind, file.run, tuple(settings.values()), comparisons)


def _setting(folder: Path, entry: SettingEntry, runs: tuple[Run, ...], kind: Kind) -> Setting:
    step = next((step for step in STEPS if step.key == entry.step), None)
    scored: dict[Annotation, dict[str, Scored]] = {
        annotation: {
            run.name: _scored(read_evaluation(path), kind)
            for run in runs
            if _is_there(path := _path(folder, run.name, entry.key, annotation))
        }
        for annotation in ANNOTATIONS
    }
    return Setting(entry.key, entry.name, step, scored)


def _path(folder: Path, run: str, key: str, annotation: Annotation) -> Path:
    return folder / run / f"{key}{EXHAUSTIVE if annotation == 'exhaustive' else ''}.json"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _scored(found: EvaluationFile, kind: Kind) -> Scored:
    truth = Truth(PurePath(found.ground_truth).name, found.images, found.objects)
    if (found.bbox if kind == "bbox" else found.segm) is None:
        return Scored({}, truth, "masks only" if kind == "bbox" else "boxes only")
    return Scored(found.points(kind), truth)


def _check_truths(
    folder: Path, file: ExperimentFile, settings: Mapping[str, Setting], annotation: Annotation
) -> None:
    """Runs of a group differ in their seed only, so all are scored on the same."""
    first: dict[str, tuple[Path, Truth]] = {}
    for run, key, truth in _truths(file, settings, annotation):
        path = _path(folder, run.name, key, annotation)
        other, expected = first.setdefault(run.group, (path, truth))
        if truth != expected:
            raise InputError(
                f"{path}: was scored on {_named(truth)}, but {other} on {_named(expected)}. Runs of"
                f" a group, here {run.group!r}, have one {annotation} ground truth: score again, or"
                " put them in groups of their own."
            )


def _truths(
    file: ExperimentFile, settings: Mapping[str, Setting], annotation: Annotation
) -> Iterator[tuple[Run, str, Truth]]:
    for run in file.run:
        for key, setting in settings.items():
            if run.name in setting.scored[annotation]:
                yield run, key, setting.scored[annotation][run.name].truth


def _named(truth: Truth) -> str:
    return f"{truth.name} ({truth.images:,} images, {truth.objects:,} objects)"
