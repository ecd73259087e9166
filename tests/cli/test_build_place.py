"""`lvis-merge build --out`: what is there already is safe, and a bad place is told at once."""

from __future__ import annotations

import os

import pyarrow.parquet as pq
import pytest

from tests.cli.command import Run
from tests.cli.small_inputs import SIZES, TRAIN, Inputs


def test_a_folder_that_is_no_manifest_is_never_touched(run: Run, inputs: Inputs) -> None:
    place = inputs.path("pictures")
    before = sorted(place.rglob("*"))
    for more in ((), ("--overwrite",)):
        found = run("build", *inputs.lvis(), "--out", str(place), *more)
        assert (found.code, found.error) == (
            3,
            f"{place}: there is a folder that is not a manifest, and it is left alone."
            " Give another --out.",
        )
    assert sorted(place.rglob("*")) == before


def test_a_foreign_manifest_json_makes_no_manifest(run: Run, inputs: Inputs) -> None:
    """Web apps have a manifest.json too."""
    inputs.path("app").mkdir()
    inputs.write("app/manifest.json", '{"name": "app"}')
    found = run("build", *inputs.lvis(), "--out", str(inputs.path("app")), "--overwrite")
    assert found.code == 3
    assert inputs.text("app/manifest.json") == '{"name": "app"}'


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (SIZES, "{}: there is a file, and it is left alone. Give another --out."),
        (f"{SIZES}/below", "{}: cannot write in {folder}/sizes.csv. Give another --out."),
        ("n" * 240, "{}: its name is longer than 238 bytes. Give another --out."),
        ("d/" * 3000, "{}: File name too long. Check the path, who may write there, and the space"),
        ("circle", "{}: is a symbolic link in a circle. Give another --out."),
    ],
    ids=["a-file", "below-a-file", "long-name", "long-path", "circle"],
)
def test_a_place_that_cannot_be_written_is_told_before_any_work(
    place: str, message: str, run: Run, inputs: Inputs
) -> None:
    inputs.path("circle").symlink_to("circle")
    out = str(inputs.path(place))
    found = run("build", *inputs.lvis(), "--out", out)
    assert found.code == 3
    assert found.error.startswith(message.replace("{}", out).format(folder=inputs.folder))
    assert "LVIS train" not in found.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_parent_without_write_permission_is_told(run: Run, inputs: Inputs) -> None:
    inputs.path("locked").mkdir(mode=0o500)
    found = run("build", *inputs.lvis(), "--out", str(inputs.path("locked/out")))
    assert found.code == 3
    assert "cannot write in" in found.error


def test_a_manifest_is_replaced_only_with_overwrite(run: Run, inputs: Inputs) -> None:
    out = inputs.path("deep/er/out")
    assert run("build", *inputs.lvis(), "--out", str(out)).code == 0
    found = run("build", *inputs.lvis(), *inputs.coco(), "--out", str(out))
    assert (found.code, found.error) == (
        3,
        f"{out}: there is a manifest already. Add --overwrite to replace it, or give another"
        " --out.",
    )
    assert len(pq.read_table(out / "annotations.parquet")) == 6
    again = run("build", *inputs.lvis(), *inputs.coco(), "--out", str(out), "--overwrite")
    assert again.code == 0
    assert len(pq.read_table(out / "annotations.parquet")) == 9
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_build_that_fails_leaves_the_old_manifest(run: Run, inputs: Inputs) -> None:
    out = inputs.path("out")
    assert run("build", *inputs.lvis(), "--out", str(out)).code == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    inputs.cut(TRAIN)
    assert run("build", *inputs.lvis(), "--out", str(out), "--overwrite").code == 3
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
