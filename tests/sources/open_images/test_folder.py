"""Which files of the Open Images folder are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources.open_images.folder import find_files

CLASSES = "class-descriptions-boxable.csv"
MINIMAL = ["train-annotations-bbox.csv", CLASSES]


def folder_of(tmp_path: Path, names: list[str]) -> str:
    for name in names:
        (tmp_path / name).write_text("")
    return str(tmp_path)


FULL = [
    (
        # V5, packed here and there
        [
            "train-annotations-bbox.csv.gz",
            "validation-annotations-bbox.csv",
            "test-annotations-bbox.csv.zip",
            "train-images-boxable-with-rotation.csv",
            "validation-images-with-rotation.csv",
            "test-images-with-rotation.csv",
            "train-annotations-human-imagelabels-boxable.csv",
            "validation-annotations-human-imagelabels-boxable.csv",
            "test-annotations-human-imagelabels-boxable.csv",
            "train-annotations-object-segmentation.csv.zip",
            "validation-annotations-object-segmentation.csv",
            CLASSES,
            "bbox_labels_600_hierarchy.json",
        ],
        ["train", "validation", "test"],
    ),
    (
        # V6 and V7 names
        [
            "oidv6-train-annotations-bbox.csv",
            "train-images-boxable-with-rotation.csv",
            "oidv7-train-annotations-human-imagelabels-boxable.csv",
            "oidv7-class-descriptions-boxable.csv",
            "bbox_labels_600_hierarchy.json",
        ],
        ["train"],
    ),
]


@pytest.mark.parametrize(("names", "subsets"), FULL)
def test_published_names_are_found(tmp_path: Path, names: list[str], subsets: list[str]) -> None:
    """Rule: files are found under the names they are published by, plain, .gz or .zip."""
    files = find_files(folder_of(tmp_path, [*names, "unrelated.csv"]))
    assert [subset.subset for subset in files.subsets] == subsets
    assert sorted(Path(path).name for _, path in files.all_files()) == sorted(names)
    assert files.missing() == []


def test_roles_name_the_subset_and_the_kind(tmp_path: Path) -> None:
    """Rule: the manifest says which input played which part."""
    names = [*MINIMAL, "train-images-boxable-with-rotation.csv", "test-annotations-bbox.csv"]
    files = find_files(folder_of(tmp_path, names))
    assert [(role, Path(path).name) for role, path in files.all_files()] == [
        ("openimages/classes", CLASSES),
        ("openimages/train/boxes", "train-annotations-bbox.csv"),
        ("openimages/train/images", "train-images-boxable-with-rotation.csv"),
        ("openimages/test/boxes", "test-annotations-bbox.csv"),
    ]


def test_lists_and_labels_of_a_subset_without_boxes_are_not_read(tmp_path: Path) -> None:
    """Rule: label files of a subset without a box file are not read; nor two of its lists."""
    names = [
        *MINIMAL,
        "test-annotations-human-imagelabels-boxable.csv",
        "test-images-with-rotation.csv",
        "test-images-with-rotation.csv.gz",
    ]
    files = find_files(folder_of(tmp_path, names))
    assert [subset.subset for subset in files.subsets] == ["train"]
    assert len(list(files.all_files())) == 2


def test_what_optional_files_would_have_told_is_said(tmp_path: Path) -> None:
    """Rule: the user learns what the absence of a file costs."""
    assert find_files(folder_of(tmp_path, MINIMAL)).missing() == [
        "no image list: no Flickr ids (leakage is checked by image id alone), rotations,"
        " authors or licences of Open Images",
        "no verified image labels: nothing is known to be absent",
        "no hierarchy: an absent class says nothing about its descendants",
    ]


ERRORS = [
    (
        [],
        "{}: no box file. Expected train-annotations-bbox.csv (or validation-, test-)"
        " from the Open Images download page, plain, .gz or .zip.",
    ),
    (
        ["test-annotations-bbox.csv"],
        "{}: no class list. Expected class-descriptions-boxable.csv from the Open Images"
        " download page.",
    ),
    (
        # V5's and V6's boxes
        [*MINIMAL, "oidv6-train-annotations-bbox.csv"],
        "{}: holds train-annotations-bbox.csv and oidv6-train-annotations-bbox.csv, two files of"
        " one kind. Keep one of them.",
    ),
    (
        # plain and packed
        [*MINIMAL, CLASSES + ".gz"],
        "{}: holds class-descriptions-boxable.csv and class-descriptions-boxable.csv.gz, two files"
        " of one kind. Keep one of them.",
    ),
]


@pytest.mark.parametrize(("names", "message"), ERRORS)
def test_a_folder_that_does_not_serve_is_an_error(
    tmp_path: Path, names: list[str], message: str
) -> None:
    """Rule: no box file, no class list, or two files of one kind: exit 3 at once."""
    folder = folder_of(tmp_path, names)
    with pytest.raises(InputError) as error:
        find_files(folder)
    assert str(error.value) == message.format(folder)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Rule: one message, no traceback; a file is no folder either."""
    for path in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError) as error:
            find_files(str(path))
        assert str(error.value) == (
            f"{path}: no such folder. Give the folder that holds the CSV files."
        )


def test_a_folder_is_not_a_file_of_its_name(tmp_path: Path) -> None:
    """Rule: only files count."""
    (tmp_path / "train-annotations-bbox.csv.zip").mkdir()
    assert len(find_files(folder_of(tmp_path, MINIMAL)).subsets) == 1
