"""YOLO folders: for each image a text file of normalised boxes, and one of polygons.

    OUT/classes.csv           class, category_id, name, synset
    OUT/detect/data.yaml      names the list files and the classes
    OUT/detect/train.txt      a line `./images/FILE` for each image
    OUT/detect/labels/…       a line an object: class, centre x, centre y, width, height
    OUT/detect/images         link to OUT/images
    OUT/segment/…             the same; a line an object: class, x, y, x, y, …
    OUT/images/FILE           links to (or copies of) the images found below the image roots

What lies beyond an image is cut off here, and only here. The format has no ignore regions and no
place for what is verified absent: they are left out and counted.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.export.images import image_paths
from lvis_merge.export.in_order import in_order
from lvis_merge.export.options import BoxOnly, Exported
from lvis_merge.export.split_rows import SplitRows, boxes_of, by_whole_images, one_chunk
from lvis_merge.export.yolo_text import box_lines, clipped, outlines, polygon_lines
from lvis_merge.image_roots import ImageRoot, check_name
from lvis_merge.manifest import Manifest

DETECT, SEGMENT = "detect", "segment"
_COLUMNS = ("image_id", "category_id", "bbox", "segmentation", "role")


class Labels(NamedTuple):
    """Label files of some images.

    Attributes:
        images: places of the images in the split.
        detect: text of each image's detection label.
        segment: text of each image's segmentation label; null: the image is left out.
        counts: what is to be told.
    """

    images: Sequence[int]
    detect: list[str]
    segment: list[str | None]
    counts: Counter[str]


def write_yolo(
    folder: Path,
    splits: Sequence[SplitRows],
    box_only: BoxOnly,
    roots: Sequence[ImageRoot],
    copy_images: bool,
    advance: Callable[[int], None],
) -> list[Exported]:
    """Writes the folders.

    Args:
        folder: an empty folder.
        splits: the splits.
        box_only: what becomes of objects without polygons in the segmentation folder: their images
            are left out of it (`keep`), their rectangle is written, or they are left out alone.
        roots: where images are; without any, no image is linked.
        copy_images: copy the images instead of linking to them.
        advance: told how many images were written.

    Raises:
        InputError: a table is missing or damaged, two images would have one label file, or a file
            name leads out of the folder.
    """
    manifest = splits[0].manifest
    _write_classes(folder / "classes.csv", manifest)
    names = [split.split for split in splits]
    for task in (DETECT, SEGMENT):
        (folder / task).mkdir()
        (folder / task / "images").symlink_to("../images")
        _write_yaml(folder / task / "data.yaml", manifest, names)
    places = _Places(splits)
    return [
        _write_split(folder, split, places, box_only, roots, copy_images, advance)
        for split in splits
    ]


class _Places:
    """Where each image and label goes, relative to `images` and `labels`."""

    def __init__(self, splits: Iterable[SplitRows]) -> None:
        self._taken: dict[str, str] = {}
        self.label = {split.split: self._labels(split) for split in splits}

    def _labels(self, split: SplitRows) -> list[str]:
        labels = []
        for name in split.images["file_name"].to_pylist():
            check_name(name)
            label = PurePosixPath(name).with_suffix(".txt").as_posix()
            if label in self._taken:
                raise InputError(
                    f"{split.manifest.path}: images {self._taken[label]} and {name} would both have"
                    f" the label file {label}. YOLO folders cannot hold both."
                )
            self._taken[label] = name
            labels.append(label)
        return labels


def _write_classes(path: Path, manifest: Manifest) -> None:
    rows = manifest.arrow("categories", ["category_id", "name", "synset"]).to_pylist()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "category_id", "name", "synset"])
        writer.writerows(
            [place, row["category_id"], row["name"], row["synset"] or ""]
            for place, row in enumerate(rows)
        )


def _write_yaml(path: Path, manifest: Manifest, splits: Sequence[str]) -> None:
    """JSON strings are YAML strings. No `path`: the folder of the file itself is meant."""
    names = manifest.arrow("categories", ["name"])["name"].to_pylist()
    lines = [
        *(f"{split}: {split}.txt" for split in splits),
        "names:",
        *(f"  {place}: {json.dumps(name)}" for place, name in enumerate(names)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_split(
    folder: Path,
    split: SplitRows,
    places: _Places,
    box_only: BoxOnly,
    roots: Sequence[ImageRoot],
    copy_images: bool,
    advance: Callable[[int], None],
) -> Exported:
    files = split.images["file_name"].to_pylist()
    labels = places.label[split.split]
    counts: Counter[str] = Counter()
    made: set[Path] = set()

    def write(task: str, place: int, text: str) -> None:
        path = folder / task / "labels" / labels[place]
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_text(text, encoding="ascii")

    segmented = []
    batches = by_whole_images(split, _COLUMNS)
    for some in in_order(lambda rows: _labels_of(split, rows, box_only), batches):
        counts += some.counts
        for place, detect, segment in zip(some.images, some.detect, some.segment, strict=True):
            write(DETECT, place, detect)
            if segment is not None:
                write(SEGMENT, place, segment)
                segmented.append(place)
        advance(len(some.images))
    for task, chosen in ((DETECT, range(len(files))), (SEGMENT, segmented)):
        lines = "".join(f"./images/{files[place]}\n" for place in chosen)
        (folder / task / f"{split.split}.txt").write_text(lines, encoding="utf-8")
    if roots:
        paths = image_paths(split.images, roots)
        _place_images(folder / "images", dict(zip(files, paths, strict=True)), copy_images)
        counts["images_missing"] = paths.count(None)
    counts["images_without_segments"] = len(files) - len(segmented)
    objects, ignored = counts.pop("objects", 0), counts.pop("ignore", 0)
    counts["ignore_left_out"] = ignored
    return Exported(split.split, ".", len(files), objects, 0, dict(counts))


def _labels_of(split: SplitRows, rows: tuple[range, pa.Table], box_only: BoxOnly) -> Labels:
    """The labels of a range of images, from all their annotations."""
    images, annotations = rows
    is_object = pc.equal(annotations["role"], "object")
    objects = annotations.filter(is_object).combine_chunks()
    place = split.image_rows(one_chunk(objects["image_id"]))
    ids = split.manifest.categories["category_id"].combine_chunks()
    classes = pc.index_in(one_chunk(objects["category_id"]), value_set=ids)
    classes = classes.to_numpy(zero_copy_only=False).astype(np.int64)
    sides = np.stack([split.images[name].to_numpy()[place] for name in ("width", "height")], axis=1)
    ends, lost = clipped(boxes_of(objects), sides)
    inside = (ends[:, 2:] > ends[:, :2]).all(axis=1)
    counts: Counter[str] = Counter(
        objects=int(inside.sum()),
        ignore=len(annotations) - len(objects),
        clipped=int((lost & inside).sum()),
        outside=int((~inside).sum()),
    )
    detect = _joined(box_lines(classes[inside], ends[inside], sides[inside]), place[inside], images)
    has_polygon = one_chunk(objects["segmentation"]).is_valid().to_numpy(zero_copy_only=False)
    counts["without_polygon"] = int((inside & ~has_polygon).sum())
    chosen = np.flatnonzero(inside & has_polygon)
    masks = one_chunk(objects["segmentation"]).take(pa.array(chosen))
    lines = polygon_lines(classes[chosen], *outlines(masks), sides[chosen])
    bare = np.flatnonzero(inside & ~has_polygon)
    if box_only is BoxOnly.rectangle:
        corners = ends[bare][:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
        four = np.full(len(bare), 4, np.int64)
        lines = pa.concat_arrays([lines, polygon_lines(classes[bare], corners, four, sides[bare])])
        order = np.argsort(np.concatenate([chosen, bare]), kind="stable")
        lines, chosen = lines.take(pa.array(order)), np.sort(np.concatenate([chosen, bare]))
    segment: list[str | None] = [*_joined(lines, place[chosen], images)]
    if box_only is BoxOnly.keep:
        for left_out in np.unique(place[bare]).tolist():
            segment[left_out - images.start] = None
    return Labels(images, detect, segment, counts)


def _joined(lines: pa.Array, place: np.ndarray, images: range) -> list[str]:
    """The lines of each image as the text of a file; empty where there is none."""
    ends = np.searchsorted(place, np.arange(images.start, images.stop + 1)).astype(np.int32)
    with_end = pc.binary_join_element_wise(lines, "\n", "")
    texts: list[str] = pc.binary_join(
        pa.ListArray.from_arrays(pa.array(ends), with_end), ""
    ).to_pylist()
    return texts


def _place_images(folder: Path, paths: Mapping[str, Path | None], copy_images: bool) -> None:
    """Links to the images that are there, or copies of them, by file name."""
    for file_name, path in paths.items():
        if path is None:
            continue
        place = folder / file_name
        place.parent.mkdir(parents=True, exist_ok=True)
        if copy_images:
            shutil.copyfile(path, place)
        else:
            place.symlink_to(path)
