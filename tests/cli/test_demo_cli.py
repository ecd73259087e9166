"""`lvis-merge demo`: one command from nothing to a valid manifest, and again over it."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from lvis_merge import demo
from tests.cli.command import Run
from tests.demo.conftest import SMALL

# every rule of the contract but `option`, which the demo's options leave without work
RULES = {
    "not_on_an_lvis_image", "holdout", "excluded", "rotation", "id_collision", "not_a_candidate",
    "not_selected",
}  # fmt: skip


@pytest.mark.slow
def test_the_whole_demo_and_a_second_one_over_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "demo"
    command = [sys.executable, "-m", "lvis_merge", "demo", "--out", str(out)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout.endswith(f"{out}: valid (0 warnings)\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "demo_world"]

    record = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    kinds = [kind for kinds in record["counts"].values() for kind in kinds.values()]
    assert {rule for kind in kinds for rule in kind["dropped"]} == RULES
    assert {name for name, kinds in record["counts"].items() if kinds} == {
        "lvis", "coco", "open_images",
    }  # fmt: skip
    assert sum(kind["rejected"] for kind in kinds) > 0
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/") >= 4
    assert run("validate", str(out)).code == 0

    # the second world is a small one, to save time
    monkeypatch.setattr(demo, "draw_world", partial(demo.draw_world, size=SMALL))
    again = run("demo", "--out", str(out), "--seed", "1")
    assert (again.code, again.error) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "demo_world"]
    second = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert second["seed"] == 1
    assert second["rows"]["images"]["total"] < record["rows"]["images"]["total"]
    # the report shows pictures of the world that was drawn last
    assert (out / "report.html").read_text(encoding="utf-8") != report


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "{}/mine"), "{}/mine: there is a folder that is not a manifest, and it is left"),
        (("--out", "{}/mine/a.txt"), "{}/mine/a.txt: there is a file, and it is left alone."),
        (
            ("--out", "{}/new", "--draw-in", "{}/mine"),
            "{}/mine: holds files that no demo world wrote, and they are left alone.",
        ),
    ],
)
def test_the_demo_leaves_a_users_files_alone(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.txt").write_text("mine")
    found = run("demo", *(part.replace("{}", str(tmp_path)) for part in arguments))
    assert found.code == 3
    assert found.error.startswith(message.replace("{}", str(tmp_path)))
    assert (tmp_path / "mine/a.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


def test_a_wrong_seed_ends_with_2(run: Run) -> None:
    assert run("demo", "--seed", "first").code == 2
