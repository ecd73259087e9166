"""The road-map world: made for measuring what each trick of the recipe does, on a CPU.

Some 5,700 small pictures of 96 classes that only their pixels tell apart, with LVIS's long tail,
objects that LVIS leaves out, COCO boxes over most of those, and an Open Images that has boxes of
what is rare, from another camera.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lvis_merge.demo.coco_json import write_coco
from lvis_merge.demo.identity import FlickrPhoto, coco_ids, flickr_photos
from lvis_merge.demo.lvis_json import write_lvis
from lvis_merge.demo.open_images_csv import (
    Subset,
    write_boxes,
    write_classes,
    write_images,
    write_labels,
    write_table,
)
from lvis_merge.demo.paint import load_scenery
from lvis_merge.demo.pictures import Progress
from lvis_merge.demo.road_map_classes import (
    RoadMapClass,
    class_hierarchy,
    coco_classes,
    deal_classes,
)
from lvis_merge.demo.road_map_design import RoadMapDesign
from lvis_merge.demo.road_map_lvis import (
    Shelved,
    annotate_coco,
    annotate_lvis,
    exhaustive,
    lvis_categories,
)
from lvis_merge.demo.road_map_open_images import (
    Candidate,
    box_rows,
    draw_candidates,
    image_row,
    label_rows,
)
from lvis_merge.demo.road_map_paint import Camera, paint_road_map, shifted_camera, usual_camera
from lvis_merge.demo.road_map_plan import ImagePlan, plan_coco_only, plan_train, plan_val
from lvis_merge.demo.road_map_scene import Wanted, arrange
from lvis_merge.demo.road_map_world import RoadMapWorld, road_map_at, write_maps
from lvis_merge.demo.scene import Scene
from lvis_merge.demo.world import finish_drawing, start_drawing, world_at

WORLD = "road-map"
FULL_DESIGN = RoadMapDesign()
_QUALITY = 90  # of the JPEG files
_SUBSETS = {"train": "train2017", "val": "val2017", "coco": "train2017"}
_OPEN_IMAGES_STREAM = 9


@dataclass(frozen=True)
class _Print:
    """A file to write: what it shows, through which camera, with the chance of which key."""

    path: Path
    scene: Scene
    camera: Camera
    key: tuple[int, int, int]


def draw_road_map(
    folder: Path,
    seed: int = 0,
    design: RoadMapDesign = FULL_DESIGN,
    progress: Progress | None = None,
) -> RoadMapWorld:
    """Draw the world and write it in the official formats of its three sources.

    The same seed and design give the same bytes (for one version of numpy and Pillow). Another
    seed gives other images, and other classes at the ranks of frequency.

    Args:
        folder: new, empty, or an earlier world, which is drawn over.
        seed: of all chance.
        design: the amounts and ratios.
        progress: called with (pictures written, pictures in all).

    Returns:
        The paths of everything.

    Raises:
        InputError: the folder holds files that no world has written.
    """
    world = road_map_at(folder, seed)
    start_drawing(world_at(folder, seed), WORLD)
    dealt = deal_classes(seed, design)
    classes = {cls.name: cls for cls in dealt}
    photos = photos_of(seed, design)
    shelves = shelve(seed, design, dealt, photos)
    candidates = candidates_of(seed, design, dealt, photos)
    _write_lvis(world, shelves, classes, design)
    _write_coco(world, shelves, classes, dealt)
    _write_open_images(world, candidates, classes, dealt, design)
    write_maps(world, dealt, coco_classes(dealt))
    usual, shifted = usual_camera(design), shifted_camera(design)
    prints = [
        _Print(
            world.image_root / one.subset / f"{one.image_id:012d}.jpg",
            one.scene,
            usual,
            (seed, stream, one.place),
        )
        for stream, shelf in enumerate(shelves.values())
        for one in shelf
    ]
    prints += [
        _Print(_path(world, one), one.scene, shifted, (seed, _OPEN_IMAGES_STREAM, one.place))
        for one in candidates
    ]
    _develop(prints, classes, progress)
    finish_drawing(world_at(folder, seed), WORLD)
    return world


def candidates_of(
    seed: int,
    design: RoadMapDesign,
    dealt: tuple[RoadMapClass, ...],
    photos: Sequence[FlickrPhoto],
) -> list[Candidate]:
    """The Open Images pictures, as `shelve` gives those of COCO, by their ids."""
    rng = np.random.default_rng((seed, 62))
    return draw_candidates(rng, dealt, photos[len(photos) - design.open_images :], design)


def photos_of(seed: int, design: RoadMapDesign) -> Sequence[FlickrPhoto]:
    """The Flickr originals of all pictures of a world."""
    return flickr_photos(np.random.default_rng((seed, 61)), design.images)


def _path(world: RoadMapWorld, candidate: Candidate) -> Path:
    return world.openimages_images / candidate.subset / f"{candidate.image_id}.jpg"


def _develop(
    prints: Sequence[_Print], classes: Mapping[str, RoadMapClass], progress: Progress | None
) -> None:
    for done, one in enumerate(prints, start=1):
        rng = np.random.default_rng((*one.key, 1))
        image = paint_road_map(one.scene, classes, one.camera, rng)
        image.save(one.path, "JPEG", quality=_QUALITY)
        if progress is not None:
            progress(done, len(prints))


def shelve(
    seed: int,
    design: RoadMapDesign,
    dealt: tuple[RoadMapClass, ...],
    photos: Sequence[FlickrPhoto],
) -> dict[str, list[Shelved]]:
    """The COCO pictures with their identities: what is to be seen, whether it is annotated or not.

    Args:
        seed: of the world.
        design: the amounts and ratios.
        dealt: the classes, by rank.
        photos: at least one per picture.

    Returns:
        The pictures of `train`, `val` and `coco` (those that LVIS lacks), as the files have them.
    """
    rng = np.random.default_rng((seed, 63))
    plans = {
        "train": plan_train(rng, dealt, design),
        "val": plan_val(rng, dealt, design),
        "coco": plan_coco_only(rng, dealt, design),
    }
    classes = {cls.name: cls for cls in dealt}
    ids = iter(coco_ids(np.random.default_rng((seed, 64)), design.images))
    photo = iter(photos)
    shelves: dict[str, list[Shelved]] = {}
    for stream, (name, subset) in enumerate(_SUBSETS.items()):
        shelves[name] = [
            Shelved(
                next(ids),
                next(photo),
                subset,
                plan,
                _compose(plan, classes, design, np.random.default_rng((seed, stream, place, 0))),
                place,
            )
            for place, plan in enumerate(plans[name])
        ]
    return shelves


def _compose(
    plan: ImagePlan,
    classes: Mapping[str, RoadMapClass],
    design: RoadMapDesign,
    rng: np.random.Generator,
) -> Scene:
    """The plan's objects, the annotated ones first, a heap last."""
    wanted = [Wanted(classes[name]) for name in (*plan.annotated, *plan.hidden)]
    if plan.crowd is not None:
        wanted.append(Wanted(classes[plan.crowd], heap=True))
    return arrange(wanted, design.smallest, design.largest, rng)


