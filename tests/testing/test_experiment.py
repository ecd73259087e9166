"""An experiment: what is read of it, what is tabled and written, and what cannot be used."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from statistics import fmean

import pytest
from rich.console import Console

from lvis_merge.errors import InputError
from lvis_merge.testing.roadmap import experiment_notes, experiment_tables, experiment_writing
from lvis_merge.testing.roadmap.experiment import is_experiment, read_experiment
from tests.testing.experiments import evaluation, write, write_experiment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_experiment(tmp_path)


def printed(folder: Path, width: int = 100) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as capture:
        experiment_tables.print_experiment(read_experiment(folder), console)
    return capture.get().splitlines()


def words(lines: list[str]) -> set[str]:
    return {" ".join(line.split()) for line in lines}


def test_a_folder_is_one_by_its_file(folder: Path) -> None:
    assert is_experiment(folder)
    assert not is_experiment(folder / "d1")
    assert not is_experiment(folder / "none")


def test_the_tables_are_known(folder: Path) -> None:
    lines = words(printed(folder))
    for line in (
        "Road map on a CPU: mask AP × 100, mean ± sd over n runs",
        "BCE + RFS 4 21.5 ± 1.3 10.5 ± 1.3 21.5 ± 1.3 50.0 ± 0.0 (30.1) (19.3)",
        "+ Open Images 4 24.5 ± 1.3 12.0 ± 2.2 24.5 ± 1.3 50.0 ± 0.0 (31.4) (21.5)",
        "EQL [bold] 0",  # a name is no markup
        "BCE + RFS 4 16.5 ± 1.3 5.0 ± 0.0",  # on exhaustive annotations
        "Paired differences of federated AP_r, points of mask AP",
        "+ Open Images over BCE + RFS 4 +1.5 [-0.6, +3.6] -0.0 +++0 no, 0 of 2 (+2.2)",
        "+ Open Images over BCE + RFS 4 +3.0 [+3.0, +3.0] +3.0 ++++ yes, 2 of 2 (+1.3)",
        "EQL [bold] over BCE + RFS 0 no run has both",
    ):
        assert line in lines


@pytest.mark.parametrize("width", [100, 120])
def test_the_tables_fit(folder: Path, width: int) -> None:
    lines = printed(folder, width)
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    # names may break; figures stand on the first line of theirs
    assert any(line.startswith("+ Open Images over BCE + RFS ") for line in lines)


def test_markdown_has_one_table_of_settings(folder: Path) -> None:
    text = experiment_tables.markdown(read_experiment(folder))
    assert (
        "| setting | n | federated AP | federated AP_r | federated AP_c | federated AP_f"
        " | exhaustive AP | exhaustive AP_r | paper AP | paper AP_r |\n"
    ) in text
    assert (
        "| BCE + RFS | 4 | 21.5 ± 1.3 | 10.5 ± 1.3 | 21.5 ± 1.3 | 50.0 ± 0.0 | 16.5 ± 1.3"
        " | 5.0 ± 0.0 | (30.1) | (19.3) |\n"
        "| + Open Images | 4 (0 exhaustive) | 24.5 ± 1.3 |"
    ) in text
    assert (
        "| + Open Images over BCE + RFS | 4 | +1.5 [-0.6, +3.6] | -0.0 | +++0 | no, 0 of 2" in text
    )
    assert text.count("**Paired differences of ") == 4
    for note in experiment_notes.notes(read_experiment(folder)):
        assert f"\n{note}\n" in text


def test_a_missing_file_leaves_fewer_runs(folder: Path) -> None:
    (folder / "draw0_seed1" / "oi.json").unlink()
    lines = words(printed(folder))
    assert "+ Open Images 3 24.3 ± 1.5 11.7 ± 2.5 24.3 ± 1.5 50.0 ± 0.0 (31.4) (21.5)" in lines
    # of the runs that both have; a group of one run judges nothing
    assert "+ Open Images over BCE + RFS 3 +3.0 [+3.0, +3.0] +3.0 +++ yes, 1 of 1 (+1.3)" in lines
    assert "+ Open Images: no federated evaluation of draw0_seed1." in lines
    for run in ("draw1_seed0", "d1"):
        (folder / run / "oi.json").unlink()
    lines = words(printed(folder))
    assert "+ Open Images over BCE + RFS 1 +2.0 + (+2.2)" in lines  # one run has no interval
    assert "+ Open Images 1 23.0 12.0 23.0 50.0 (31.4) (21.5)" in lines


def test_an_undefined_figure_is_left_out(folder: Path) -> None:
    write(folder / "draw0_seed0" / "oi.json", evaluation(0.23, -1.0, "draw 0"))
    found = read_experiment(folder)
    lines = words(printed(folder))
    assert "+ Open Images 4 24.5 ± 1.3 12.0 ± 2.6 24.5 ± 1.3 50.0 ± 0.0 (31.4) (21.5)" in lines
    assert "+ Open Images: federated AP_r is undefined in draw0_seed0." in lines
    oi, rfs = found.comparisons[0]
    assert found.difference(oi, rfs, "federated", "AP_r").signs == "++0"
    assert found.difference(oi, rfs, "federated", "AP").signs == "++++"


def test_figures_of_boxes(folder: Path) -> None:
    write(folder / "d1" / "oi.json", evaluation(0.26, 0.09, "draw 1", segm=None))
    masks, boxes = read_experiment(folder), read_experiment(folder, "bbox")
    assert [one.count("federated") for one in masks.settings] == [4, 3, 0]
    assert [one.count("federated") for one in boxes.settings] == [4, 4, 0]
    assert (
        "+ Open Images: the federated evaluation has boxes only in d1."
        in experiment_notes.notes(masks)
    )
    values = boxes.settings[0].values("federated", "AP")
    assert list(values.values()) == pytest.approx([30.0, 32.0, 31.0, 33.0])
    # published figures are of masks
    assert "paper" not in experiment_tables.markdown(boxes).lower()
    assert (
        experiment_writing.as_json(boxes)["comparisons"][0]["federated"]["AP"]["published"] is None
    )


def test_published_gains(folder: Path) -> None:
    found = read_experiment(folder)
    rfs, oi, eql = found.settings
    assert found.published_gain(oi, rfs, "AP") == 1.3
    assert found.published_gain(oi, rfs, "AP_r") == 2.2
    assert found.published_gain(rfs, oi, "AP") == -1.3
    assert found.published_gain(oi, rfs, "AP_c") is None  # of one of them only
    assert found.published_gain(eql, rfs, "AP") is None  # stands for no step
    assert found.published_gain(oi, oi, "AP") is None  # a step brings nothing over itself


def test_the_csv_is_enough_to_compute_all_again(folder: Path) -> None:
    (folder / "d1" / "oi.json").unlink()
    found = read_experiment(folder)
    rows = list(csv.DictReader(io.StringIO(experiment_writing.as_csv(found))))
    # settings × runs × kinds of annotation × figures, and comparisons likewise
    assert [row["table"] for row in rows] == ["run"] * (3 * 4 * 2 * 4) + ["difference"] * (
        2 * 2 * 4
    )
    value = {
        (row["setting"], row["run"]): float(row["value"])
        for row in rows
        if (row["table"], row["annotation"], row["figure"]) == ("run", "federated", "AP_r")
        and not row["missing"]
    }
    runs = [run for setting, run in value if setting == "oi"]
    again = fmean(value["oi", run] - value["rfs", run] for run in runs)
    written = next(row for row in rows if row["table"] == "difference" and row["figure"] == "AP_r")
    assert (written["setting"], written["over"], written["n"]) == ("oi", "rfs", "3")
    assert float(written["value"]) == pytest.approx(again) == pytest.approx(2.0)
    assert float(written["low"]) == pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-6)
    assert float(written["lower_bound"]) == pytest.approx(2 - 2.919986 / 3**0.5, abs=1e-6)
    assert (written["signs"], written["clear_in_every_group"]) == ("+++", "false")
    missing = {row["missing"] for row in rows if (row["setting"], row["run"]) == ("oi", "d1")}
    assert missing == {"no evaluation"}


def test_the_json(folder: Path) -> None:
    plain = json.loads(json.dumps(experiment_writing.as_json(read_experiment(folder))))
    assert (plain["title"], plain["kind"], plain["confidence"]) == (
        "Road map on a CPU",
        "segm",
        0.95,
    )
    assert plain["runs"][3] == {"name": "d1", "group": "draw 1"}
    first = plain["settings"][0]
    assert (first["key"], first["step"]) == ("rfs", "challenge_baseline")
    assert first["federated"]["figures"]["AP"] == {
        "n": 4, "mean": pytest.approx(21.5), "sd": pytest.approx((5 / 3) ** 0.5)
    }  # fmt: skip
    assert first["federated"]["runs"]["d1"]["figures"]["AP_r"] == pytest.approx(9.0)
    rare = plain["comparisons"][0]["federated"]["AP_r"]
    assert rare["runs"] == pytest.approx(
        {"draw0_seed0": 2.0, "draw0_seed1": 1.0, "draw1_seed0": 3.0, "d1": 0.0}
    )
    assert rare["interval"] == pytest.approx([-0.55426, 3.55426], abs=1e-5)
    assert (rare["signs"], rare["clear_in_every_group"], rare["published"]) == ("+++0", False, 2.2)
    assert [(one["group"], one["n"], one["mean"]) for one in rare["groups"]] == [
        ("draw 0", 2, pytest.approx(1.5)),
        ("draw 1", 2, pytest.approx(1.5)),
    ]
    assert rare["groups"][0]["interval"] == pytest.approx([1.5 - 6.35310, 1.5 + 6.35310], abs=1e-4)
    assert plain["comparisons"][1]["exhaustive"]["AP"]["mean"] is None


def test_the_notes(folder: Path) -> None:
    found = experiment_notes.notes(read_experiment(folder))
    assert found[0] == (
        "4 runs in 2 groups: draw 0 (2), draw 1 (2). Runs of a group share what they were trained"
        " on."
    )
    assert found[1:3] == [
        "Federated figures are of 2 ground truths: world (val) with 400 images.",
        "Exhaustive figures are of 2 ground truths: all (val) with 400 images.",
    ]
    assert (
        "EQL [bold]: no federated evaluation of draw0_seed0, draw0_seed1, draw1_seed0, d1." in found
    )
    assert found[-1] == experiment_notes.PUBLISHED


def test_an_experiment_without_any_evaluation_yet(tmp_path: Path) -> None:
    write_experiment(tmp_path, settings=())
    for path in tmp_path.glob("*/*.json"):
        path.unlink()
    lines = words(printed(tmp_path))
    assert "BCE + RFS 0 (30.1) (19.3)" in lines
    assert experiment_writing.as_csv(read_experiment(tmp_path)).count("\n") == 1


OTHER_TRUTHS = {
    "other images": {"images": 399},
    "other objects": {"objects": 1},
    "another file": {"ground_truth": "other (val)"},
}


@pytest.mark.parametrize("case", OTHER_TRUTHS)
def test_a_group_has_one_ground_truth(case: str, folder: Path) -> None:
    path = folder / "draw0_seed1" / "oi.json"
    write(path, evaluation(0.25, 0.13, "draw 0", **OTHER_TRUTHS[case]))
    with pytest.raises(InputError) as error:
        read_experiment(folder)
    message = str(error.value)
    assert message.startswith(f"{path}: was scored on ")
    assert (
        f"but {folder / 'draw0_seed0' / 'rfs.json'} on world (val) (400 images, 906 objec"
        in message
    )
    assert message.endswith(
        "Runs of a group, here 'draw 0', have one federated ground truth: score again, or put them"
        " in groups of their own."
    )


def test_the_same_ground_truth_may_lie_elsewhere(folder: Path) -> None:
    moved = {"ground_truth": "copy/world (val)"}
    write(folder / "draw0_seed1" / "oi.json", evaluation(0.25, 0.13, "draw 0", **moved))
    assert read_experiment(folder).settings[1].count("federated") == 4


# what lies in a run's folder in place of an evaluation, and what is said
BAD_FILES = {
    "not JSON": ("oi.json", "{", "is no evaluation ("),
    "results": ("oi.json", "[]", "is no evaluation ("),
    "another JSON": ("oi.exhaustive.json", "{}", "is no evaluation ("),
    "points": (
        "rfs.exhaustive.json",
        json.dumps(evaluation(29.5, 0.1, "draw 0")),
        "AP is 29.6, not in [0, 1] nor -1.0. Write it with `lvis-merge evaluate --json`.",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_files_that_are_no_evaluation(case: str, folder: Path) -> None:
    name, text, message = BAD_FILES[case]
    path = folder / "draw0_seed0" / name
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_experiment(folder)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "d1" / "eql.json").mkdir()
    with pytest.raises(InputError, match=r"eql.json: cannot be read \(Is a directory\). Check the"):
        read_experiment(folder)
