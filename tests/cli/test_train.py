"""`lvis-merge train`: what it prints without training, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.training.recipe import list_recipes
from tests.cli.command import Run
from tests.cli.train_runs import quiet_machine, started, warnings
from tests.manifest.change import change_record
from tests.manifest.other_spaces import coco_small
from tests.manifest.small import small

__all__ = ["quiet_machine", "started"]


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    """Label space lvis, four categories; its images are nowhere."""
    return str(small().write(tmp_path / "manifest"))


def test_list(run: Run) -> None:
    outcome = run("train", "--list")
    assert outcome.code == 0
    for recipe in list_recipes():
        assert recipe.name in outcome.stdout.split()
    listed = json.loads(run("train", "--list", "--json").stdout)
    assert [recipe["name"] for recipe in listed] == [recipe.name for recipe in list_recipes()]
    assert all(recipe["about"] and Path(recipe["path"]).is_file() for recipe in listed)


@pytest.mark.parametrize("option", ["--help", "--list"])
def test_what_needs_no_torch_imports_none(option: str) -> None:
    show = "import sys; from lvis_merge import cli; cli.run(); print(*sys.modules, sep='\\n')"
    arguments = [sys.executable, "-c", show, "train", option]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True)
    imported = set(found.stdout.splitlines())
    assert {"torch", "mmdet", "mmengine"} & imported == set()
    assert option == "--list" or {"numpy", "pyarrow", "msgspec"} & imported == set()


def test_help_has_an_example(run: Run) -> None:
    text = run("train", "--help").stdout
    assert "Example: lvis-merge train mini --manifest" in " ".join(text.split())
    for option in ("--gpus", "--nodes", "--resume", "--set", "--dry-run", "--image-root", "--init"):
        assert option in text


def test_dry_run(run: Run, manifest: str, tmp_path: Path) -> None:
    outcome = run("train", "mini", "--manifest", manifest, "--dry-run", "--seed", "4")
    assert outcome.code == 0
    assert "4 categories" in outcome.stdout
    assert "seed 4" in outcome.stdout
    assert "OneDL" not in outcome.stdout.partition("resolved config")[0]  # what mmdet prints
    assert [path.name for path in tmp_path.iterdir()] == ["manifest"]


@pytest.mark.slow
def test_dry_run_as_json(manifest: str) -> None:
    # a process of its own: mmdet prints while it is imported, and that is once a process
    found = subprocess.run(
        [
            *(sys.executable, "-m", "lvis_merge", "train", "r50_eql_rfs", "--manifest", manifest),
            *("--dry-run", "--json", "--gpus", "8", "--set", "optim_wrapper.optimizer.lr=0.01"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    run = json.loads(found.stdout)  # nothing else on stdout
    # neither eight GPUs nor one are needed
    assert (run["recipe"], run["device"], run["world_size"]) == ("r50_eql_rfs", "cuda", 8)
    assert (run["batch_size"], run["rate"]["base"]) == (2, 0.01)
    assert "Warning" not in found.stderr


def test_another_label_space_is_a_warning_in_a_dry_run(run: Run, tmp_path: Path) -> None:
    manifest = str(coco_small().write(tmp_path / "coco"))
    outcome = run("train", "mini", "--manifest", manifest, "--dry-run", "--json")
    assert outcome.code == 0
    assert "is of label space coco" in warnings(outcome)[0]
    assert json.loads(outcome.stdout)["label_space"] == "coco"
    outcome = run("train", "mini", "--manifest", manifest)
    assert outcome.code == 3
    assert "is of label space coco, and the recipe mini is for lvis" in outcome.error


BAD: list[tuple[str, int, tuple[str, ...], str]] = [
    # what is wrong, exit code, arguments after `train` -> message
    ("unknown recipe", 3, ("minni", "--manifest", "{manifest}"), "Did you mean mini or mini_"),
    ("no such file", 3, ("my/own.py", "--manifest", "{manifest}"), "my/own.py: no such file"),
    ("no manifest", 3, ("mini", "--manifest", "{folder}"), "not a manifest"),
    (
        "no such init",
        3,
        ("mini", "--manifest", "{manifest}", "--init", "no.pth"),
        "--init no.pth: no such file",
    ),
    (
        "no such key",
        3,
        ("mini", "--manifest", "{manifest}", "--dry-run", "--set", "lr=0.1"),
        "Did you mean optim_wrapper.optimizer.lr?",
    ),
    (
        "a broken --set",
        3,
        ("mini", "--manifest", "{manifest}", "--dry-run", "--set", "seed"),
        "--set seed: write key=value",
    ),
    (
        "no GPU",
        3,
        ("r50_bce", "--manifest", "{manifest}", "--image-root", "{folder}"),
        "torch sees none here. `--dry-run` shows what it would do",
    ),
    ("no roots", 3, ("mini", "--manifest", "{manifest}"), "give --image-root DIR"),
    (
        "no images",
        3,
        ("mini", "--manifest", "{manifest}", "--image-root", "{folder}"),
        "images are missing: train2017/",
    ),
    (
        "an indivisible batch",
        3,
        ("mini", "--manifest", "{manifest}", "--dry-run", "--gpus", "3", "--set", "total_batch=8"),
        "total_batch 8 cannot be shared by 3 GPUs",
    ),
    ("no recipe", 2, (), "give a RECIPE and its --manifest DIR"),
    ("no --manifest", 2, ("mini",), "give a RECIPE and its --manifest DIR"),
    ("--json", 2, ("mini", "--manifest", "{manifest}", "--json"), "--json goes with --dry-run"),
    ("nodes", 2, ("mini", "--manifest", "{manifest}", "--nodes", "2"), "--node-rank R"),
    (
        "no such root",
        2,
        ("mini", "--manifest", "{manifest}", "--image-root", "nowhere"),
        "--image-root nowhere: no such folder",
    ),
]


@pytest.mark.parametrize(
    ("code", "arguments", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_input(
    code: int,
    arguments: tuple[str, ...],
    message: str,
    run: Run,
    manifest: str,
    tmp_path: Path,
    started: list[tuple[Any, ...]],
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    given = [word.format(manifest=manifest, folder=folder) for word in arguments]
    outcome = run("train", *given)
    assert (outcome.code, outcome.stdout) == (code, "")
    assert message in outcome.error
    assert started == []
    assert not (tmp_path / "runs").exists()


def test_another_schema_version(run: Run, manifest: str) -> None:
    change_record(Path(manifest), schema_version=2)
    outcome = run("train", "mini", "--manifest", manifest)
    assert outcome.code == 3
    assert "schema version 2" in outcome.error


def test_a_fault_in_a_recipe_of_ones_own(run: Run, manifest: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("_base_ = './mini.py'\ntotal_batch = batches * 2\n")
    outcome = run("train", "own.py", "--manifest", manifest, "--dry-run")
    assert outcome.code == 3
    expected = f"{tmp_path / 'own.py'}, line 2: NameError: name 'batches' is not defined"
    assert outcome.error.startswith(expected)


def test_the_stack_is_missing(run: Run, manifest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lvis_merge.training.recipe import stack

    def lacking(name: str) -> None:
        if name == "mmcv._ext":
            raise ModuleNotFoundError("No module named 'mmcv._ext'")

    monkeypatch.setattr(stack.importlib, "import_module", lacking)
    outcome = run("train", "mini", "--manifest", manifest, "--dry-run")
    assert outcome.code == 3
    assert outcome.error == (
        "Training needs torch and mmdet with mmcv's compiled ops, and No module named 'mmcv._ext'."
        " Run: lvis-merge setup-training"
    )