def _write_lvis(
    world: RoadMapWorld,
    shelves: Mapping[str, Sequence[Shelved]],
    classes: Mapping[str, RoadMapClass],
    design: RoadMapDesign,
) -> None:
    licenses = load_scenery()["licenses"]
    train, val = (
        annotate_lvis(shelves[name], classes, design.neg, np.random.default_rng((world.seed, key)))
        for name, key in (("train", 65), ("val", 66))
    )
    for path, split in (
        (world.lvis_train, train),
        (world.lvis_val, val),
        (world.lvis_val_exhaustive, exhaustive(val, classes)),
    ):
        categories = lvis_categories(classes, train, split)
        description = f"LVIS-like annotations of a drawn world, {path.stem}"
        write_lvis(path, split.images, split.annotations, categories, licenses, description)


def _write_coco(
    world: RoadMapWorld,
    shelves: Mapping[str, Sequence[Shelved]],
    classes: Mapping[str, RoadMapClass],
    dealt: tuple[RoadMapClass, ...],
) -> None:
    rng = np.random.default_rng((world.seed, 67))
    images, annotations = annotate_coco([*shelves["train"], *shelves["coco"]], classes, rng)
    licenses = load_scenery()["licenses"]
    write_coco(world.coco, images, annotations, coco_classes(dealt), licenses)


def _write_open_images(
    world: RoadMapWorld,
    candidates: Sequence[Candidate],
    classes: dict[str, RoadMapClass],
    dealt: tuple[RoadMapClass, ...],
    design: RoadMapDesign,
) -> None:
    rng = np.random.default_rng((world.seed, 68))
    subsets: tuple[Subset, ...] = ("train", "validation")
    for subset in subsets:
        mine = [one for one in candidates if one.subset == subset]
        write_images(world.openimages_dir, subset, [image_row(one, rng).fields() for one in mine])
        boxes = [row.fields() for one in mine for row in box_rows(one, classes)]
        write_boxes(world.openimages_dir, subset, boxes)
        labels = [row.fields() for one in mine for row in label_rows(one, classes, design, rng)]
        write_labels(world.openimages_dir, subset, labels)
    write_classes(world.openimages_dir, class_hierarchy(dealt))
    sizes = [(one.image_id, str(one.scene.width), str(one.scene.height)) for one in candidates]
    write_table(world.openimages_sizes, ("ImageID", "Width", "Height"), sizes)
