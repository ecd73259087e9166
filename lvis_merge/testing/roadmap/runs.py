"""Finds and reads the evaluations of a set of runs.

A folder holds, for a step of the road map, `STEP.json` or `STEP/evaluation.json`: what
`lvis-merge evaluate --json` printed. `roadmap.toml` in it names files that lie elsewhere, and holds
the test server's figures:

    [runs]
    challenge_baseline = "../work_dirs/baseline/evaluation.json"

    [[test]]
    name = "ours"
    AP = 28.0
    AP_r = 16.0
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.testing.roadmap.evaluation_file import read_evaluation
from lvis_merge.testing.roadmap.published import COLUMNS, STEPS, TEST, Step
from lvis_merge.testing.roadmap.toml_file import read_toml

CONFIG = "roadmap.toml"
EVALUATION = "evaluation.json"

_Points = Annotated[float, msgspec.Meta(ge=0, le=100)]


@dataclass(frozen=True)
class RunRow:
    """One step of the road map with its run, if there is one.

    Attributes:
        step: the step.
        figures: mask AP of the run by column, times 100; without those that are undefined.
        missing: why there are no figures; else empty.
        ground_truth: what the run was scored on; empty without a run.
        images: how many those are.
    """

    step: Step
    figures: dict[str, float]
    missing: str = ""
    ground_truth: str = ""
    images: int = 0


@dataclass(frozen=True)
class TestRow:
    """Figures of the test server.

    Attributes:
        name: whose.
        figures: mask AP by column, times 100.
    """

    name: str
    figures: dict[str, float]


@dataclass(frozen=True)
class Roadmap:
    """Both tables."""

    rows: tuple[RunRow, ...]
    test: tuple[TestRow, ...]


class _Test(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    AP: _Points
    AP_r: _Points | None = None
    AP_c: _Points | None = None
    AP_f: _Points | None = None


class _Config(msgspec.Struct, forbid_unknown_fields=True):
    runs: dict[str, str] = {}
    test: list[_Test] = []


def read_roadmap(folder: Path) -> Roadmap:
    """Reads the runs of a folder.

    Raises:
        InputError: no such folder; an evaluation or `roadmap.toml` that cannot be used.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Give the one with the runs' evaluations.")
    config = _config(folder / CONFIG)
    rows = tuple(_row(step, _file(folder, step.key, config.runs)) for step in STEPS)
    published = [TestRow(name, figures) for name, figures in TEST.items()]
    typed = [TestRow(test.name, _points(msgspec.to_builtins(test))) for test in config.test]
    return Roadmap(rows, (*published, *typed))


def _config(path: Path) -> _Config:
    try:
        config = msgspec.convert(read_toml(path) if path.exists() else {}, _Config)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise InputError(
            f"{path}: {error}. It has a table [runs] with a file for each step, and [[test]] with"
            " name, AP and, maybe, AP_r, AP_c and AP_f, from 0 to 100."
        ) from error
    steps = [step.key for step in STEPS]
    if unknown := sorted(config.runs.keys() - set(steps)):
        raise InputError(
            f"{path}: [runs] has no step {', '.join(unknown)}. Steps are {', '.join(steps)}."
        )
    return config


def _file(folder: Path, key: str, named: dict[str, str]) -> Path | None:
    """The evaluation of a step; one that `roadmap.toml` names has to be there."""
    if key in named:
        return folder / named[key]
    for path in (folder / f"{key}.json", folder / key / EVALUATION):
        if path.is_file():
            return path
    return None


def _row(step: Step, path: Path | None) -> RunRow:
    if path is None:
        return RunRow(step, {}, "no run")
    found = read_evaluation(path)
    if found.segm is None:
        return RunRow(step, {}, "boxes only", found.ground_truth, found.images)
    return RunRow(step, found.points("segm"), "", found.ground_truth, found.images)


def _points(plain: dict[str, Any]) -> dict[str, float]:
    return {name: plain[name] for name in COLUMNS if plain[name] is not None}
