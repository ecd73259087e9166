"""Killed at any step, an export is absent or complete; the next run succeeds and tidies up."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from lvis_merge.export.options import Format
from tests.export.conftest import Drawn
from tests.export.exporting import contents, export_to
from tests.pipeline.killing import exit_code

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("form", [Format.coco, Format.huggingface, Format.fiftyone])
def test_an_export_killed_at_any_step_leaves_no_half_of_one(
    drawn: Drawn, tmp_path: Path, form: Format
) -> None:
    """Before each file or folder that it makes, renames or removes."""
    export_to(drawn.manifest, tmp_path / "whole" / "e", form)  # FiftyOne's has the folder's name
    whole = contents(tmp_path / "whole" / "e")

    def kill(step: int) -> Path:
        folder = tmp_path / str(step)
        folder.mkdir()
        arguments = [str(drawn.manifest.path), "--format", form, "--out", str(folder / "e")]
        code = exit_code(["export", *arguments], folder, step, tmp_path / f"{step}.log")
        assert code == (-signal.SIGKILL if step else 0)
        return folder

    assert contents(kill(0) / "e") == whole
    steps = (tmp_path / "0.log").read_text().splitlines()
    rename = next(place for place, line in enumerate(steps, 1) if line.startswith("os.rename"))
    for step in range(1, len(steps) + 1):
        folder = kill(step)
        assert (folder / "e").exists() == (step > rename), steps[step - 1]
        if step > rename:
            assert contents(folder / "e") == whole
        else:
            export_to(drawn.manifest, folder / "e", form)
            assert contents(folder) == {f"e/{name}": content for name, content in whole.items()}
