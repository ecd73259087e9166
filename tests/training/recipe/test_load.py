"""Recipes by name and by path, their bases, and what is wrong with them in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.training.recipe import load, load_recipe, names
from lvis_merge.training.recipe.names import find_recipe, list_recipes


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Package recipes: `small` and `large` over one base."""
    folder = tmp_path / "package" / "recipes"
    (folder / "_base_" / "models").mkdir(parents=True)
    (folder / "_base_" / "runtime.py").write_text(
        "seed = 0\nmodel = dict(depth=50, deep=dict(x=1))\n"
    )
    (folder / "_base_" / "models" / "wide.py").write_text(
        "_base_ = ['../runtime.py']\nwide = True\n"
    )
    (folder / "small.py").write_text("# A small one.\n# More.\n_base_ = ['_base_/runtime.py']\n")
    (folder / "large.py").write_text("_base_ = ['./small.py']\nmodel = dict(depth=101)\n")
    monkeypatch.setattr(names, "recipes_dir", lambda: folder)
    monkeypatch.setattr(load, "recipes_dir", lambda: folder)
    return folder


def test_the_list_has_each_with_its_first_comment(package: Path) -> None:
    listed = [(recipe.name, recipe.about) for recipe in list_recipes()]
    assert listed == [("large", ""), ("small", "A small one.")]


def test_by_name_with_its_bases(package: Path) -> None:
    config = load_recipe("large")
    assert config.to_dict() == {"seed": 0, "model": {"depth": 101, "deep": {"x": 1}}}
    assert Path(config.filename) == package / "large.py"


def test_a_name_goes_before_a_file_of_that_name(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").write_text("")
    assert find_recipe("small") == package / "small.py"


COPIES = {
    # the recipe's own relative bases, none of them beside the copy
    "_base_ = ['_base_/runtime.py']\nseed = 3\n": {"seed": 3},
    "_base_ = ['./large.py']\nseed = 3\n": {"seed": 3},
    # a base whose own base is beside it
    "_base_ = ['_base_/models/wide.py']\nseed = 3\n": {"seed": 3, "wide": True},
}


@pytest.mark.parametrize("text", COPIES)
def test_a_copied_recipe_finds_its_bases(text: str, package: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mine" / "copy.py"
    copy.parent.mkdir()
    copy.write_text(text)
    config = load_recipe(str(copy)).to_dict()
    depth = config.pop("model")["depth"]
    assert config == COPIES[text]
    assert depth == (101 if "large" in text else 50)


def test_a_copied_base_beside_it_goes_first(package: Path, tmp_path: Path) -> None:
    (tmp_path / "_base_").mkdir()
    (tmp_path / "_base_" / "runtime.py").write_text("seed = 9\n")
    copy = tmp_path / "copy.py"
    copy.write_text("_base_ = ['_base_/runtime.py']\n")
    assert load_recipe(str(copy)).to_dict() == {"seed": 9}


UNKNOWN = {
    # a slip, a part of a name, and neither
    "smal": "smal: no such recipe. Did you mean small?",
    "arg": "arg: no such recipe. Did you mean large?",
    "zebra": "zebra: no such recipe. `lvis-merge train --list` shows them all",
    "no/such.py": "no/such.py: no such file",
    "no.py": "no.py: no such file",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown(name: str, package: Path) -> None:
    with pytest.raises(InputError) as error:
        load_recipe(name)
    assert str(error.value).startswith(UNKNOWN[name])


FAULTS = {
    # Python that is none
    "a = 1\nb = dict(\n": "{file}, line 2: '(' was never closed. Correct the recipe.",
    # Python that fails
    "a = 1\n\nb = undefined + 1\n": "{file}, line 3: NameError: name 'undefined' is not defined.",
    "def f():\n    return 1 / 0\n\n\na = f()\n": "{file}, line 2: ZeroDivisionError: division by",
    # a base that is nowhere
    "_base_ = ['_base_/runtme.py']\n": "{file}: its base _base_/runtme.py is neither beside it",
    # a number over a base's dict
    "_base_ = ['_base_/runtime.py']\nseed = dict(a=1)\n": "{file}: TypeError: seed=",
    # two bases that set the same
    "_base_ = ['small.py', '_base_/runtime.py']\n": "{file}: KeyError: Duplicate key",
    # the config of a run: its steps are batches already
    "recipe = 'large'\n": "{file}: is the resolved config of a run (recipe is set), not a recipe.",
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_name_file_and_line(text: str, package: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        load_recipe(str(file))
    assert str(error.value).startswith(FAULTS[text].format(file=file))


def test_a_fault_in_a_base_names_the_base(package: Path) -> None:
    base = package / "_base_" / "runtime.py"
    base.write_text("seed = 0\nmodel = dict(\n")
    with pytest.raises(InputError) as error:
        load_recipe("large")
    assert str(error.value).startswith(f"{base}, line 2: ")
    base.write_text("seed = 0\nmodel = unknown\n")
    with pytest.raises(InputError) as error:
        load_recipe("large")
    assert str(error.value).startswith(f"{base}, line 2: NameError")


def test_no_python_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.txt"
    file.write_text("a = 1")
    with pytest.raises(InputError, match="a recipe is a Python file"):
        load_recipe(str(file))
    binary = tmp_path / "binary.py"
    binary.write_bytes(b"\x00\xff")
    with pytest.raises(InputError, match=r"binary\.py"):
        load_recipe(str(binary))


def test_mmengine_is_left_as_it_was(package: Path) -> None:
    from mmengine.config import Config

    before = Config._get_cfg_path
    load_recipe("large")
    with pytest.raises(InputError):
        load_recipe("zebra")
    assert Config._get_cfg_path is before
