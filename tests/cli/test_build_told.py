"""`lvis-merge build`: what the user is told, on which stream."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import Run
from tests.cli.small_inputs import HELD_OUT_CSV, LABELS, LIST, MAP, SIZES, TRAIN, Inputs


def test_with_json_nothing_else_is_on_stdout(run: Run, inputs: Inputs) -> None:
    out = str(inputs.path("out"))
    found = run("build", *inputs.everything(), "--out", out, "--json")
    printed = json.loads(found.stdout)
    assert printed["manifest"] == out
    assert printed["counts"]["lvis"]["image"] == {
        "in": 6, "kept": 6, "dropped": {}, "rejected": 0,
    }  # fmt: skip
    assert printed["rows"]["annotations"]["total"] == 17
    assert "LVIS train: " in found.stderr


def test_the_summary_is_on_stdout_and_progress_on_stderr(run: Run, inputs: Inputs) -> None:
    # a name that a terminal's mark-up language would take for a tag
    out = inputs.path("a[/b]")
    found = run("build", *inputs.everything(), "--out", str(out))
    assert found.code == 0
    lines = found.stdout.splitlines()
    assert lines[0].strip() == str(out)
    assert lines[-1] == (
        f"Next: lvis-merge validate {out}; open {out / 'report.html'} in a browser."
    )
    assert "LVIS train" not in found.stdout
    assert "LVIS train" in found.stderr


@pytest.mark.parametrize(
    ("spoil", "options", "note"),
    [
        (
            lambda i: None,
            Inputs.lvis,
            "leakage was not checked: no --lvis-val, --lvis-test or --holdout file was given",
        ),
        (
            lambda i: i.path(LABELS).unlink(),
            Inputs.everything,
            "Open Images: no verified image labels: nothing is known to be absent",
        ),
        (
            lambda i: None,
            lambda i: [*i.lvis(), *i.option("--lvis-val", TRAIN)],
            "every LVIS train image is held out: check --lvis-val, --lvis-test, --holdout",
        ),
        (
            lambda i: i.replace("coco_map.csv", "18,dog", "18,hound"),
            Inputs.everything,
            "coco_map.csv: 1 classes have other names in the file (row 1: 18 is hound here and dog"
            " there); the ids decide, so check that they mean the same",
        ),
        (
            lambda i: None,
            lambda i: [*i.lvis(), *i.option("--mapping", MAP)],
            "--mapping has no effect without --openimages",
        ),
        (
            lambda i: None,
            lambda i: [*i.lvis(), *i.option("--openimages-sizes", SIZES)],
            "--openimages-sizes has no effect without --openimages",
        ),
        (
            lambda i: i.replace(HELD_OUT_CSV, "901", "11"),
            Inputs.everything,
            "20,000 Open Images images asked for, 4 are candidates",
        ),
    ],
)
def test_what_a_user_should_know_is_noted(
    spoil, options, note: str, run: Run, inputs: Inputs
) -> None:
    spoil(inputs)
    found = run("build", *options(inputs), "--out", str(inputs.path("out")))
    assert found.code == 0
    assert note in found.notes


def test_a_message_cannot_steer_the_terminal(run: Run, inputs: Inputs) -> None:
    inputs.write(LIST, "Image\x1b[2JID,Subset\n")
    found = run("build", *inputs.everything(), "--out", str(inputs.path("out")))
    assert found.code == 3
    assert "\x1b" not in found.stderr
    assert "Image\\x1b[2JID" in found.error
