"""Where the sizes of Open Images pictures come from, and what a wrong one does."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lvis_merge.errors import InputError, SizesMissingError
from lvis_merge.manifest import open as open_manifest
from lvis_merge.manifest.validate import validate
from lvis_merge.pipeline.options import BuildOptions
from tests.cli.small_inputs import (
    BOXES,
    FOLDER,
    MAP,
    PICTURES,
    TRAIN,
    VALIDATION_PICTURE,
    Inputs,
    make_inputs,
)
from tests.pipeline.running import build_quietly, hold_little, table_bytes

EXIF_ORIENTATION = 0x0112
A, B, C = PICTURES
EVERY = (*PICTURES, VALIDATION_PICTURE)
BOX = (0.1, 0.2, 0.5, 0.5)
"""x, y, w, h of every box of the inputs, as fractions of the picture."""


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    made = make_inputs(tmp_path / "files")
    (tmp_path / "jpegs").mkdir()
    return made


def options(inputs: Inputs) -> BuildOptions:
    """LVIS and Open Images, sizes from the pictures only."""
    return BuildOptions(
        out=inputs.folder.parent / "out" / "m",
        lvis=str(inputs.path(TRAIN)),
        openimages=str(inputs.path(FOLDER)),
        mapping=str(inputs.path(MAP)),
        images=None,
        openimages_images=inputs.folder.parent / "jpegs",
    )


def with_sizes(inputs: Inputs, sizes: dict[str, tuple[int, int]]) -> BuildOptions:
    """The same, with a sizes CSV."""
    path = inputs.folder.parent / "known_sizes.csv"
    rows = [f"{image},{width},{height}\n" for image, (width, height) in sizes.items()]
    path.write_text("ImageID,Width,Height\n" + "".join(rows))
    return replace(options(inputs), openimages_sizes=str(path))


def jpeg(inputs: Inputs, name: str, size: tuple[int, int], orientation: int = 1) -> Path:
    path = inputs.folder.parent / "jpegs" / name
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    Image.new("RGB", size).save(path, exif=exif)
    return path


def built_sizes(asked: BuildOptions) -> dict[str, tuple[int, int]]:
    """Builds; gives the size of every picture, once its boxes are seen to be in that frame."""
    build_quietly(asked)
    assert [str(finding) for finding in validate(asked.out) if finding.level == "error"] == []
    manifest = open_manifest(asked.out)
    pictures = {
        row["image_id"]: row
        for row in manifest.images.to_pylist()
        if row["source"] == "open_images"
    }
    boxes = [row for row in manifest.annotations.to_pylist() if row["image_id"] in pictures]
    assert len(boxes) == len(pictures)
    for box in boxes:
        picture = pictures[box["image_id"]]
        frame = (picture["width"], picture["height"]) * 2
        expected = [part * side for part, side in zip(BOX, frame, strict=True)]
        assert box["bbox"] == pytest.approx(expected, rel=1e-6)
        assert box["area"] == pytest.approx(expected[2] * expected[3])
    return {
        row["source_image_id"]: (row["width"], row["height"])
        for row in sorted(pictures.values(), key=lambda row: row["source_image_id"])
    }


def test_the_stored_size_is_the_frame(inputs: Inputs) -> None:
    """Of pictures below their subset and in the root, whatever their EXIF tag says."""
    jpeg(inputs, f"train/{A}.jpg", (60, 40))
    jpeg(inputs, f"train/{B}.jpg", (60, 40), orientation=6)  # lies on its side
    jpeg(inputs, f"{C}.jpg", (30, 50), orientation=3)  # upside down
    jpeg(inputs, f"validation/{VALIDATION_PICTURE}.jpg", (20, 20))
    assert built_sizes(options(inputs)) == {
        A: (60, 40),
        B: (60, 40),
        C: (30, 50),
        VALIDATION_PICTURE: (20, 20),
    }


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_picture_that_fits_upright_keeps_the_size_of_the_csv(
    inputs: Inputs, orientation: int
) -> None:
    jpeg(inputs, f"train/{A}.jpg", (60, 40), orientation)
    sizes = dict.fromkeys(EVERY, (40, 60))
    assert built_sizes(with_sizes(inputs, sizes)) == sizes


def test_csv_and_pictures_complete_each_other(inputs: Inputs) -> None:
    jpeg(inputs, f"train/{A}.jpg", (60, 40))
    jpeg(inputs, f"train/{B}.jpg", (31, 47))  # in both, and they agree
    known = {B: (31, 47), C: (1024, 768), VALIDATION_PICTURE: (7, 9)}
    assert built_sizes(with_sizes(inputs, known)) == {A: (60, 40), **known}


def test_a_size_counts_wherever_it_comes_from(inputs: Inputs) -> None:
    sizes = {image: (50 + place, 40) for place, image in enumerate(EVERY)}
    from_csv = replace(with_sizes(inputs, sizes), openimages_images=None)
    build_quietly(from_csv)
    for image, size in sizes.items():
        jpeg(inputs, f"{image}.jpg", size)
    from_pictures = replace(options(inputs), out=inputs.folder.parent / "out" / "other")
    build_quietly(from_pictures)
    assert table_bytes(from_pictures.out) == table_bytes(from_csv.out)


# stored size and orientation of a picture that should be 40 x 60
NO_FIT = [
    ((60, 40), 1),  # turned, but the tag does not say so
    ((60, 40), 3),  # upside down turns no side
    ((61, 40), 6),  # lies on its side, and is another size all the same
    ((20, 30), 1),  # a thumbnail
]


@pytest.mark.parametrize(("size", "orientation"), NO_FIT)
def test_a_picture_that_fits_neither_way_is_named(
    inputs: Inputs, size: tuple[int, int], orientation: int
) -> None:
    path = jpeg(inputs, f"train/{B}.jpg", size, orientation)
    asked = with_sizes(inputs, dict.fromkeys(EVERY, (40, 60)))
    with pytest.raises(InputError) as error:
        build_quietly(asked)
    assert error.value.exit_code == 3
    assert str(error.value) == (
        f"{path}: is {size[0]} x {size[1]} pixels, but the sizes CSV says 40 x 60."
        " Fetch it again or mend the CSV."
    )
    assert not asked.out.exists()


def test_a_picture_cut_short_is_named(inputs: Inputs) -> None:
    for image in EVERY:
        jpeg(inputs, f"{image}.jpg", (60, 40))
    path = inputs.folder.parent / "jpegs" / f"{C}.jpg"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError) as error:
        build_quietly(options(inputs))
    assert str(error.value).startswith(f"{path}: is no readable image (")
    assert not options(inputs).out.exists()


def test_missing_sizes_end_with_the_list_of_what_to_fetch(inputs: Inputs) -> None:
    """All chosen pictures are listed, those with a size too: `fetch` skips what is there."""
    jpeg(inputs, f"train/{A}.jpg", (60, 40))
    asked = with_sizes(inputs, {B: (40, 60)})
    with pytest.raises(SizesMissingError) as error:
        build_quietly(asked)
    selection = asked.out.parent / "openimages_selection.csv"
    assert error.value.exit_code == 4
    assert error.value.selection == selection
    assert str(error.value).startswith("2 of the 4 chosen Open Images images have no known size")
    assert list(csv.reader(selection.read_text().splitlines())) == [
        ["ImageID", "Subset"],
        *([image, "train"] for image in PICTURES),
        [VALIDATION_PICTURE, "validation"],
    ]
    assert [path.name for path in asked.out.parent.iterdir()] == [selection.name]


def test_the_list_leads_to_the_manifest(inputs: Inputs) -> None:
    """What it names is all that is needed, and the list is no obstacle."""
    asked = replace(options(inputs), images=2)
    with pytest.raises(SizesMissingError) as error:
        build_quietly(asked)
    rows = list(csv.DictReader(error.value.selection.read_text().splitlines()))
    assert len(rows) == 2
    for row in rows:
        jpeg(inputs, f"{row['Subset']}/{row['ImageID']}.jpg", (60, 40))
    assert built_sizes(asked) == {row["ImageID"]: (60, 40) for row in rows}


def test_pictures_that_are_not_chosen_need_no_size(inputs: Inputs) -> None:
    """`--candidates sized` chooses among those of the CSV and of the folder."""
    jpeg(inputs, f"train/{A}.jpg", (60, 40))
    asked = replace(with_sizes(inputs, {C: (40, 60)}), candidates="sized")
    assert built_sizes(asked) == {A: (60, 40), C: (40, 60)}
    record = open_manifest(asked.out).record
    for kind in ("image", "box", "label"):
        counts = record.counts["open_images"][kind]
        assert (counts.kept, dict(counts.dropped)) == (2, {"not_a_candidate": 2}), kind
    assert record.options["candidates"] == "sized"
    assert not (asked.out.parent / "openimages_selection.csv").exists()


def test_no_sized_picture_is_none_chosen(inputs: Inputs) -> None:
    asked = replace(options(inputs), candidates="sized", images=3)
    assert built_sizes(asked) == {}
    assert "3 Open Images images asked for, 0 are candidates" in (
        open_manifest(asked.out).record.warnings
    )


def test_only_chosen_pictures_are_opened(inputs: Inputs) -> None:
    """A damaged file of a picture that has no box of the map does no harm."""
    for image in EVERY:
        jpeg(inputs, f"{image}.jpg", (60, 40))
    inputs.replace(BOXES, f"{B},xclick,/m/star", f"{B},xclick,/m/pet")
    (inputs.folder.parent / "jpegs" / f"{B}.jpg").write_bytes(b"no picture")
    assert set(built_sizes(options(inputs))) == {A, C, VALIDATION_PICTURE}


@pytest.mark.parametrize("buckets", [1, 2, 5, 16])
def test_of_unreadable_pictures_the_first_of_the_list_is_told(
    inputs: Inputs, buckets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: how little memory holds changes no message."""
    hold_little(monkeypatch, buckets, waiting=1)
    for image in EVERY:
        (inputs.folder.parent / "jpegs" / f"{image}.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=f"{A}.jpg: is no readable image"):
        build_quietly(options(inputs))
