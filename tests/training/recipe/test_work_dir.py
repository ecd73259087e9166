"""Which folders a run takes, and what it notes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.training.recipe.work_dir import check_work_dir, note_run
from tests.training.recipe.configs import small_config

TAKEN: list[tuple[str, tuple[str, ...] | None, bool, bool]] = [
    # files in it (None: no folder), --resume -> whether there is something to resume
    ("no folder", None, False, False),
    ("no folder, --resume", None, True, False),
    ("an empty folder", (), False, False),
    # killed before its first checkpoint: the same command starts clean
    ("begun, no checkpoint", ("command.txt", "config.py"), False, False),
    ("begun, no checkpoint, --resume", ("command.txt", "config.py"), True, False),
    ("a checkpoint", ("command.txt", "last_checkpoint", "iter_9.pth"), True, True),
    # killed between a checkpoint and the note of it
    ("a checkpoint not noted", ("command.txt", "iter_9.pth"), True, True),
    # trained from Python, without the command
    ("no command", ("last_checkpoint", "iter_9.pth"), True, True),
]


def folder_with(tmp_path: Path, files: tuple[str, ...] | None) -> Path:
    folder = tmp_path / "run"
    if files is not None:
        folder.mkdir()
        for name in files:
            (folder / name).write_text("")
    return folder


@pytest.mark.parametrize(
    ("files", "resume", "goes_on"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN]
)
def test_taken(files: tuple[str, ...] | None, resume: bool, goes_on: bool, tmp_path: Path) -> None:
    assert check_work_dir(folder_with(tmp_path, files), resume=resume) is goes_on


REFUSED: list[tuple[tuple[str, ...], bool, str]] = [
    (("command.txt", "last_checkpoint"), False, "holds a run with checkpoints. Carry it on with"),
    (("command.txt", "iter_100.pth"), False, "--resume, or give another --work-dir"),
    # somebody's home
    (("thesis.tex",), False, "is not empty, and no folder of `lvis-merge train`"),
    (("thesis.tex",), True, "is not empty, and no folder of `lvis-merge train`"),
]


@pytest.mark.parametrize(("files", "resume", "message"), REFUSED)
def test_refused(files: tuple[str, ...], resume: bool, message: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, files)
    with pytest.raises(InputError) as error:
        check_work_dir(folder, resume=resume)
    assert str(error.value).startswith(f"{folder}: ")
    assert message in str(error.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="is a file"):
        check_work_dir(tmp_path / "run", resume=False)


def test_the_notes(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "mini"
    note_run(folder, small_config(), ["train", "mini", "--set", "a=[1, 2]"], resumed=False)
    assert (folder / "command.txt").read_text() == "lvis-merge train mini --set 'a=[1, 2]'\n"
    config = (folder / "config.py").read_text()
    assert "total_batch = 4" in config
    # each start has its line; the config is that of the first
    note_run(folder, small_config(total_batch=8), ["train", "mini", "--resume"], resumed=True)
    assert (folder / "command.txt").read_text().splitlines()[1] == "lvis-merge train mini --resume"
    assert (folder / "config.py").read_text() == config
    # a clean start writes both anew
    note_run(folder, small_config(total_batch=8), ["train", "mini"], resumed=False)
    assert (folder / "command.txt").read_text() == "lvis-merge train mini\n"
    assert "total_batch = 8" in (folder / "config.py").read_text()


def test_notes_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        note_run(tmp_path / "file" / "run", small_config(), ["train"], resumed=False)
