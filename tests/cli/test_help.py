"""Help texts: there for every command, with an example, and quick to come."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lvis_merge import __version__
from tests.cli.command import Run

COMMANDS = (
    ("build",), ("demo",), ("experts",), ("ensemble",), ("submit",), ("roadmap",),
    ("validate",), ("stats",), ("map", "check"), ("map", "suggest"),
    ("setup-training",), ("train",), ("test",), ("evaluate",), ("export",), ("diff",),
    ("inspect",), ("curate",), ("fetch",), ("fetch", "annotations"),
)  # fmt: skip
# names that users' scripts rely on
BUILD_OPTIONS = {
    "--lvis", "--lvis-val", "--lvis-test", "--coco", "--openimages", "--mapping", "--coco-mapping",
    "--images", "--selection", "--candidates", "--openimages-images", "--openimages-sizes",
    "--openimages-exclude", "--coco-boxes", "--unmapped", "--holdout", "--label-space",
    "--corrections", "--extra", "--extra-exhaustive", "--max-rejects", "--strict", "--seed",
    "--threads", "--out", "--overwrite", "--engine", "--ray-address", "--json",
}  # fmt: skip
HEAVY = {
    "torch", "fiftyone", "mmdet", "pandas", "daft", "pyarrow", "numpy", "PIL", "pycocotools",
    "jinja2", "msgspec", "obstore", "ray", "rich.progress",
}  # fmt: skip
SHOW_IMPORTS = "import sys; from lvis_merge import cli; cli.run(); print(*sys.modules, sep='\\n')"


def words(text: str) -> set[str]:
    return set(text.replace("│", " ").replace(",", " ").split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...], run: Run) -> None:
    found = run(*command, "--help")
    assert (found.code, found.stderr) == (0, "")
    assert f"Example: lvis-merge {' '.join(command)} " in " ".join(found.stdout.split())


def test_build_has_the_promised_options(run: Run) -> None:
    shown = {word for word in words(run("build", "--help").stdout) if word.startswith("--")}
    assert shown - {"--help"} == BUILD_OPTIONS


@pytest.mark.parametrize("command", ["validate", "stats", "diff", "export"])
def test_commands_that_answer_something_have_json(command: str, run: Run) -> None:
    assert "--json" in words(run(command, "--help").stdout)


def test_the_top_lists_every_command(run: Run) -> None:
    found = run("--help")
    assert found.code == 0
    assert {command[0] for command in COMMANDS} <= words(found.stdout)


def test_the_version(run: Run) -> None:
    found = run("--version")
    assert (found.code, found.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "Usage: "), (("nope",), "No such command 'nope'"), (("map", "nope"), "No such command")],
)
def test_no_or_an_unknown_command_ends_with_2(
    arguments: tuple[str, ...], message: str, run: Run
) -> None:
    found = run(*arguments)
    assert found.code == 2
    assert message in found.stdout + found.stderr


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_help_imports_nothing_heavy(command: tuple[str, ...]) -> None:
    arguments = [sys.executable, "-c", SHOW_IMPORTS, *command, "--help"]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert HEAVY & set(found.stdout.splitlines()) == set()
    assert "typer" in found.stdout.splitlines()
