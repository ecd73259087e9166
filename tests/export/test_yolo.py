"""YOLO folders: supervision reads boxes and polygons back; what they cannot say is counted."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pycocotools import mask as coco_mask

from lvis_merge import manifest
from lvis_merge.errors import InputError
from lvis_merge.export.options import BoxOnly, Exported, Format
from lvis_merge.export.yolo_text import box_lines, clipped, outlines, polygon_lines
from lvis_merge.manifest import write_manifest
from lvis_merge.manifest.schema import ANNOTATIONS, IMAGES
from tests.export.conftest import Drawn
from tests.export.exporting import contents, export_to
from tests.manifest.small import Small, small, table
from tests.manifest.small_rows import annotations, images

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CLASSES = np.zeros(1, np.int64)
SQUARE = [0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]


@pytest.mark.parametrize(
    ("box", "inside", "lost"),
    [
        ([10, 10, 20, 30], [10, 10, 30, 40], False),
        ([0, 0, 100, 50], [0, 0, 100, 50], False),  # the whole image
        ([-5, 10, 20, 30], [0, 10, 15, 40], True),
        ([90, 40, 20, 20], [90, 40, 100, 50], True),
        ([120, 10, 20, 30], [100, 10, 100, 40], True),  # outside: no width is left
        # float32 sides miss the edge by a hair: nothing was cut off
        ([33.3, 0, 66.70001, 50], [33.3, 0, 100, 50], False),
    ],
)
def test_boxes_are_cut_off_at_the_edge(box: list[float], inside: list[float], lost: bool) -> None:
    ends, cut = clipped(np.array([box], np.float32), np.array([[100, 50]], np.int32))
    np.testing.assert_allclose(ends, [inside], rtol=1e-5)
    assert cut.tolist() == [lost]


def test_lines() -> None:
    sides = np.array([[100, 50]], np.int32)
    assert box_lines(CLASSES + 7, np.array([[10.0, 10, 30, 40]]), sides).to_pylist() == [
        "7 0.2 0.5 0.2 0.6"
    ]
    points = np.array([[10, 10], [130, 20], [20, -5]], np.float32)  # two of them outside
    assert polygon_lines(CLASSES, points, np.array([3]), sides).to_pylist() == [
        "0 0.1 0.2 1 0.4 0.2 0"
    ]


@pytest.mark.parametrize(
    "offsets",
    [
        [(0, 0)],
        [(0, 0), (30, 5)],
        [(0, 0), (30, 5), (5, 40)],  # the way back leads over the second part
        [(50, 50), (0, 0), (30, 5), (5, 30), (60, 10)],
    ],
)
def test_several_parts_become_one_polygon_of_the_same_area(offsets: list[tuple[int, int]]) -> None:
    parts = [[v + offset[i % 2] for i, v in enumerate(SQUARE)] for offset in offsets]
    # other rows around it do not matter
    rows = pa.array([[SQUARE], parts, [SQUARE, SQUARE]], pa.list_(pa.list_(pa.float32())))
    points, lengths = outlines(rows)
    start = lengths[0]
    outline = points[start : start + lengths[1]].astype(np.float64)
    (x, y), (next_x, next_y) = outline.T, np.roll(outline, -1, axis=0).T
    assert abs((x * next_y - next_x * y).sum()) / 2 == 100.0 * len(parts)
    drawn, whole = (
        coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, 90, 90)))
        for polygons in ([outline.ravel().tolist()], parts)
    )
    assert (drawn != whole).sum() <= 25  # a line of no width may touch some pixels
    assert points[:4].ravel().tolist() == SQUARE


def read_classes(folder: Path) -> dict[int, int]:
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["class"]): int(row["category_id"]) for row in csv.DictReader(file)}


def labels(folder: Path, task: str, name: str) -> list[list[float]]:
    text = (folder / task / "labels" / name).read_text()
    return [[float(word) for word in line.split()] for line in text.splitlines()]


@pytest.fixture(scope="module")
def exported(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("yolo") / "out"
    export_to(drawn.manifest, out, Format.yolo, image_roots=drawn.roots)
    return out


def test_supervision_reads_the_boxes(drawn: Drawn, exported: Path) -> None:
    supervision = pytest.importorskip("supervision")
    category_of = read_classes(exported)
    rows = [row for row in drawn.manifest.annotations.to_pylist() if row["role"] == "object"]
    for folder, split in (("train2017", "train"), ("val2017", "val"), ("train", "train")):
        dataset = supervision.DetectionDataset.from_yolo(
            str(exported / "detect" / "images" / folder),
            str(exported / "detect" / "labels" / folder),
            str(exported / "detect" / "data.yaml"),
        )
        names = drawn.manifest.categories["name"].to_pylist()
        assert dataset.classes == names
        assert len(dataset)
        listed = (exported / "detect" / f"{split}.txt").read_text().splitlines()
        for path, image, found in dataset:
            name = f"{folder}/{Path(path).name}"
            assert f"./images/{name}" in listed
            (ours,) = [row for row in drawn.manifest.images.to_pylist() if row["file_name"] == name]
            assert image.shape[:2] == (ours["height"], ours["width"])
            expected = [row for row in rows if row["image_id"] == ours["image_id"]]
            assert len(found) == len(expected)
            edges = [ours["width"], ours["height"]] * 2
            for box, number, row in zip(found.xyxy, found.class_id, expected, strict=True):
                x, y, w, h = row["bbox"]
                np.testing.assert_allclose(box, np.clip([x, y, x + w, y + h], 0, edges), atol=0.01)
                assert category_of[number] == row["category_id"]


def widened(mask: np.ndarray) -> np.ndarray:
    """A mask with the pixels up to two away."""
    near = np.zeros_like(np.pad(mask, 2))
    for y in range(5):
        for x in range(5):
            near[y : y + mask.shape[0], x : x + mask.shape[1]] |= mask
    return near[2:-2, 2:-2]


def test_supervision_reads_the_masks(drawn: Drawn, exported: Path) -> None:
    supervision = pytest.importorskip("supervision")
    dataset = supervision.DetectionDataset.from_yolo(
        str(exported / "segment" / "images" / "val2017"),
        str(exported / "segment" / "labels" / "val2017"),
        str(exported / "segment" / "data.yaml"),
        force_masks=True,
    )
    by_name = {row["file_name"]: row for row in drawn.manifest.images.to_pylist()}
    rows = drawn.manifest.annotations.to_pylist()
    compared = 0
    for path, _, found in dataset:
        ours = by_name[f"val2017/{Path(path).name}"]
        expected = [row for row in rows if row["image_id"] == ours["image_id"]]
        masks = [] if found.mask is None else found.mask
        for mask, row in zip(masks, expected, strict=True):
            runs = coco_mask.frPyObjects(row["segmentation"], ours["height"], ours["width"])
            published = coco_mask.decode(coco_mask.merge(runs)).astype(bool)
            # cv2 draws the outline's pixels too, and rounds them to whole ones
            assert (mask & published).sum() > 0.9 * published.sum()
            assert not (mask & ~widened(published)).any()
            compared += 1
    assert compared


def test_images_of_box_only_objects_are_not_in_the_segmentation_folder(
    drawn: Drawn, exported: Path
) -> None:
    listed = {
        task: (exported / task / "train.txt").read_text().splitlines()
        for task in ("detect", "segment")
    }
    bare = {
        row["image_id"]
        for row in drawn.manifest.annotations.to_pylist()
        if row["role"] == "object" and row["segmentation"] is None
    }
    names = {
        row["image_id"]: f"./images/{row['file_name']}"
        for row in drawn.manifest.images.to_pylist()
        if row["split"] == "train"
    }
    assert listed["detect"] == list(names.values())
    assert listed["segment"] == [name for number, name in names.items() if number not in bare]


@pytest.mark.parametrize("choice", [BoxOnly.rectangle, BoxOnly.drop])
def test_box_only_objects_as_asked(drawn: Drawn, choice: BoxOnly, tmp_path: Path) -> None:
    (one,) = export_to(
        drawn.manifest, tmp_path / "out", Format.yolo, splits=["train"], box_only=choice
    )
    assert one.counts["images_without_segments"] == 0
    lines = {
        task: sum(len(p.read_text().splitlines()) for p in (tmp_path / "out" / task).rglob("*.txt"))
        for task in ("detect/labels", "segment/labels")
    }
    dropped = one.counts["without_polygon"] if choice is BoxOnly.drop else 0
    assert one.counts["without_polygon"] > 0
    assert lines["segment/labels"] == lines["detect/labels"] - dropped
    # rows stay in the manifest's order
    for path in (tmp_path / "out" / "detect" / "labels").rglob("*.txt"):
        if choice is BoxOnly.rectangle:
            name = path.relative_to(tmp_path / "out" / "detect" / "labels").as_posix()
            boxes = labels(tmp_path / "out", "detect", name)
            polygons = labels(tmp_path / "out", "segment", name)
            assert [row[0] for row in boxes] == [row[0] for row in polygons]


def test_the_yaml_names_the_lists_and_the_classes(drawn: Drawn, exported: Path) -> None:
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load((exported / "detect" / "data.yaml").read_text())
    assert {split: read[split] for split in ("train", "val", "test")} == {
        "train": "train.txt", "val": "val.txt", "test": "test.txt",
    }  # fmt: skip
    # without it, Ultralytics takes the file's own folder
    assert "path" not in read
    names = drawn.manifest.categories["name"].to_pylist()
    assert read["names"] == dict(enumerate(names))
    ids = drawn.manifest.categories["category_id"].to_pylist()
    assert read_classes(exported) == dict(enumerate(ids))


def test_every_image_has_a_label_and_a_link(exported: Path) -> None:
    for task in ("detect", "segment"):
        for file in ("train.txt", "val.txt", "test.txt"):
            for line in (exported / task / file).read_text().splitlines():
                image = exported / task / line
                assert image.is_file()
                # where Ultralytics looks for it
                before, _, behind = str(image).rpartition("/images/")
                assert Path(f"{before}/labels/{behind}").with_suffix(".txt").is_file()
    assert all(path.is_symlink() for path in (exported / "images").rglob("*.jpg"))


def test_images_are_copied_when_asked(drawn: Drawn, tmp_path: Path) -> None:
    export_to(
        drawn.manifest, tmp_path / "out", Format.yolo, splits=["val"], image_roots=drawn.roots,
        copy_images=True,
    )  # fmt: skip
    copies = list((tmp_path / "out" / "images").rglob("*.jpg"))
    assert len(copies) == 8
    assert not any(path.is_symlink() for path in copies)


def counted(small_one: Small, tmp_path: Path) -> dict[str, Exported]:
    built = manifest.open(small_one.write(tmp_path / "m"))
    return {one.split: one for one in export_to(built, tmp_path / "out", Format.yolo)}


def test_what_the_format_cannot_say_is_counted(tmp_path: Path) -> None:
    made = small()
    rows = annotations()
    rows[0]["bbox"] = [-10.0, 20.0, 100.0, 50.0]
    rows[6]["bbox"] = [700.0, 2.0, 3.0, 4.0]  # of the 640 pixels of the val image
    found = counted(
        Small(
            type(made.tables)(
                made.tables.images, table(ANNOTATIONS, rows), made.tables.categories,
                made.tables.rejects,
            ),
            made.record,
            made.maps,
        ),
        tmp_path,
    )  # fmt: skip
    assert found["train"].counts["clipped"] == 1
    assert found["val"].counts["outside"] == 1
    assert found["val"].objects == 0
    ignored = sum(row["role"] == "ignore" for row in rows)
    assert found["train"].counts["ignore_left_out"] == ignored


def test_two_images_of_one_label_are_refused(tmp_path: Path) -> None:
    made = small()
    rows = images()
    rows[0]["file_name"], rows[1]["file_name"] = "a/b.jpg", "a/b.png"
    tables = type(made.tables)(
        table(IMAGES, rows), made.tables.annotations, made.tables.categories, made.tables.rejects
    )
    write_manifest(tmp_path / "m", tables, made.record, made.maps)
    built = manifest.open(tmp_path / "m")
    with pytest.raises(InputError, match=r"a/b\.jpg and a/b\.png would both have .*a/b\.txt"):
        export_to(built, tmp_path / "out", Format.yolo)
    assert not (tmp_path / "out").exists()


def test_equal_exports_are_equal(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    export_to(drawn.manifest, tmp_path / "out", Format.yolo, image_roots=drawn.roots)
    assert contents(tmp_path / "out") == contents(exported)
