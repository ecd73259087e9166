"""The road-map world's Open Images: what its images show, and what its files say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from lvis_merge.demo.identity import FlickrPhoto, hex_digits, md5_text
from lvis_merge.demo.open_images_csv import BoxRow, ImageRow, LabelRow, Subset
from lvis_merge.demo.paint import load_scenery
from lvis_merge.demo.polygons import Box, extent
from lvis_merge.demo.road_map_classes import RoadMapClass, load_looks, shape_mid
from lvis_merge.demo.road_map_design import RoadMapDesign
from lvis_merge.demo.road_map_scene import Wanted, arrange
from lvis_merge.demo.scene import Scene, Style

Said: TypeAlias = Literal["boxed", "labelled", "nothing"]


@dataclass(frozen=True)
class Candidate:
    """An Open Images picture.

    Attributes:
        image_id: 16 hex digits.
        subset: train or validation.
        photo: the Flickr original.
        scene: where everything stands.
        said: for every class to be seen, what the files say of it: verified present with its
            boxes, verified present, or nothing.
        place: its place among the images, from which its chance comes.
    """

    image_id: str
    subset: Subset
    photo: FlickrPhoto
    scene: Scene
    said: dict[str, Said]
    place: int


def draw_candidates(
    rng: np.random.Generator,
    classes: Sequence[RoadMapClass],
    photos: Sequence[FlickrPhoto],
    design: RoadMapDesign,
) -> list[Candidate]:
    """Plan and compose the images, in the order of their ids.

    Args:
        rng: the only source of chance.
        classes: by rank.
        photos: one per image.
        design: the amounts.
    """
    tail = _in_turn([cls for cls in classes if cls.is_tail], rng)
    head = _in_turn([cls for cls in classes if not cls.is_tail], rng)
    smallest = design.smallest * design.open_images_size
    largest = design.largest * design.open_images_size
    found = []
    for place, photo in enumerate(photos):
        wanted = _wanted(rng, tail, head, design)
        scene = arrange(wanted, smallest, largest, rng)
        subset: Subset = "validation" if rng.random() < design.open_images_validation else "train"
        said = _said(rng, wanted, design)
        found.append(Candidate(hex_digits(rng, 16), subset, photo, scene, said, place))
    return sorted(found, key=lambda candidate: candidate.image_id)


def _in_turn(classes: Sequence[RoadMapClass], rng: np.random.Generator) -> Iterator[RoadMapClass]:
    """All classes, shuffled anew each time they have been through."""
    while True:
        for place in rng.permutation(len(classes)):
            yield classes[int(place)]


def _wanted(
    rng: np.random.Generator,
    tail: Iterator[RoadMapClass],
    head: Iterator[RoadMapClass],
    design: RoadMapDesign,
) -> list[Wanted]:
    """The objects of one image, one of the tail first; of each class one, or one heap."""
    group = rng.random() < design.groups
    depiction = rng.random() < design.depictions
    number = min(1 + int(rng.poisson(design.objects_per_image - 1)), 7)
    if group or depiction:
        number = max(number, 2)
    # The first is of the tail in any case; the share of the others makes up for it.
    share = (design.open_images_tail * design.objects_per_image - 1) / (
        design.objects_per_image - 1
    )
    wanted: list[Wanted] = []
    seen: set[str] = set()
    for nth in range(number):
        special = nth == 1 and (group or depiction)
        is_tail = nth == 0 or special or rng.random() < share
        cls = next(tail if is_tail else head)
        if cls.name not in seen:
            style: Style = "depiction" if nth == 1 and depiction and not group else "object"
            wanted.append(Wanted(cls, style, heap=nth == 1 and group))
            seen.add(cls.name)
    return wanted


def _said(
    rng: np.random.Generator, wanted: Sequence[Wanted], design: RoadMapDesign
) -> dict[str, Said]:
    """What the files say of each class; of the first, and of what is special, everything."""
    said: dict[str, Said] = {}
    for nth, one in enumerate(wanted):
        chance = float(rng.random())
        if nth == 0 or one.heap or one.style == "depiction" or chance < design.verified:
            said[one.cls.name] = "boxed"
        elif chance < design.verified + design.label_only:
            said[one.cls.name] = "labelled"
        else:
            said[one.cls.name] = "nothing"
    return said


def box_rows(candidate: Candidate, classes: dict[str, RoadMapClass]) -> list[BoxRow]:
    """Boxes of one image: of every class that is boxed, a heap under one box.

    Args:
        candidate: the image.
        classes: by name.
    """
    scene = candidate.scene

    def row(name: str, box: Box, flags: tuple[int, int, int, int, int]) -> BoxRow:
        x, y, width, height = box
        place = (
            x / scene.width, (x + width) / scene.width,
            y / scene.height, (y + height) / scene.height,
        )  # fmt: skip
        return BoxRow(candidate.image_id, "xclick", classes[name].mid, place, flags)

    found = []
    for item in scene.singles:
        if candidate.said[item.class_name] == "boxed":
            flags = (0, int(item.truncated), 0, int(item.style == "depiction"), 0)
            found.append(row(item.class_name, item.box, flags))
    if scene.crowd:
        heap = tuple(part for item in scene.crowd for part in item.visible)
        found.append(row(scene.crowd[0].class_name, extent(heap), (1, 0, 1, 0, 0)))
    return found


def label_rows(
    candidate: Candidate,
    classes: dict[str, RoadMapClass],
    design: RoadMapDesign,
    rng: np.random.Generator,
) -> list[LabelRow]:
    """Verified labels of one image, all of them true.

    Args:
        candidate: the image.
        classes: by name.
        design: how many are verified absent.
        rng: the only source of chance.
    """
    image = candidate.image_id
    rows = [
        LabelRow(image, classes[name].mid, True)
        for name, said in sorted(candidate.said.items())
        if said != "nothing"
    ]
    absent = sorted(cls.mid for cls in classes.values() if cls.name not in candidate.said)
    denied = [str(mid) for mid in rng.permutation(absent)[: design.absent]]
    seen = {classes[name].shape for name in candidate.said}
    shapes = [shape for shape in load_looks().shapes if shape not in seen]
    if shapes and rng.random() < design.absent_shapes:
        denied.append(shape_mid(shapes[int(rng.integers(len(shapes)))]))
    return rows + [LabelRow(image, mid, False, "crowdsource-verification") for mid in denied]


def image_row(candidate: Candidate, rng: np.random.Generator) -> ImageRow:
    """An image's line in its list: where it came from and whom to thank."""
    scenery = load_scenery()
    who = int(rng.integers(len(scenery["authors"])))
    user = f"{1000 + who:08d}@N0{who % 8}"
    url = candidate.photo.open_images_url()
    return ImageRow(
        image_id=candidate.image_id,
        subset=candidate.subset,
        original_url=url,
        landing_url=f"https://www.flickr.com/photos/{user}/{candidate.photo.photo_id}",
        author_url=f"https://www.flickr.com/people/{user}/",
        author=scenery["authors"][who],
        title=scenery["titles"][int(rng.integers(len(scenery["titles"])))],
        original_size=int(rng.integers(200_000, 6_000_000)),
        original_md5=md5_text(rng),
        thumbnail_url=url.replace("_o.jpg", "_z.jpg"),
        rotation="0.0",
    )
