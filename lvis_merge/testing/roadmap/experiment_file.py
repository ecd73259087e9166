"""What `experiment.toml` says: runs, settings, and which settings to compare.

title = "Road map on a CPU"

[[run]]
name = "draw0_seed0"          # a folder beside this file
group = "draw 0"              # runs of a group share what they were trained on

[[setting]]
key = "rfs"                   # RUN/rfs.json, and RUN/rfs.exhaustive.json if there is one
name = "BCE + RFS"

[[setting]]
key = "eql_rfs"
name = "EQL + RFS"
step = "challenge_baseline"   # the published step that it stands for

[[comparison]]
setting = "eql_rfs"
over = "rfs"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.testing.roadmap.published import STEPS
from lvis_merge.testing.roadmap.toml_file import read_toml

CONFIG = "experiment.toml"
EXHAUSTIVE = ".exhaustive"
"""What the file of a setting's exhaustive figures has between its key and `.json`."""

_Words = Annotated[str, msgspec.Meta(min_length=1)]


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of the settings, all on the same data from the same seed.

    Attributes:
        name: of its folder.
        group: runs of a group share what they were trained on.
    """

    name: _Words
    group: _Words


class SettingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One setting.

    Attributes:
        key: names its files.
        name: for people.
        step: the published step that it stands for, if any.
    """

    key: _Words
    name: _Words
    step: str | None = None


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two settings by key: what the first brings over the second."""

    setting: str
    over: str


class ExperimentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `experiment.toml`."""

    run: Annotated[tuple[Run, ...], msgspec.Meta(min_length=1)]
    setting: Annotated[tuple[SettingEntry, ...], msgspec.Meta(min_length=1)]
    comparison: tuple[Comparison, ...] = ()
    title: _Words = "Experiment"


def read_experiment_file(path: Path) -> ExperimentFile:
    """Reads `experiment.toml` and checks that it makes sense.

    Raises:
        InputError: it cannot be read; an unknown field; a name twice, or one that is no file name;
            a step or a setting that there is not.
    """
    try:
        found = msgspec.convert(read_toml(path), ExperimentFile)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise InputError(
            f"{path}: {error}. It has [[run]] with name and group, [[setting]] with key, name and,"
            " maybe, step, [[comparison]] with setting and over, and, maybe, a title."
        ) from error
    fault = next(_faults(found), None)
    if fault:
        raise InputError(f"{path}: {fault}")
    return found


def _faults(found: ExperimentFile) -> Iterator[str]:
    keys = [setting.key for setting in found.setting]
    steps = [step.key for step in STEPS]
    names = {
        "run name": [run.name for run in found.run],
        "setting key": keys,
        "setting name": [setting.name for setting in found.setting],
    }
    for what, values in names.items():
        for value in (value for value, count in Counter(values).items() if count > 1):
            yield f"{what} {value!r} is there twice. Give each its own."
    for what in ("run name", "setting key"):
        for value in names[what]:
            if value in (".", "..") or set(value) & set("/\\\0"):
                yield f"{what} {value!r} is no name of a file in this folder. Leave out / and \\."
    for key in keys:
        if key.endswith(EXHAUSTIVE):
            yield (
                f"setting key {key!r} ends with {EXHAUSTIVE}, as files of exhaustive figures do."
                " Choose another."
            )
    for setting in found.setting:
        if setting.step not in (None, *steps):
            yield f"there is no step {setting.step!r}. Steps are {', '.join(steps)}."
    for one in found.comparison:
        for key in (one.setting, one.over):
            if key not in keys:
                yield f"a comparison has the unknown setting {key!r}. Keys are {', '.join(keys)}."
        if one.setting == one.over:
            yield f"a comparison has {one.over!r} over itself. Give two settings."
    for one in (one for one, count in Counter(found.comparison).items() if count > 1):
        yield f"the comparison of {one.setting!r} over {one.over!r} is there twice. Remove one."
