"""`experiment.toml`: what it may say, and what it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.testing.roadmap.experiment_file import Comparison, read_experiment_file

RUN = '[[run]]\nname = "r0"\ngroup = "g"\n'
SETTINGS = '[[setting]]\nkey = "a"\nname = "A"\n[[setting]]\nkey = "b"\nname = "B"\n'
COMPARISON = '[[comparison]]\nsetting = "b"\nover = "a"\n'


def test_the_least_there_can_be(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(RUN + SETTINGS)
    found = read_experiment_file(path)
    assert (found.title, found.comparison) == ("Experiment", ())
    assert [(setting.key, setting.name, setting.step) for setting in found.setting] == [
        ("a", "A", None),
        ("b", "B", None),
    ]
    path.write_text(RUN + SETTINGS + COMPARISON)
    assert read_experiment_file(path).comparison == (Comparison("b", "a"),)


BAD = {
    "not TOML": ("[[run", "Expected ']]'"),
    "empty": ("", "Object missing required field `run`"),
    "no setting": (RUN, "Object missing required field `setting`"),
    "no run in a list": (f"run = []\n{SETTINGS}", "Expected `array` of length >= 1 - at `$.run`"),
    "unknown key": (f"titel = 'x'\n{RUN}{SETTINGS}", "Object contains unknown field `titel`"),
    "unknown key of a run": (
        f"{RUN}seed = 1\n{SETTINGS}",
        "Object contains unknown field `seed` - at `$.run[0]`",
    ),
    "unknown key of a comparison": (
        f'{RUN}{SETTINGS}{COMPARISON}published_over = "a"',
        "Object contains unknown field `published_over` - at `$.comparison[0]`",
    ),
    "no group": (f'[[run]]\nname = "r"\n{SETTINGS}', "Object missing required field `group`"),
    "an empty name": (RUN.replace("r0", "") + SETTINGS, "Expected `str` of length >= 1"),
    "a number": (RUN.replace('"r0"', "0") + SETTINGS, "Expected `str`, got `int`"),
    "a run twice": (RUN + RUN + SETTINGS, "run name 'r0' is there twice. Give each its own."),
    "a key twice": (
        RUN + SETTINGS.replace('"b"', '"a"'),
        "setting key 'a' is there twice. Give each its own.",
    ),
    "a name twice": (
        RUN + SETTINGS.replace('"B"', '"A"'),
        "setting name 'A' is there twice. Give each its own.",
    ),
    "a run above": (RUN.replace("r0", "..") + SETTINGS, "run name '..' is no name of a file in th"),
    "a run elsewhere": (RUN.replace("r0", "../x") + SETTINGS, "run name '../x' is no name of a fi"),
    "a run here": (RUN.replace("r0", ".") + SETTINGS, "run name '.' is no name of a file in this"),
    "an absolute key": (RUN + SETTINGS.replace('"b"', '"/b"'), "setting key '/b' is no name of a"),
    "a backslash": (RUN.replace("r0", "a\\\\b") + SETTINGS, "run name 'a\\\\b' is no name of a "),
    "a zero byte": (RUN.replace("r0", "a\\u0000") + SETTINGS, "run name 'a\\x00' is no name of a"),
    "a key like an exhaustive file": (
        RUN + SETTINGS.replace('"b"', '"a.exhaustive"'),
        "setting key 'a.exhaustive' ends with .exhaustive, as files of exhaustive figures do.",
    ),
    "an unknown step": (
        f'{RUN}{SETTINGS}step = "se154"',
        "there is no step 'se154'. Steps are challenge_baseline, challenge_senet154,",
    ),
    "an unknown setting": (
        RUN + SETTINGS + COMPARISON.replace('"b"', '"c"'),
        "a comparison has the unknown setting 'c'. Keys are a, b.",
    ),
    "an unknown setting compared with": (
        RUN + SETTINGS + COMPARISON.replace('"a"', '"c"'),
        "a comparison has the unknown setting 'c'. Keys are a, b.",
    ),
    "over itself": (
        RUN + SETTINGS + COMPARISON.replace('"b"', '"a"'),
        "a comparison has 'a' over itself. Give two settings.",
    ),
    "a comparison twice": (
        RUN + SETTINGS + COMPARISON + COMPARISON,
        "the comparison of 'b' over 'a' is there twice. Remove one.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_cannot_be_used(case: str, tmp_path: Path) -> None:
    text, message = BAD[case]
    path = tmp_path / "experiment.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_experiment_file(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "experiment.toml").mkdir()
    with pytest.raises(InputError, match=r"experiment.toml: cannot be read \("):
        read_experiment_file(tmp_path / "experiment.toml")
    (tmp_path / "latin").write_bytes(b'title = "\xe9"')
    with pytest.raises(InputError, match=r"latin: cannot be read \("):
        read_experiment_file(tmp_path / "latin")
