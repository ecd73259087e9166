"""Whatever a file holds, a command answers or tells what is wrong: in seconds and little memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.small_inputs import Inputs
from tests.fuzz.hostile import hostile_files
from tests.fuzz.search import check, search
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.world import make_files

CORPUS = Path(__file__).parent / "corpus"
CASES = 2  # of each target; `make fuzz` runs as many as there is time for
BY_ID = {target.id: target for target in TARGETS}

# of a megabyte; they took minutes or gigabytes, or ended with a traceback; `make fuzz` runs all
ONCE_FOUND = (
    ("build-json:lvis_train.json", "members"),
    ("build-json:lvis_train.json", "arrays"),
    ("build:bbox_labels_600_hierarchy.json", "chain-of-classes"),
    ("build:map.csv", "many-columns"),
    ("build:corrections.csv", "distinct-rows"),
    ("build:train-annotations-bbox.csv", "short-rows"),
    ("build-packed:packed.json.gz", "bomb-of-brackets"),
    ("build-packed:sizes_packed.csv.zip", "bomb-of-lines"),
    ("stats:manifest.json", "brackets"),
    ("diff:images.parquet", "same-row"),
    ("evaluate-manifest:categories.parquet", "same-row"),
    ("ensemble:pool.json", "same-row"),
    ("submit:lvis_val.json", "images-coco_url-long"),
    ("roadmap:roadmap.toml", "dotted-key"),
    ("roadmap:roadmap.toml", "closed-brackets"),
    ("experiment:experiment.toml", "digits"),
    ("build-parts:train-annotations-bbox.parquet", "same-row"),
    ("build-parts:train-annotations-bbox.parquet", "LabelName-long"),
    ("build-parts:train-annotations-bbox.parquet", "ImageID-binary"),
    (
        "build-parts:train-annotations-human-imagelabels-boxable-00001-of-00004.csv",
        "blank-lines",
    ),
    ("fetch:openimages_failures.csv", "one-cell"),
    ("validate:annotations.parquet", "mask_rle-long"),
    ("export-yolo:annotations.parquet", "same-row"),
    ("diff:categories.parquet", "name-long"),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return make_files(tmp_path_factory.mktemp("files") / "good")


def test_good_files_are_read(files: Inputs) -> None:
    """Otherwise all that is found below is that something is wrong with the world."""
    for target in TARGETS:
        ended = target.run(files, files.path(target.file).read_bytes())
        assert (target.id, ended.code, ended.faults()) == (target.id, 0, [])


@pytest.mark.parametrize("target", TARGETS, ids=BY_ID)
def test_a_few_damaged_files(target: Target, files: Inputs) -> None:
    search(target, files, number=0, cases=CASES)


@pytest.mark.parametrize(("target", "name"), ONCE_FOUND)
def test_a_hostile_file_that_was_once_found(target: str, name: str, files: Inputs) -> None:
    one = BY_ID[target]
    good = files.path(one.file).read_bytes()
    made = hostile_files(one.file, one.format, good)
    check(one, files, next(data for this, data in made if this == name))


@pytest.mark.parametrize(
    "path", sorted(path for path in CORPUS.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_a_damaged_file_that_was_once_found(path: Path, files: Inputs) -> None:
    command, file, _ = path.relative_to(CORPUS).parts
    check(BY_ID[f"{command}:{file}"], files, path.read_bytes())
