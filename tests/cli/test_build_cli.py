"""`lvis-merge build` as a command: options, output place, limits, streams."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.command import Run
from tests.cli.small_inputs import (
    BOXES,
    COCO,
    FOLDER,
    HELD_OUT_CSV,
    LABELS,
    LIST,
    MAP,
    PICTURES,
    SIZES,
    TRAIN,
    VALIDATION_PICTURE,
    Inputs,
)

BAD_LABEL = f"{PICTURES[0]},verification,/m/dog,0.5\n"
NOT_YET = ("--extra", "--engine", "--ray-address")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # of the option parser
        (("--nope",), "No such option: --nope"),
        *(((flag, "x"), f"No such option: {flag}") for flag in NOT_YET),
        (("--selection", "best"), "'best' is not one of 'balanced', 'random'"),
        (("--candidates", "some"), "'some' is not one of 'all', 'sized'"),
        (("--coco-boxes", "most"), "'most' is not one of 'all', 'unmatched', 'off'"),
        (("--unmapped", "keep"), "'keep' is not one of 'ignore', 'drop'"),
        (("--label-space", "lvs"), "'lvs' is not one of 'lvis', 'coco', 'open_images'"),
        (("--seed", "one"), "Invalid value for '--seed'"),
        (("--threads", "0"), "Invalid value for '--threads'"),
        (("--threads", "1000000"), "Invalid value for '--threads'"),
        (("file.json",), "unexpected extra argument"),
        # our own: values
        (("--images", "some"), "--images some: give a number such as 20000, or all."),
        (("--images", "-1"), "--images -1: give a number such as 20000, or all."),
        (("--images", "20,000"), "--images 20,000: give a number such as 20000, or all."),
        (("--images", "9" * 5000), "9: give a number such as 20000, or all."),
        (("--lvis", "x", "--max-rejects", "few"), "--max-rejects few: give a count such as 25 or"),
        (("--lvis", "x", "--max-rejects", "-1"), "--max-rejects -1: give a count such as 25 or a"),
        (("--lvis", "x", "--max-rejects", "101%"), "--max-rejects 101%: give a count such as 25"),
        # an unset variable of a script
        (("--lvis", ""), "--lvis: the value is empty (an unset variable?)."),
        (("--lvis", "x", "--openimages", ""), "--openimages: the value is empty"),
        (("--lvis", "x", "--holdout", ""), "--holdout: the value is empty"),
        (("--lvis", "\udcff.json"), "'\\udcff.json': is no UTF-8 text. Rename the file, or"),
        # our own: what does not go together
        ((), "Nothing to build: give --lvis FILE, the LVIS train annotations."),
        (("--lvis-val", "x"), "Nothing to build: give --lvis FILE, the LVIS train annotations."),
        (
            ("--lvis", "x", "--openimages", "y", "--mapping", "none"),
            "--mapping none: Open Images needs a label map to LVIS.",
        ),
        (("--label-space", "coco"), "--label-space coco needs --coco."),
        (("--label-space", "open_images"), "--label-space open_images needs --openimages."),
        (
            ("--label-space", "coco", "--coco", "x", "--lvis", "y", "--lvis-val", "z"),
            "--label-space coco is built from --coco alone; leave out --lvis, --lvis-val (give",
        ),
    ],
)
def test_wrong_usage_ends_with_2(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path
) -> None:
    found = run("build", *arguments, "--out", str(tmp_path / "out"))
    assert found.code == 2
    assert message in found.stderr
    assert found.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--coco", "x"),
            "--coco without --lvis: COCO boxes are ignore regions on LVIS images. Give --lvis, or"
            " --label-space coco for an expert on COCO's own 80 classes.",
        ),
        (
            ("--openimages", "x"),
            "--openimages without --lvis: its boxes are merged into LVIS. Give --lvis, or"
            " --label-space open_images for an expert on Open Images' own classes.",
        ),
    ],
)
def test_one_source_alone_ends_with_3_and_advice(
    arguments: tuple[str, ...], message: str, run: Run, tmp_path: Path
) -> None:
    found = run("build", *arguments, "--out", str(tmp_path / "out"))
    assert (found.code, found.error) == (3, message)


# the output place


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


# sizes


def test_missing_sizes_end_with_4_and_the_list_of_what_to_fetch(run: Run, inputs: Inputs) -> None:
    options = [*inputs.lvis(), *inputs.open_images()[:4], "--out", str(inputs.path("new/out"))]
    found = run("build", *options)
    selection = inputs.path("new/openimages_selection.csv")
    assert (found.code, found.error) == (
        4,
        "4 of the 4 chosen Open Images images have no known size, so no manifest was written."
        f" {selection} lists the chosen images: `lvis-merge fetch` downloads exactly those. Then"
        " build again with --openimages-images or --openimages-sizes.",
    )
    assert list(csv.reader(selection.read_text().splitlines())) == [
        ["ImageID", "Subset"],
        *([image, "train"] for image in PICTURES),
        [VALIDATION_PICTURE, "validation"],
    ]
    assert [path.name for path in selection.parent.iterdir()] == ["openimages_selection.csv"]
    assert found.stdout == ""


def test_some_missing_sizes_end_with_4_too(run: Run, inputs: Inputs) -> None:
    inputs.replace(SIZES, f"{PICTURES[1]},", "0e,")
    options = [*inputs.lvis(), *inputs.open_images(), "--out", str(inputs.path("out"))]
    found = run("build", *options)
    assert found.code == 4
    assert found.error.startswith("1 of the 4 chosen Open Images images have no known size")
    # the same command goes on once the list has been fetched
    inputs.append(SIZES, f"{PICTURES[1]},7,9\n")
    assert run("build", *options).code == 0


def test_an_image_folder_that_is_not_there_yet_is_noted(run: Run, inputs: Inputs) -> None:
    folder = inputs.path("to_come")
    options = [*inputs.lvis(), *inputs.open_images()[:4], "--openimages-images", str(folder)]
    found = run("build", *options, "--out", str(inputs.path("out")))
    assert found.code == 4
    assert f"{folder}: no such folder, so no image's size is read from it" in found.notes


# how many bad rows are too many


@pytest.mark.parametrize(
    ("bad", "limit", "code"),
    [
        (10, None, 0),
        (11, None, 3),  # the larger of 10 and 0.1 % of 14 rows is 10
        (2, "2", 0),
        (3, "2", 3),
        (1, "0", 3),
        (3, "50%", 0),  # 3 of 6
        (4, "50%", 3),  # 4 of 7: 3.5 are allowed
        (1, "0%", 3),
        (3, "100%", 0),
    ],
)
def test_too_many_bad_rows_end_with_3(
    bad: int, limit: str | None, code: int, run: Run, inputs: Inputs
) -> None:
    inputs.append(LABELS, BAD_LABEL * bad)
    more = ["--max-rejects", limit] if limit else []
    found = run("build", *inputs.everything(), *more, "--out", str(inputs.path("out")))
    assert found.code == code
    if code:
        allowed = {None: 10, "50%": 3, "0%": 0}.get(limit) or int((limit or "10").strip("%"))
        name = Path(LABELS).name
        assert found.error == (
            f"{name}: {bad} of {bad + 3} label rows are bad, more than the {allowed} that"
            f" --max-rejects allows. First: {name}, label row 4: value: {BAD_LABEL.strip()}\n"
            "Check that it is the right file, or raise --max-rejects."
        )
        assert not inputs.path("out").exists()


def test_the_limit_is_of_each_file_and_kind(run: Run, inputs: Inputs) -> None:
    inputs.append(LABELS, BAD_LABEL)
    inputs.append(LIST, "no-hex,,,,,,,,\n")
    inputs.append(BOXES, "1\n")
    inputs.edit(TRAIN, lambda content: content["images"].append(5))
    inputs.edit(TRAIN, lambda content: content["annotations"].append(5))
    options = [*inputs.everything(), "--max-rejects", "1", "--out", str(inputs.path("out"))]
    assert run("build", *options).code == 0


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        (LABELS, BAD_LABEL, "{name}, label row 4: value: {row}"),
        (BOXES, f"{PICTURES[0]},x\n", "{name}, box row 4: columns: {row}"),
        (LIST, f"{PICTURES[0]},,,,,,,,\n", "{name}, image row 4: duplicate_id: {row}"),
    ],
)
def test_strict_stops_at_the_first_bad_row(
    name: str, row: str, message: str, run: Run, inputs: Inputs
) -> None:
    inputs.append(name, row * 2)
    found = run("build", *inputs.everything(), "--strict", "--out", str(inputs.path("out")))
    assert found.code == 3
    assert found.error == (
        message.format(name=Path(name).name, row=row.strip())
        + "\nStopped at the first bad row because of --strict. Mend the row or build without"
        " --strict."
    )


def test_strict_stops_at_a_map_row_without_a_category(run: Run, inputs: Inputs) -> None:
    inputs.append(MAP, "/m/pet,Pet,pet.n.01,pet,exact,\n")
    options = [*inputs.everything(), "--out", str(inputs.path("out"))]
    found = run("build", *options, "--strict")
    assert (found.code, found.error) == (
        3,
        "map.csv: 1 rows cannot be used (row 3, /m/pet Pet: the LVIS file has no category with this"
        " synset). Remove them or build without --strict.",
    )
    found = run("build", *options)
    assert found.code == 0
    assert "map.csv: 1 rows are not used here (row 3, /m/pet Pet: the LVIS" in found.stderr


# what the user is told


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


@pytest.mark.parametrize(
    "options",
    [
        lambda i: i.lvis(),
        lambda i: [*i.lvis(), *i.coco()],
        lambda i: [*i.lvis(), *i.open_images()],
        lambda i: [*i.lvis(), *i.open_images(), "--images", "0"],
        lambda i: [*i.option("--coco", COCO), "--label-space", "coco"],
        lambda i: [*i.open_images(), "--label-space", "open_images"],
        lambda i: [*i.option("--openimages", FOLDER), "--mapping", "none",
                   "--label-space", "open_images", *i.option("--openimages-sizes", SIZES)],
    ],
    ids=["lvis", "lvis-coco", "lvis-oi", "no-images", "coco", "open_images", "no-map"],
)  # fmt: skip
def test_any_subset_of_the_sources_builds(options, run: Run, inputs: Inputs) -> None:
    out = inputs.path("out")
    assert run("build", *options(inputs), "--out", str(out)).code == 0
    assert run("validate", str(out)).code == 0


# corrections


def test_a_corrections_file_that_is_not_there_is_told(run: Run, inputs: Inputs) -> None:
    options = [*inputs.lvis(), "--corrections", "none.csv", "--out", str(inputs.path("out"))]
    found = run("build", *options)
    assert (found.code, found.error) == (3, "none.csv: no such file. Check the path.")


def test_corrections_are_applied_and_told(run: Run, inputs: Inputs) -> None:
    content = json.loads(inputs.text(TRAIN))
    first, second = content["annotations"][:2]
    names = {one["id"]: one["name"] for one in content["categories"]}
    other = next(name for number, name in names.items() if number != second["category_id"])
    inputs.write(
        "corrections.csv",
        "source,source_image_id,source_annotation_id,source_label,action,category,synset\n"
        f"lvis,{first['image_id']},{first['id']},{names[first['category_id']]},reject,,\n"
        f"lvis,{second['image_id']},{second['id']},,relabel,{other},\n",
    )
    more = ["--corrections", str(inputs.path("corrections.csv")), "--out", str(inputs.path("out"))]
    found = run("build", *inputs.lvis(), *more)
    assert found.code == 0
    assert "correction 1" in found.stdout
    assert "1 of the rows kept have another category by --corrections." in found.stdout
