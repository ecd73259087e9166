"""The long-tailed demo world: a small LVIS, a COCO and an Open Images that disagree like the real.

About 380 drawn pictures. LVIS annotates part of what they show, COCO all of its own classes,
Open Images has many images of what LVIS has few of. Every rule of the merge meets a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lvis_merge.demo.classes import DemoClass, load_classes, load_hierarchy
from lvis_merge.demo.coco_json import write_coco
from lvis_merge.demo.identity import FlickrPhoto, coco_ids, flickr_photos
from lvis_merge.demo.long_tail_lvis import (
    LvisSplit,
    Shelved,
    annotate_coco,
    annotate_lvis,
    coco_categories,
    lvis_categories,
)
from lvis_merge.demo.long_tail_open_images import Candidate, draw_candidates
from lvis_merge.demo.long_tail_open_images_rows import bad_rows, box_rows, image_row, label_rows
from lvis_merge.demo.long_tail_plan import (
    FULL_TRAIN,
    STREAMS,
    LvisPlan,
    Stream,
    WorldSize,
    plan_lvis,
    plan_unlabelled,
)
from lvis_merge.demo.lvis_json import write_lvis
from lvis_merge.demo.open_images_csv import (
    Row,
    Subset,
    write_boxes,
    write_classes,
    write_images,
    write_labels,
    write_table,
)
from lvis_merge.demo.paint import load_scenery
from lvis_merge.demo.pictures import Print, Progress, develop, take
from lvis_merge.demo.world import DemoWorld, finish_drawing, start_drawing, world_at

WORLD = "long-tail"
FULL_SIZE = WorldSize()
_LEAKS = 2  # LVIS train images that are val images under the same photo, or the same id
_VAL_SHARE = 0.17  # of a category's train images, at 60 val images
_SUBSETS: Mapping[Stream, str] = {
    "train": "train2017",
    "val": "val2017",
    "test": "test2017",
    "coco": "train2017",
}


def draw_world(
    folder: Path, seed: int = 0, size: WorldSize = FULL_SIZE, progress: Progress | None = None
) -> DemoWorld:
    """Draw the world and write it in the official formats of its three sources.

    The same seed and size give the same bytes (for one version of numpy and Pillow).

    Args:
        folder: new, empty, or an earlier world, which is drawn over.
        seed: of all chance.
        size: number of images of each kind.
        progress: called with (pictures written, pictures in all).

    Returns:
        The paths of everything.

    Raises:
        InputError: the folder holds files that no world has written.
    """
    world = world_at(folder, seed)
    classes = load_classes()
    photos = flickr_photos(np.random.default_rng((seed, 20)), _total(size))
    shelves = _shelve(seed, size, classes, photos)
    val = [(one.photo, one.picture) for one in shelves["val"]]
    candidates = draw_candidates(seed, classes, photos[-size.open_images :], val)
    start_drawing(world, WORLD)
    _write_lvis(world, shelves, classes)
    _write_coco(world, shelves, classes)
    _write_open_images(world, candidates, classes)
    prints = [
        Print(world.image_root / one.subset / f"{one.image_id:012d}.jpg", one.picture)
        for shelf in shelves.values()
        for one in shelf
    ]
    prints += [_print(world, candidate) for candidate in candidates]
    develop(prints, classes, progress)
    finish_drawing(world, WORLD)
    return world


def _total(size: WorldSize) -> int:
    return size.train + size.val + size.test + size.coco_only + size.open_images


def _shelve(
    seed: int,
    size: WorldSize,
    classes: Mapping[str, DemoClass],
    photos: Sequence[FlickrPhoto],
) -> dict[Stream, list[Shelved]]:
    """The COCO pictures with their identities, by part of the world."""
    ids = coco_ids(np.random.default_rng((seed, 21)), _total(size))
    lvis = [cls.name for cls in classes.values() if cls.lvis_id is not None]
    share = size.train / FULL_TRAIN
    rng = np.random.default_rng((seed, 22))
    floor = 3 if size.val >= 40 else 1
    plans: dict[Stream, list[LvisPlan]] = {
        "train": plan_lvis(rng, classes, size.train - _LEAKS, 1, share),
        "val": plan_lvis(rng, classes, size.val, floor, _VAL_SHARE * size.val / 60),
    }
    scenes = {name: [plan.scene for plan in plans[name]] for name in plans}
    scenes["test"] = plan_unlabelled(rng, lvis, size.test)
    coco = [cls.name for cls in classes.values() if cls.coco_id is not None]
    scenes["coco"] = plan_unlabelled(rng, coco, size.coco_only, crowd="banana")
    shelves: dict[Stream, list[Shelved]] = {}
    place = 0
    for name, subset in _SUBSETS.items():
        shelves[name] = []
        for nth, scene in enumerate(scenes[name]):
            picture = take((seed, STREAMS[name], nth), scene, classes)
            plan = plans[name][nth] if name in plans else None
            shelves[name].append(Shelved(ids[place], photos[place], subset, picture, plan))
            place += 1
    same_photo, same_image = shelves["val"][:_LEAKS]
    shelves["train"].append(replace(same_photo, image_id=ids[place], subset="train2017"))
    shelves["train"].append(replace(same_image, subset="train2017"))
    return shelves


def _write_lvis(
    world: DemoWorld, shelves: Mapping[Stream, Sequence[Shelved]], classes: Mapping[str, DemoClass]
) -> None:
    licenses = load_scenery()["licenses"]
    paths: dict[Stream, Path] = {
        "train": world.lvis_train,
        "val": world.lvis_val,
        "test": world.lvis_test,
    }
    splits: dict[Stream, LvisSplit] = {}
    for place, name in enumerate(paths):
        rng = np.random.default_rng((world.seed, 30 + place))
        splits[name] = annotate_lvis(shelves[name], classes, rng)
    for name, path in paths.items():
        write_lvis(
            path,
            splits[name].images,
            None if name == "test" else splits[name].annotations,
            lvis_categories(classes, splits["train"], splits[name]),
            licenses,
            f"LVIS-like {name} set of a drawn world",
        )


def _write_coco(
    world: DemoWorld, shelves: Mapping[Stream, Sequence[Shelved]], classes: Mapping[str, DemoClass]
) -> None:
    rng = np.random.default_rng((world.seed, 40))
    images, annotations = annotate_coco([*shelves["train"], *shelves["coco"]], classes, rng)
    categories = coco_categories(classes)
    write_coco(world.coco, images, annotations, categories, load_scenery()["licenses"])


def _print(world: DemoWorld, candidate: Candidate) -> Print:
    path = world.openimages_images / candidate.subset / f"{candidate.image_id}.jpg"
    return Print(path, candidate.picture, candidate.turn, candidate.scale)


def _among(rows: list[Row], bad: Sequence[Row]) -> list[Row]:
    """The rows with the bad ones spread evenly among them."""
    step = len(rows) // (len(bad) + 1)
    mixed = list(rows)
    for place, row in enumerate(bad, start=1):
        mixed.insert(place * step + place - 1, row)
    return mixed


def _write_open_images(
    world: DemoWorld, candidates: Sequence[Candidate], classes: Mapping[str, DemoClass]
) -> None:
    rng = np.random.default_rng((world.seed, 50))
    hierarchy = load_hierarchy()
    bad = bad_rows([one for one in candidates if one.subset == "train"], classes, rng)
    subsets: tuple[Subset, ...] = ("train", "validation")
    for subset in subsets:
        mine = [one for one in candidates if one.subset == subset]
        boxes = [row.fields() for one in mine for row in box_rows(one, classes, rng)]
        images = [image_row(one, rng).fields() for one in mine]
        labels = [row.fields() for one in mine for row in label_rows(one, classes, hierarchy, rng)]
        if subset == "train":
            boxes, labels = _among(boxes, bad.boxes), _among(labels, bad.labels)
            images += bad.images
        write_boxes(world.openimages_dir, subset, boxes)
        write_images(world.openimages_dir, subset, images)
        write_labels(world.openimages_dir, subset, labels)
    write_classes(world.openimages_dir, hierarchy)
    sizes = [(one.image_id, *map(str, _print(world, one).size)) for one in candidates]
    write_table(world.openimages_sizes, ("ImageID", "Width", "Height"), sizes)
    for path, kind in ((world.openimages_exclude, "withdrawn"), (world.holdout, "held_out")):
        write_table(path, ("ImageID",), [(one.image_id,) for one in candidates if one.kind == kind])
